import { RtpTimestampUnwrapper, unwrapSequenceNumber } from '@rushes/rtp-depacketizer'

/** A packet of a layer that waits for a switch. */
export interface HeldPacket {
  readonly bytes: Uint8Array
  readonly extended: number
  readonly rtpTimestamp: number
  readonly arrivalUs: number
}

/** RTP time and wall time of one instant, by the sender. */
export interface LayerClock {
  readonly ntpUs: number
  /** Extended. */
  readonly rtpTimestamp: number
}

/**
 * Packets kept of a layer that is to be switched to: a keyframe of 1080p has about 200, and what comes while a lost one of
 * its first packets is waited for.
 */
const MAX_HELD = 512
/** Sequence numbers remembered, a power of two. */
const SEEN = 1024
/** Time over which the bitrate is measured. */
const RATE_WINDOW_US = 1_000_000

/** What is known of one encoding of a track. */
export class SimulcastLayer {
  readonly id: string
  /** Place in the description. */
  readonly rank: number
  readonly timestamps: RtpTimestampUnwrapper = new RtpTimestampUnwrapper()
  ssrc = 0
  /** Pixels of a picture, 0 while not known. */
  area: number
  bitrateBps = 0
  firstUs: number = Number.NaN
  lastArrivalUs: number = Number.NEGATIVE_INFINITY
  /** Extended sequence number, -1 before the first packet. */
  highest = -1
  highestMarker = false
  clock: LayerClock | undefined
  held: HeldPacket[] = []
  /** Timestamp of the newest keyframe among the held packets. */
  keyframeTimestamp: number | undefined
  keyframeUs = 0
  readonly #seen = new Float64Array(SEEN).fill(-1)
  #windowUs = Number.NaN
  #windowBytes = 0

  constructor(id: string, rank: number, area: number) {
    this.id = id
    this.rank = rank
    this.area = area
  }

  /** Notes a packet; returns its extended sequence number. */
  note(sequenceNumber: number, marker: boolean, bytes: number, arrivalUs: number): number {
    const extended = this.highest < 0 ? sequenceNumber + 0x1_0000 : unwrapSequenceNumber(sequenceNumber, this.highest)
    if (extended > this.highest) {
      this.highest = extended
      this.highestMarker = marker
    }
    this.#seen[extended & (SEEN - 1)] = extended
    if (!(arrivalUs - this.lastArrivalUs < RATE_WINDOW_US)) this.firstUs = arrivalUs
    this.lastArrivalUs = arrivalUs
    this.#measure(bytes, arrivalUs)
    return extended
  }

  /** Whether a packet has come. */
  has(extended: number): boolean {
    return this.#seen[extended & (SEEN - 1)] === extended
  }

  /** Keeps a packet, the oldest gives way. */
  hold(packet: HeldPacket): void {
    this.held.push(packet)
    if (this.held.length > MAX_HELD) this.held.shift()
  }

  /** Forgets what is held and what has come: the layer restarts or is no longer wanted. */
  release(): void {
    this.held = []
    this.keyframeTimestamp = undefined
  }

  /** The layer has a new source. */
  restart(ssrc: number): void {
    this.release()
    this.ssrc = ssrc
    this.highest = -1
    this.clock = undefined
    this.timestamps.reset()
    this.#seen.fill(-1)
  }

  #measure(bytes: number, arrivalUs: number): void {
    if (Number.isNaN(this.#windowUs)) this.#windowUs = arrivalUs
    const elapsedUs = arrivalUs - this.#windowUs
    this.#windowBytes += bytes
    if (elapsedUs < RATE_WINDOW_US) return
    const rate = (this.#windowBytes * 8_000_000) / elapsedUs
    this.bitrateBps = this.bitrateBps === 0 ? rate : (this.bitrateBps + rate) / 2
    this.#windowUs = arrivalUs
    this.#windowBytes = 0
  }
}
