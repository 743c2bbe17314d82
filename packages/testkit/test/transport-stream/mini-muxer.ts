import { type EncodedSample, rescale, type Track, timescaleOf } from '@rushes/media'
import { crc32Mpeg } from '../../src/transport-stream/crc32-mpeg.js'

/**
 * The least muxer that obeys every rule, and places to break each of them from. It is written for the oracle's tests:
 * slow, and only as general as they need.
 */
export interface Hooks {
  /** NAL units with their start codes, in order; `picture` counts video samples from 0. */
  accessUnit?: (nalUnits: Uint8Array[], picture: number) => Uint8Array[]
  /** ADTS frames of one PES packet. */
  adts?: (frames: Uint8Array[], index: number) => Uint8Array[]
  times?: (times: { pts: number; dts: number }, kind: 'video' | 'audio', index: number) => { pts: number; dts: number }
  /** A whole PES packet. */
  pes?: (pes: Uint8Array, kind: 'video' | 'audio', index: number) => Uint8Array
  /** The PCR of a packet; undefined: none. */
  pcr?: (pcr90k: number, kind: 'start' | 'between', index: number) => number | undefined
  randomAccess?: (set: boolean, kind: 'video' | 'audio', index: number) => boolean
  /** A section without its CRC; the length is not corrected. */
  section?: (section: number[], name: 'PAT' | 'PMT', segment: number) => number[]
  /** Any packet, at last; several, or none. */
  packet?: (packet: Uint8Array, facts: PacketFacts) => Uint8Array[]
}

export interface PacketFacts {
  readonly pid: number
  readonly segment: number
  /** Counts the packets of the PID from 0. */
  readonly index: number
  readonly unitStart: boolean
}

export const VIDEO_PID = 0x100
export const AUDIO_PID = 0x101
export const PMT_PID = 0x1000

const RATE_INDEX: Readonly<Record<number, number>> = { 48000: 3, 44100: 4, 32000: 5, 24000: 6 }

/** Muxes samples in decoding order; a new segment starts at each of the given sample indexes, and at 0. */
export function miniMux(
  tracks: readonly Track[],
  samples: readonly EncodedSample[],
  hooks: Hooks = {},
  segmentStarts: readonly number[] = [],
): Uint8Array[] {
  return new MiniMuxer(tracks, hooks).mux(samples, segmentStarts)
}

class MiniMuxer {
  readonly #tracks: readonly Track[]
  readonly #hooks: Hooks
  readonly #counters = new Map<number, number>()
  readonly #indexes = new Map<number, number>()
  #segment: Uint8Array[] = []
  #segmentIndex = -1
  #pcr: number | undefined
  #pcrs = 0
  #videos = 0
  #audios = 0
  readonly #pcrPid: number
  readonly #channels: number
  readonly #rate: number

  constructor(tracks: readonly Track[], hooks: Hooks) {
    this.#tracks = tracks
    this.#hooks = hooks
    this.#pcrPid = tracks.some(({ kind }) => kind === 'video') ? VIDEO_PID : AUDIO_PID
    const audio = tracks.find((track) => track.kind === 'audio')
    this.#rate = audio?.clockRate ?? 48_000
    this.#channels = audio?.channels ?? 1
  }

  mux(samples: readonly EncodedSample[], starts: readonly number[]): Uint8Array[] {
    const segments: Uint8Array[] = []
    for (const [index, sample] of samples.entries()) {
      if (index === 0 || starts.includes(index)) {
        if (index > 0) segments.push(Buffer.concat(this.#segment))
        this.#segment = []
        this.#segmentIndex++
        this.#tables()
      }
      this.#sample(sample, index === 0 || starts.includes(index))
    }
    segments.push(Buffer.concat(this.#segment))
    return segments
  }

  #tables(): void {
    this.#section('PAT', 0, [0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (PMT_PID >> 8), PMT_PID & 255])
    const streams = this.#tracks.flatMap(({ kind }) => {
      const pid = kind === 'video' ? VIDEO_PID : AUDIO_PID
      return [kind === 'video' ? 0x1b : 0x0f, 0xe0 | (pid >> 8), pid & 255, 0xf0, 0]
    })
    this.#section('PMT', 2, [0, 1, 0xc1, 0, 0, 0xe0 | (this.#pcrPid >> 8), this.#pcrPid & 255, 0xf0, 0, ...streams])
  }

  #section(name: 'PAT' | 'PMT', tableId: number, body: number[]): void {
    const section = [tableId, 0xb0, body.length + 4, ...body]
    const final = Uint8Array.from(this.#hooks.section?.(section, name, this.#segmentIndex) ?? section)
    const crc = crc32Mpeg(final)
    const payload = Buffer.alloc(184, 0xff)
    payload.set([0, ...final, crc >>> 24, (crc >> 16) & 255, (crc >> 8) & 255, crc & 255])
    this.#packet(name === 'PAT' ? 0 : PMT_PID, true, payload, undefined, false)
  }

  #sample(sample: EncodedSample, firstOfSegment: boolean): void {
    const track = this.#tracks.find(({ id }) => id === sample.trackId) as Track
    const { kind } = track
    const index = kind === 'video' ? this.#videos++ : this.#audios++
    const ticks = (value: number): number => 90_000 + rescale(value, timescaleOf(track), 90_000)
    const natural = { pts: ticks(sample.pts), dts: ticks(sample.dts) }
    const times = this.#hooks.times?.(natural, kind, index) ?? natural
    const data = kind === 'video' ? this.#accessUnit(sample, index) : this.#adts(sample, index)
    const pid = kind === 'video' ? VIDEO_PID : AUDIO_PID
    const randomAccess = kind === 'video' ? sample.keyframe : this.#pcrPid === AUDIO_PID && firstOfSegment
    const pes = writePes(kind, times, data)
    this.#clock(natural.dts - 9000)
    // At 45 ms before the limit, since the next sample is not known yet.
    const due = this.#pcr === undefined || natural.dts - 9000 - this.#pcr >= 5000
    const wantsPcr = pid === this.#pcrPid && (kind === 'video' || due || randomAccess)
    if (!wantsPcr && due) this.#pcrOnly(natural.dts - 9000)
    const pcr = wantsPcr ? this.#nextPcr(natural.dts - 9000, 'start') : undefined
    const set = this.#hooks.randomAccess?.(randomAccess, kind, index) ?? randomAccess
    this.#payload(pid, this.#hooks.pes?.(pes, kind, index) ?? pes, pcr, set)
  }

  /** Fills a pause with packets that only carry a PCR. */
  #clock(next: number): void {
    while (this.#pcr !== undefined && next - this.#pcr > 9000) this.#pcrOnly(this.#pcr + 8100)
  }

  #pcrOnly(pcr90k: number): void {
    const pcr = this.#nextPcr(pcr90k, 'between')
    if (pcr !== undefined) this.#packet(this.#pcrPid, false, new Uint8Array(0), pcr, false)
  }

  #nextPcr(wanted: number, kind: 'start' | 'between'): number | undefined {
    // A picture may have the decoding time of the sound before it: the clock still goes on.
    const pcr90k = Math.max(wanted, (this.#pcr ?? wanted - 1) + 1)
    this.#pcr = pcr90k
    const index = this.#pcrs++
    return this.#hooks.pcr === undefined ? pcr90k : this.#hooks.pcr(pcr90k, kind, index)
  }

  #accessUnit(sample: EncodedSample, index: number): Uint8Array {
    const nalUnits = (sample.data as readonly Uint8Array[]).filter((nalUnit) => ((nalUnit[0] as number) & 31) !== 9)
    const withCodes = [Uint8Array.of(9, 0xf0), ...nalUnits].map((nalUnit) => Buffer.concat([START_CODE, nalUnit]))
    return Buffer.concat(this.#hooks.accessUnit?.(withCodes, index) ?? withCodes)
  }

  #adts(sample: EncodedSample, index: number): Uint8Array {
    const data = sample.data as Uint8Array
    const length = data.byteLength + 7
    const rate = RATE_INDEX[this.#rate] as number
    const header = [0xff, 0xf1, 0x40 | (rate << 2), (this.#channels << 6) | (length >> 11), (length >> 3) & 255]
    const frame = Uint8Array.from([...header, ((length & 7) << 5) | 0x1f, 0xfc, ...data])
    return Buffer.concat(this.#hooks.adts?.([frame], index) ?? [frame])
  }

  #payload(pid: number, bytes: Uint8Array, pcr: number | undefined, randomAccess: boolean): void {
    let first = true
    for (let at = 0; at < bytes.byteLength || first; ) {
      const room = first && pcr !== undefined ? 176 : first && randomAccess ? 182 : 184
      const part = bytes.subarray(at, at + room)
      this.#packet(pid, first, part, first ? pcr : undefined, first && randomAccess)
      at += part.byteLength
      first = false
    }
  }

  #packet(pid: number, unitStart: boolean, payload: Uint8Array, pcr: number | undefined, randomAccess: boolean): void {
    const packet = new Uint8Array(188).fill(0xff)
    const hasPayload = payload.byteLength > 0
    const last = this.#counters.get(pid) ?? 15
    const counter = hasPayload ? (last + 1) & 15 : last
    this.#counters.set(pid, counter)
    const fieldBytes = 184 - payload.byteLength
    packet.set([0x47, (unitStart ? 0x40 : 0) | (pid >> 8), pid & 255])
    packet[3] = (fieldBytes > 0 ? 0x20 : 0) | (hasPayload ? 0x10 : 0) | counter
    if (fieldBytes > 0) packet[4] = fieldBytes - 1
    if (fieldBytes > 1) packet[5] = (randomAccess ? 0x40 : 0) | (pcr === undefined ? 0 : 0x10)
    if (pcr !== undefined) packet.set(writePcr(pcr), 6)
    packet.set(payload, 188 - payload.byteLength)
    const index = this.#indexes.get(pid) ?? 0
    this.#indexes.set(pid, index + 1)
    const facts = { pid, segment: this.#segmentIndex, index, unitStart }
    this.#segment.push(...(this.#hooks.packet?.(packet, facts) ?? [packet]))
  }
}

export const START_CODE: Uint8Array = Uint8Array.of(0, 0, 0, 1)

export function writePcr(pcr90k: number): number[] {
  const base = modulo33(Math.floor(pcr90k))
  const extension = Math.round((pcr90k - Math.floor(pcr90k)) * 300)
  const bytes = [25, 17, 9, 1].map((shift) => Math.floor(base / 2 ** shift) & 255)
  return [...bytes, ((base % 2) << 7) | 0x7e | (extension >> 8), extension & 255]
}

function writePes(kind: 'video' | 'audio', { pts, dts }: { pts: number; dts: number }, data: Uint8Array): Uint8Array {
  const times = pts === dts ? timestamp(2, pts) : [...timestamp(3, pts), ...timestamp(1, dts)]
  const follows = 3 + times.length + data.byteLength
  const length = kind === 'video' && follows > 0xffff ? 0 : follows
  const header = [0, 0, 1, kind === 'video' ? 0xe0 : 0xc0, length >> 8, length & 255]
  const flags = [0x84, pts === dts ? 0x80 : 0xc0, times.length]
  return Buffer.concat([Uint8Array.from([...header, ...flags, ...times]), data])
}

function timestamp(prefix: number, value: number): number[] {
  const t = modulo33(value)
  const bits = (from: number, mask: number): number => Math.floor(t / 2 ** from) & mask
  return [
    (prefix << 4) | (bits(30, 7) << 1) | 1,
    bits(22, 255),
    (bits(15, 127) << 1) | 1,
    bits(7, 255),
    (bits(0, 127) << 1) | 1,
  ]
}

function modulo33(value: number): number {
  return ((value % 2 ** 33) + 2 ** 33) % 2 ** 33
}
