import type { SourceItem, TimedItem, Track } from '@rushes/media'
import {
  Av1Depacketizer,
  H264Depacketizer,
  H265Depacketizer,
  isRtcp,
  OpusDepacketizer,
  parseRtpPacket,
  SampleDepacketizer,
  Timeline,
  Vp8Depacketizer,
  Vp9Depacketizer,
} from '@rushes/rtp-depacketizer'
import { check } from '../fuzz-target.js'
import { DELAYS_US, decodeSequence, type PacketSequence } from '../packet-sequence.js'

/** A depacketizer as the checks need it: all of them have this. */
export type AnyDepacketizer =
  | H264Depacketizer
  | H265Depacketizer
  | Vp8Depacketizer
  | Vp9Depacketizer
  | Av1Depacketizer
  | OpusDepacketizer
  | SampleDepacketizer

/** What the option bits of a sequence stand for. */
const Option = {
  outliveBye: 1,
  smallBounds: 2,
  continueAfterLoss: 4,
  givenPayloadType: 8,
  givenSsrc: 16,
  codecSpecific: 32,
  headerExtensions: 64,
  noArrival: 128,
} as const

/** Packets that wait for a second one of their source. */
const MAX_PROBATION = 32

const HEADER_EXTENSIONS: Readonly<Record<number, string>> = {
  3: 'urn:3gpp:video-orientation',
  13: 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
}

/** Feeds a sequence to the depacketizer of `track`, a timeline behind it, and checks what comes out and what is counted. */
export function runDepacketizer(track: Track, input: Uint8Array): void {
  const sequence = decodeSequence(input)
  const { options } = sequence
  const stage = createStage(withFacts(track, sequence), options)
  const counts = { pushed: 0, delivered: 0 }
  // The way from the reorder buffer into the codec: what passes here is neither held nor dropped.
  const deliver = stage.deliver
  stage.deliver = (packet, lost) => {
    counts.delivered++
    deliver.call(stage, packet, lost)
  }
  const output = new OutputChecker(track.id)
  const timeline = new Timeline({ startedAtUs: 1_790_000_000_000_000 })
  const toTimeline = (item: SourceItem): void => {
    output.item(item)
    timeline.push(item, output.timed)
  }
  const maxHeld = ((options & Option.smallBounds) === 0 ? 2048 : 4) + 16 + MAX_PROBATION
  let nowUs = 1_000_000
  for (const { delay, bytes } of sequence.packets) {
    nowUs += DELAYS_US[delay]!
    if (bytes.byteLength === 0) {
      stage.tick(nowUs, toTimeline)
      timeline.tick(nowUs, output.timed)
      continue
    }
    counts.pushed++
    stage.push((options & Option.noArrival) === 0 ? { data: bytes, arrivalUs: nowUs } : bytes, toTimeline)
    const held = heldBy(stage, counts.delivered)
    check(held >= 0 && held <= maxHeld + stage.stats.foreignPayloadType, 'what is held stays within its bounds')
    const deadlineUs = stage.nextDeadline()
    check(deadlineUs === undefined || Number.isFinite(deadlineUs), 'a deadline is a time')
  }
  stage.flush(toTimeline)
  timeline.flush(output.timed)
  checkCounts(stage, counts)
  output.end()
}

function createStage(track: Track, options: number): AnyDepacketizer {
  const common = {
    endOnBye: (options & Option.outliveBye) === 0,
    ...((options & Option.smallBounds) === 0 ? {} : { maxPackets: 4, maxBytes: 65_536, startPackets: 2 }),
  }
  if (track.kind === 'audio') {
    return track.codec === 'opus' ? new OpusDepacketizer(track, common) : new SampleDepacketizer(track, common)
  }
  const isSpecific = (options & Option.codecSpecific) !== 0
  const video = { ...common, afterLoss: (options & Option.continueAfterLoss) === 0 ? 'freeze' : 'continue' } as const
  if (track.codec === 'h264') return new H264Depacketizer(track, { ...video, acceptRecoveryPoint: isSpecific })
  if (track.codec === 'h265') return new H265Depacketizer(track, { ...video, acceptRecoveryPoint: isSpecific })
  if (track.codec === 'vp8') return new Vp8Depacketizer(track, video)
  if (track.codec === 'vp9')
    return new Vp9Depacketizer(track, { ...video, ...(isSpecific ? { maxSpatialLayer: 0 } : {}) })
  return new Av1Depacketizer(track, video)
}

/** The track as SDP would describe it, where the options say so: by its first packet. */
function withFacts(track: Track, { options, packets }: PacketSequence): Track {
  const facts: { ssrc?: number; payloadType?: number; headerExtensions?: Readonly<Record<number, string>> } = {}
  const first = packets.find(({ bytes }) => !isRtcp(bytes) && typeof parseRtpPacket(bytes) !== 'string')
  const packet = first === undefined ? 'none' : parseRtpPacket(first.bytes)
  if (typeof packet !== 'string') {
    if ((options & Option.givenSsrc) !== 0) facts.ssrc = packet.ssrc
    // G.711 and G.722 have payload types of their own: without one everything would be foreign.
    const isSample = track.kind === 'audio' && track.codec !== 'opus'
    if ((options & Option.givenPayloadType) !== 0 || isSample) facts.payloadType = packet.payloadType
  }
  if ((options & Option.headerExtensions) !== 0) facts.headerExtensions = HEADER_EXTENSIONS
  return { ...track, ...facts }
}

/** Packets neither delivered nor counted as something else: they are held. */
function heldBy({ stats }: AnyDepacketizer, delivered: number): number {
  const { malformed } = stats
  const damaged = ['too-short', 'bad-version', 'truncated-header', 'bad-padding'] as const
  let gone = delivered + stats.duplicates + stats.late + stats.strays + stats.foreignSsrc
  for (const cause of damaged) gone += malformed[cause] ?? 0
  // Those of another type and another source are counted for their type only.
  return stats.packets - gone
}

function checkCounts(stage: AnyDepacketizer, counts: { readonly pushed: number; readonly delivered: number }): void {
  const { stats } = stage
  check(stats.packets + stats.rtcpPackets + stats.afterEnd === counts.pushed, 'everything pushed is counted')
  const left = heldBy(stage, counts.delivered)
  check(left >= 0 && left <= stats.foreignPayloadType, 'every packet is delivered or counted by cause')
}

/** The rules of what leaves a depacketizer and a timeline. */
class OutputChecker {
  readonly #trackId: string
  #epoch = 0
  #units = 0
  #ended = 0
  #lastDts = Number.NEGATIVE_INFINITY

  constructor(trackId: string) {
    this.#trackId = trackId
  }

  item(item: SourceItem): void {
    check(item.trackId === this.#trackId, 'items are of their track')
    check(this.#ended === 0, 'nothing follows the end of a track')
    if (item.type === 'track-end') {
      this.#ended++
      return
    }
    check(item.epoch >= this.#epoch, 'epochs do not go back')
    check(Number.isSafeInteger(item.rtpTimestamp), 'RTP times are safe integers')
    this.#epoch = item.epoch
    if (item.type === 'sender-report') {
      check(Number.isSafeInteger(item.ntpUs), 'NTP times are safe integers')
      return
    }
    check(this.#units > 0 || item.configuration !== undefined, 'the first unit has a configuration')
    this.#units++
    check(item.lossBefore || item.lostPackets === undefined, 'what is lost is told')
    check((item.lostPackets ?? 1) > 0, 'no loss of nothing is told')
    if (item.type === 'audio-frame') {
      check(item.data.byteLength > 0 && item.duration > 0, 'frames have bytes and a length')
      return
    }
    check(this.#units > 1 || item.keyframe, 'a video begins with a keyframe')
    check(item.nalUnits.length > 0, 'an access unit has units')
    for (const unit of item.nalUnits) check(unit.byteLength > 0, 'no unit is empty')
    const { configuration } = item
    if (configuration === undefined) return
    const { width, height, reorderDepth } = configuration
    check(width > 0 && width <= 65_536 && height > 0 && height <= 65_536, 'pictures have a size')
    check(Number.isInteger(width) && Number.isInteger(height), 'sizes are integers')
    check(reorderDepth >= 0 && reorderDepth <= 16, 'at most 16 pictures are reordered')
  }

  readonly timed = (item: TimedItem): void => {
    if (item.type === 'track-end') return
    check(Number.isSafeInteger(item.dts), 'decoding times are safe integers')
    // A stall of the network brings samples behind a promise: stages count these as late.
    if (item.type === 'watermark') return
    check(Number.isSafeInteger(item.pts), 'presentation times are safe integers')
    check(item.dts > this.#lastDts, 'decoding times rise')
    check(item.dts <= item.pts, 'decoding is never after presentation')
    this.#lastDts = item.dts
  }

  end(): void {
    check(this.#ended === 1, 'a track ends once')
  }
}
