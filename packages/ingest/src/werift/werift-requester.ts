import type { MonotonicClock } from '@rushes/media'
import { NackGenerator, type NackOptions } from '../repair/nack-generator.js'
import { serializeRtcp } from '../rtcp/rtcp-writer.js'
import type { WeriftRtcpPacket } from './werift-shapes.js'

/** What sends RTCP of ours through the connection of werift. */
export interface WeriftSender {
  sendRtcp(packets: (WeriftRtcpPacket & { serialize(): Buffer })[]): Promise<unknown>
}

const TRANSPORT_FEEDBACK = 205

/**
 * Asks for lost packets through werift's connection, longer than werift itself: that gives up a packet after a few tries
 * in a fixed step, and then asks for a keyframe. What comes twice is of no harm to a depacketizer.
 */
export class WeriftRequester {
  readonly #sender: WeriftSender
  readonly #senderSsrc: number
  readonly #options: NackOptions
  readonly #clock: MonotonicClock
  readonly #generators = new Map<number, NackGenerator>()
  #armedUs = Number.POSITIVE_INFINITY
  #cancelTimer: (() => void) | undefined
  #repaired = 0

  constructor(sender: WeriftSender, senderSsrc: number, options: NackOptions, clock: MonotonicClock) {
    this.#sender = sender
    this.#senderSsrc = senderSsrc
    this.#options = options
    this.#clock = clock
  }

  /** Packets that came after having been asked for, here or by werift. */
  get repaired(): number {
    let repaired = this.#repaired
    for (const { stats } of this.#generators.values()) repaired += stats.repaired
    return repaired
  }

  received(ssrc: number, sequenceNumber: number, nowUs: number): void {
    let generator = this.#generators.get(ssrc)
    if (generator === undefined) {
      generator = new NackGenerator(this.#options)
      this.#generators.set(ssrc, generator)
    }
    generator.received(sequenceNumber, nowUs)
    this.#arm(generator.nextDeadline())
  }

  /** The source is not one of the track's any more. */
  forget(ssrc: number): void {
    this.#repaired += this.#generators.get(ssrc)?.stats.repaired ?? 0
    this.#generators.delete(ssrc)
  }

  close(): void {
    this.#cancelTimer?.()
  }

  #arm(deadlineUs: number | undefined): void {
    if (deadlineUs === undefined || deadlineUs >= this.#armedUs) return
    this.#cancelTimer?.()
    this.#armedUs = deadlineUs
    this.#cancelTimer = this.#clock.schedule(deadlineUs, () => {
      this.#armedUs = Number.POSITIVE_INFINITY
      this.#request(this.#clock.nowUs())
    })
  }

  #request(nowUs: number): void {
    for (const [mediaSsrc, generator] of this.#generators) {
      const sequenceNumbers = generator.due(nowUs)
      if (sequenceNumbers.length > 0) this.#send(mediaSsrc, sequenceNumbers)
      this.#arm(generator.nextDeadline())
    }
  }

  #send(mediaSsrc: number, sequenceNumbers: readonly number[]): void {
    const bytes = serializeRtcp([{ type: 'nack', senderSsrc: this.#senderSsrc, mediaSsrc, sequenceNumbers }])
    const packet = {
      type: TRANSPORT_FEEDBACK,
      serialize: () => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
    }
    // A connection that is just being closed refuses: then there is nobody to ask.
    void this.#sender.sendRtcp([packet]).catch(() => {})
  }
}
