import {
  ConfigurationError,
  type Emit,
  type EncodedSample,
  nalPiecesOf,
  rescale,
  type Stage,
  type TimedItem,
  type Track,
} from '@rushes/media'
import { AccessUnitLayout } from './access-unit-layout.js'
import { adaptationFieldBytes, DISCONTINUITY, PCR, RANDOM_ACCESS, writeAdaptationField } from './adaptation-field.js'
import { AdtsLayout } from './adts-layout.js'
import { createElementaryStream, type ElementaryStream, pcrStreamOf } from './elementary-stream.js'
import { type ResolvedTsOptions, resolveTsOptions, type TsStreamOptions } from './options.js'
import { PcrSchedule } from './pcr-schedule.js'
import { type PesPlan, pesPackets, pesStuffingBytes, writePesPackets } from './pes-packets.js'
import { PAT_PID, PMT_PID, programAssociationSection, programMapSection, sectionPackets, writeSection } from './psi.js'
import { createTsMuxerStats, type DropCause, type TsMuxerStats } from './stats.js'
import {
  ADAPTATION_ONLY,
  type ContinuityCounter,
  TS_PACKET_BYTES,
  TS_PAYLOAD_BYTES,
  writePacketHeader,
} from './ts-packet.js'

interface Input {
  readonly stream: ElementaryStream
  readonly layout: AccessUnitLayout | AdtsLayout
  /** No sample since the tables were last asked for. */
  isFirst: boolean
}

/**
 * H264 and AAC samples to an MPEG transport stream with one program (ISO/IEC 13818-1).
 * Samples of all tracks come in order of their DTS; each becomes one PES packet, and one emitted buffer that begins with
 * the tables and PCR packets that are due before it. Nothing is held back.
 */
export class TsMuxer implements Stage<TimedItem, Uint8Array> {
  readonly #options: ResolvedTsOptions
  readonly #stats: TsMuxerStats = createTsMuxerStats()
  readonly #inputs = new Map<string, Input>()
  readonly #streams: ElementaryStream[] = []
  readonly #pcr: PcrSchedule
  readonly #patCounter: ContinuityCounter = { continuityCounter: 15 }
  readonly #pmtCounter: ContinuityCounter = { continuityCounter: 15 }
  readonly #pat: Uint8Array = programAssociationSection()
  readonly #offset90k: number
  #pmt: Uint8Array = this.#pat
  #pmtVersion = -1
  #pcrPid = 0
  #pcrCounter: ContinuityCounter = this.#patCounter
  #tablesDue = true
  #lastTables90k = 0

  /** Throws ConfigurationError where an option is wrong or a track cannot be carried. */
  constructor(tracks: readonly Track[], options: TsStreamOptions = {}) {
    this.#options = resolveTsOptions(options)
    this.#offset90k = this.#options.ptsOffset90k - rescale(this.#options.originUs, 1_000_000, 90_000)
    this.#pcr = new PcrSchedule(this.#options.pcrInterval27m)
    for (const track of tracks) this.#add(track)
    this.#buildMap()
  }

  get stats(): TsMuxerStats {
    return this.#stats
  }

  /** The tracks, in the order of their PIDs from 0x100 on. */
  get tracks(): readonly Track[] {
    return this.#streams.map((stream) => stream.track)
  }

  /** Adds a track that starts late; a PMT of a new version stands before the next sample. */
  addTrack(track: Track): void {
    this.#add(track)
    this.#buildMap()
    this.requestTables()
  }

  /** PAT, PMT and a PCR go before the next sample: a new segment starts there. */
  requestTables(): void {
    this.#tablesDue = true
    this.#pcr.request()
    for (const input of this.#inputs.values()) input.isFirst = true
  }

  /** Writes PAT and PMT at once, as {@link requestTables} does with the next sample. */
  writeTables(emit: Emit<Uint8Array>): void {
    this.requestTables()
    const out = Buffer.allocUnsafe((sectionPackets(this.#pat) + sectionPackets(this.#pmt)) * TS_PACKET_BYTES)
    this.#writeTables(out, 0)
    this.#tablesDue = false
    this.#count(out)
    emit(out)
  }

  push(item: TimedItem, emit: Emit<Uint8Array>): void {
    // Watermarks and ends serve the interleaver: a transport stream simply has no packet where a track is silent.
    if (item.type !== 'sample') return
    const input = this.#inputs.get(item.trackId)
    const cause = input === undefined ? 'unknownTrack' : this.#pushSample(item, input, emit)
    if (cause !== undefined) this.#stats.dropped[cause]++
  }

  /** Nothing is held: there is nothing to do. */
  flush(_emit: Emit<Uint8Array>): void {}

  #pushSample(sample: EncodedSample, input: Input, emit: Emit<Uint8Array>): DropCause | undefined {
    const { stream, layout } = input
    const { configuration } = sample
    if (layout instanceof AccessUnitLayout) {
      if (configuration?.kind === 'video') layout.configure(configuration.parameterSets)
    } else if (configuration?.kind === 'audio') layout.configure(configuration)

    // Each time is rounded from its own tick: sums of rounded durations would drift (1024 samples at 44.1 kHz).
    const pts90k = rescale(sample.pts, stream.timescale, 90_000) + this.#offset90k
    const dts90k = rescale(sample.dts, stream.timescale, 90_000) + this.#offset90k
    if (!Number.isSafeInteger(pts90k) || !Number.isSafeInteger(dts90k)) return 'badTime'
    if (pts90k < dts90k || dts90k <= stream.lastDts90k) return 'badTime'

    const cause =
      layout instanceof AccessUnitLayout
        ? layout.arrange(nalPiecesOf(sample), sample.keyframe)
        : layout.arrange(joined(sample.data))
    if (cause !== undefined) {
      layout.clear()
      return cause
    }
    stream.lastDts90k = dts90k
    this.#write(input, pts90k, dts90k, emit)
    layout.clear()
    return undefined
  }

  #write(input: Input, pts90k: number, dts90k: number, emit: Emit<Uint8Array>): void {
    const { stream, layout } = input
    const isVideo = layout instanceof AccessUnitLayout
    const isPcrPid = stream.pid === this.#pcrPid
    const isVideoAccess = isVideo && layout.isRandomAccess
    const pcr = this.#pcr
    const clock90k = dts90k - this.#options.pcrLead90k
    if (pcr.last27m !== undefined && dts90k * 300 < pcr.last27m) this.#stats.lateSamples++
    pcr.plan(clock90k * 300, isPcrPid, isVideoAccess || input.isFirst)
    const tablesDue =
      this.#tablesDue ||
      (this.#options.tableInterval90k < Number.POSITIVE_INFINITY &&
        ((isVideoAccess && isPcrPid) || dts90k - this.#lastTables90k >= this.#options.tableInterval90k))

    // Any AAC frame is a point to start at: it is said at the first of a segment, and with the PCR of a stream of sound.
    const isRandomAccess = isVideo ? isVideoAccess : input.isFirst || pcr.carries
    input.isFirst = false
    const plan: PesPlan = {
      flags: (pcr.carries ? PCR | (pcr.isDiscontinuity ? DISCONTINUITY : 0) : 0) | (isRandomAccess ? RANDOM_ACCESS : 0),
      pcr27m: pcr.now27m,
      pts90k,
      dts90k,
      pieces: layout.pieces,
      payloadBytes: layout.payloadBytes,
    }
    const packets =
      (tablesDue ? sectionPackets(this.#pat) + sectionPackets(this.#pmt) : 0) +
      pcr.fills +
      (pcr.insertsNow ? 1 : 0) +
      pesPackets(plan)

    // Below 4 kB a slice of Node's pool, which is never given out twice; above it, memory of its own.
    const out = Buffer.allocUnsafe(packets * TS_PACKET_BYTES)
    let at = 0
    for (let i = 0; i < pcr.fills; i++) at = this.#writePcrPacket(out, at, PCR, pcr.firstFill27m + i * pcr.interval27m)
    if (tablesDue) {
      at = this.#writeTables(out, at)
      this.#tablesDue = false
      this.#lastTables90k = dts90k
    }
    if (pcr.insertsNow) {
      at = this.#writePcrPacket(out, at, PCR | (pcr.isDiscontinuity ? DISCONTINUITY : 0), pcr.now27m)
    }
    writePesPackets(out, at, stream, plan)
    this.#stats.samples++
    this.#stats.stuffingBytes += pesStuffingBytes(plan)
    this.#count(out)
    emit(out)
  }

  #writeTables(out: Uint8Array, at: number): number {
    this.#stats.tables++
    const behindPat = writeSection(out, at, PAT_PID, this.#patCounter, this.#pat)
    return writeSection(out, behindPat, PMT_PID, this.#pmtCounter, this.#pmt)
  }

  #writePcrPacket(out: Uint8Array, at: number, flags: number, pcr27m: number): number {
    this.#stats.pcrPackets++
    this.#stats.stuffingBytes += TS_PAYLOAD_BYTES - adaptationFieldBytes(flags)
    writePacketHeader(out, at, this.#pcrPid, this.#pcrCounter, false, ADAPTATION_ONLY)
    writeAdaptationField(out, at + 4, TS_PAYLOAD_BYTES, flags, pcr27m)
    return at + TS_PACKET_BYTES
  }

  #count(out: Uint8Array): void {
    this.#stats.bytes += out.byteLength
    this.#stats.packets += out.byteLength / TS_PACKET_BYTES
  }

  #add(track: Track): void {
    const stream = createElementaryStream(track, this.#streams)
    this.#streams.push(stream)
    const layout = track.kind === 'video' ? new AccessUnitLayout(this.#stats) : new AdtsLayout()
    this.#inputs.set(track.id, { stream, layout, isFirst: true })
  }

  #buildMap(): void {
    const pcrStream = pcrStreamOf(this.#streams)
    if (pcrStream === undefined) throw new ConfigurationError('tracks', 'at least one is needed')
    this.#pcrPid = pcrStream.pid
    this.#pcrCounter = pcrStream
    this.#pmtVersion = (this.#pmtVersion + 1) & 31
    this.#pmt = programMapSection(this.#streams, this.#pcrPid, this.#pmtVersion)
  }
}

function joined(data: readonly Uint8Array[] | Uint8Array): Uint8Array {
  return data instanceof Uint8Array ? data : Buffer.concat(data)
}
