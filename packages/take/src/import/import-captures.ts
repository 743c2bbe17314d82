import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import { createTakeWriter } from '../create-take-writer.js'
import { TakeError } from '../errors.js'
import { isRtcpPacket, packetFault } from '../rtpdump.js'
import { EVENTS_FILE, SESSION_FILE } from '../session.js'
import type { TakeWriter, TakeWriterOptions } from '../take-writer.js'
import { CaptureFile, type CaptureSource } from './capture-file.js'
import type { CaptureStats } from './capture-stats.js'
import { datagramOf } from './datagram.js'
import { guessFormat } from './guess-format.js'
import { ImportPlan, type PlannedTrack } from './import-plan.js'
import type { ImportReport, LeftCause, SkippedStream } from './import-report.js'
import { MjrArrival, participantOfMjr, surveyMjr } from './mjr-import.js'
import { janusFormat, type KnownFormat, knownFormat, type PayloadFormat, staticFormat } from './payload-format.js'
import { rtcpSendersOf } from './rtcp-senders.js'
import { RtpStreamFinder, rtpPayloadOf } from './rtp-streams.js'
import { StreamTracks } from './stream-tracks.js'

/** What is imported, and how it is understood. */
export interface ImportCapturesOptions {
  /** pcap, pcapng and mjr files, in any mixture: they become one take, each packet at the time of its capture. */
  readonly inputs: readonly CaptureSource[]
  /** The folder of the new take. */
  readonly dir: string
  /**
   * What payload types of pcap files stand for, as SDP said it: `{ 96: 'video/H264', 111: 'audio/opus' }`.
   * @defaultValue 0, 8 and 9 are static; Opus, H264 and VP8 are recognised by their packets
   */
  readonly payloadTypes?: Readonly<Record<number, PayloadFormat | string>>
  /**
   * The participant of a stream.
   * @defaultValue pcap: the CNAME of its RTCP, else the sender's IP address; mjr: the file's name without `-audio`, `-video`
   */
  readonly participantOf?: (stream: ImportStream) => string | undefined
  /** Packets that a stream must have; fewer that look like RTP are taken for something else. @defaultValue 10 */
  readonly minPackets?: number
  /** Wall time of recordings that do not tell theirs (the oldest mjr), ISO 8601. @defaultValue that of the others */
  readonly startedAt?: string
  readonly name?: string
  readonly recordingId?: string
  readonly roomId?: string
  /** Told of progress, after each 256 KiB: everything is read twice. */
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void
  /** Ends the import by throwing its reason; the take is removed. */
  readonly signal?: AbortSignal
  /** How the take is written. */
  readonly writer?: Pick<TakeWriterOptions, 'sync' | 'budget'>
}

/** A stream of a capture, for those who know whose it is. */
export interface ImportStream {
  /** mjr: name of the file. */
  readonly input?: string
  readonly ssrc: number
  readonly payloadType: number
  readonly kind: 'audio' | 'video'
  /** pcap: `address:port`. */
  readonly source?: string
  readonly destination?: string
  readonly cname?: string
}

/**
 * Makes a take of captures. Two readings: the first finds the streams, the second writes them.
 * @throws ConfigurationError; TakeError `TAKE_BAD_CAPTURE` when there is nothing to import, `TAKE_READ_FAILED`, and those of `createTakeWriter`
 */
export async function importCaptures(options: ImportCapturesOptions): Promise<ImportReport> {
  if (options.inputs.length === 0) throw new ConfigurationError('inputs', 'must name at least one capture')
  const { minPackets } = options
  if (minPackets !== undefined && !(minPackets >= 2)) {
    throw new ConfigurationError('minPackets', 'must be at least 2', minPackets)
  }
  if (options.startedAt !== undefined && Number.isNaN(Date.parse(options.startedAt))) {
    throw new ConfigurationError('startedAt', 'must be an ISO 8601 date and time', options.startedAt)
  }
  return await new CaptureImport(options).run()
}

interface Input {
  readonly file: CaptureFile
  readonly left: Partial<Record<LeftCause, number>>
  stats: CaptureStats
  /** mjr: its track. */
  track?: PlannedTrack
}

class CaptureImport {
  readonly #options: ImportCapturesOptions
  readonly #formats = new Map<number, KnownFormat>()
  readonly #finder = new RtpStreamFinder()
  readonly #plan = new ImportPlan()
  readonly #streams = new StreamTracks()
  readonly #skipped: SkippedStream[] = []
  #inputs: readonly Input[] = []
  #doneBytes = 0
  #totalBytes = 0

  constructor(options: ImportCapturesOptions) {
    this.#options = options
    for (const [payloadType, format] of Object.entries(options.payloadTypes ?? {})) {
      const field = `payloadTypes[${payloadType}]`
      if (!(Number(payloadType) >= 0 && Number(payloadType) <= 127)) {
        throw new ConfigurationError(field, 'must be a payload type, 0 to 127', payloadType)
      }
      this.#formats.set(Number(payloadType), knownFormat(format, field))
    }
  }

  async run(): Promise<ImportReport> {
    const stats = { bytes: 0, frames: 0, cutBytes: 0 }
    const files = await Promise.all(this.#options.inputs.map((source) => CaptureFile.open(source)))
    // The parts of one call in their order, however they were given.
    files.sort((one, other) => one.firstUs - other.firstUs)
    this.#inputs = files.map((file) => ({ file, left: {}, stats }))
    for (const { bytes } of files) this.#totalBytes += 2 * bytes
    for (const input of this.#inputs) {
      await (input.file.format === 'mjr' ? this.#surveyMjr(input) : this.#surveyPcap(input))
    }
    this.#planStreams()
    if (this.#plan.tracks.length === 0) {
      throw new TakeError('TAKE_BAD_CAPTURE', `there is nothing to import: ${this.#reasons()}`)
    }
    const { startedAt } = this.#options
    return await this.#write(this.#plan.settleStart(startedAt === undefined ? undefined : Date.parse(startedAt) * 1000))
  }

  readonly #onBytes = (bytes: number): void => {
    this.#options.signal?.throwIfAborted()
    this.#doneBytes += bytes
    this.#options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes: this.#totalBytes })
  }

  async #surveyPcap(input: Input): Promise<void> {
    input.stats = await input.file.frames((frame) => {
      const datagram = datagramOf(frame)
      const cause = typeof datagram === 'string' ? datagram : this.#finder.push(datagram, frame.timestampUs)
      if (cause !== undefined) leave(input, cause)
      return undefined
    }, this.#onBytes)
  }

  async #surveyMjr(input: Input): Promise<void> {
    const { info, stats, found } = await surveyMjr(input.file, this.#onBytes)
    const origin = input.file.name
    input.stats = stats
    if (info === undefined) return
    const format = found && janusFormat(info.codec, found.payloadType)
    if (found === undefined || format === undefined || info.endToEndEncrypted) {
      const cause = info.kind === 'data' ? 'data-channel' : info.endToEndEncrypted ? 'encrypted' : 'unknown-codec'
      if (stats.frames > 0) leave(input, cause, stats.frames)
      if (stats.frames > 0 || info.kind === 'data') this.#skipped.push({ origin, packets: stats.frames, cause })
      return
    }
    const { ssrc, payloadType, firstUs } = found
    const { headerExtensions, fmtp } = info
    const known = { input: origin, ssrc, payloadType, kind: format.kind }
    input.track = this.#plan.add(this.#options.participantOf?.(known) ?? participantOfMjr(origin), {
      format: { ...format, ...(fmtp === undefined ? {} : { fmtp }) },
      guessed: false,
      origin,
      ssrc,
      payloadType,
      ...(headerExtensions === undefined ? {} : { headerExtensions }),
      firstUs: firstUs ?? Number.NaN,
    })
  }

  #planStreams(): void {
    for (const stream of this.#finder.streams(this.#options.minPackets ?? 10)) {
      const { ssrc, payloadType, packets, cname, source, destination, firstUs } = stream
      const origin = `${source} > ${destination}`
      const said = this.#formats.get(payloadType) ?? staticFormat(payloadType)
      const format = said ?? guessFormat(stream.samples)
      if (stream.encrypted || format === undefined) {
        const cause = stream.encrypted ? 'encrypted' : 'unknown-codec'
        this.#streams.skip(stream, cause)
        this.#skipped.push({ origin, ssrc, payloadType, packets, cause })
        continue
      }
      const named = cname === undefined ? {} : { cname }
      const known = { ssrc, payloadType, kind: format.kind, source, destination, ...named }
      const participant = this.#options.participantOf?.(known) ?? cname ?? stream.sourceHost
      const guessed = said === undefined
      this.#streams.add(stream, this.#plan.add(participant, { format, guessed, origin, ssrc, payloadType, firstUs }))
    }
  }

  async #write(startUs: number): Promise<ImportReport> {
    const { dir, name, recordingId, roomId, writer: how = {} } = this.#options
    const facts = Object.entries({ name, recordingId, roomId }).filter(([, value]) => value !== undefined)
    const participants = this.#plan.participants(startUs)
    const startedAt = new Date(startUs / 1000).toISOString()
    const session = { ...Object.fromEntries(facts), startedAt, participants }
    const writer = await createTakeWriter(dir, session, { maxDelayMs: 1000, ...how })
    try {
      for (const input of this.#inputs) {
        this.#options.signal?.throwIfAborted()
        if (input.file.format === 'mjr') await this.#copyMjr(input, startUs, writer)
        else await this.#copyPcap(input, startUs, writer)
      }
      const finished = await writer.finish()
      return { dir, session: finished, ...this.#reports(), skipped: this.#skipped, refused: writer.stats.refused }
    } catch (error) {
      await writer.abort()
      // Half an import must not be taken for a recording that a crash cut short. Nothing else in the folder is touched.
      const files = participants.flatMap((participant) => participant.tracks.map(({ file }) => file))
      for (const file of [SESSION_FILE, EVENTS_FILE, ...files]) await rm(join(dir, file), { force: true })
      throw error
    }
  }

  async #copyPcap(input: Input, startUs: number, writer: TakeWriter): Promise<void> {
    await input.file.frames((frame) => {
      const datagram = datagramOf(frame)
      if (typeof datagram === 'string' || packetFault(datagram.payload) !== undefined) return undefined
      const { payload } = datagram
      const arrivalUs = frame.timestampUs - startUs
      if (!isRtcpPacket(payload)) {
        if (rtpPayloadOf(payload) === undefined) return undefined
        const track = this.#streams.ofRtp(datagram)
        if (typeof track !== 'string') return put(writer, track, payload, arrivalUs)
        leave(input, track)
        return undefined
      }
      const tracks = this.#streams.ofRtcp(datagram)
      if (tracks.length === 0 && rtcpSendersOf(payload) !== undefined) leave(input, 'rtcp-without-stream')
      let waiting: Promise<void> | undefined
      for (const track of tracks) waiting = put(writer, track, payload, arrivalUs) ?? waiting
      return waiting
    }, this.#onBytes)
  }

  async #copyMjr({ file, track }: Input, startUs: number, writer: TakeWriter): Promise<void> {
    if (track === undefined) {
      this.#onBytes(file.bytes)
      return
    }
    const arrival = new MjrArrival(track.format.clockRate)
    const firstUs = track.firstUs - startUs
    await file.records(
      (record) => put(writer, track, record.data, firstUs + arrival.afterFirstUs(record)),
      this.#onBytes,
    )
  }

  #reports(): Pick<ImportReport, 'inputs' | 'tracks'> {
    const inputs = this.#inputs.map(({ file, stats, left }) => ({
      name: file.name,
      format: file.format,
      ...stats,
      left,
    }))
    const tracks = this.#plan.tracks.map((track) => {
      const { trackId, participantId, format, guessed, origin, rtpPackets, rtcpPackets } = track
      return { trackId, participantId, mimeType: format.mimeType, guessed, origin, rtpPackets, rtcpPackets }
    })
    return { inputs, tracks }
  }

  #reasons(): string {
    const reasons = this.#skipped.map(({ origin, cause, payloadType }) => {
      return `${origin}${payloadType === undefined ? '' : ` (payload type ${payloadType})`}: ${cause}`
    })
    for (const { file, left, stats } of this.#inputs) {
      const causes = Object.entries(left).map(([cause, count]) => `${count} ${cause}`)
      if (stats.cutCause !== undefined) causes.push(stats.cutCause)
      reasons.push([`${file.name}: ${stats.frames} frames`, ...causes].join(', '))
    }
    return reasons.join('; ')
  }
}

function leave(input: Input, cause: LeftCause, count = 1): void {
  input.left[cause] = (input.left[cause] ?? 0) + count
}

/** Waits only where the disk does not keep up: no promise for a packet. */
function put(
  writer: TakeWriter,
  track: PlannedTrack,
  packet: Uint8Array,
  arrivalUs: number,
): Promise<void> | undefined {
  if (isRtcpPacket(packet)) track.rtcpPackets += 1
  else track.rtpPackets += 1
  return writer.write(track.trackId, packet, Math.max(0, arrivalUs)) ? undefined : writer.drain()
}
