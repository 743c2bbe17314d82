import type { Report } from '../finding.js'
import type { TransportPacket } from './packet.js'
import type { TransportStreamRule } from './rules.js'

interface LastPacket {
  counter: number
  readonly segment: number
  readonly bytes: Uint8Array
  duplicated: boolean
  hadPayload: boolean
}

/** Follows the continuity counters of all PIDs (ISO/IEC 13818-1 §2.4.3.3). */
export class ContinuityChecker {
  readonly #last = new Map<number, LastPacket>()
  readonly #report: Report<TransportStreamRule>

  constructor(report: Report<TransportStreamRule>) {
    this.#report = report
  }

  /** A declared discontinuity: every counter may start anew. */
  reset(): void {
    this.#last.clear()
  }

  /** Whether the packet is a duplicate, whose payload is to be ignored. */
  add(packet: TransportPacket): boolean {
    if (packet.pid === 0x1fff) return false
    const { continuityCounter: counter, hasPayload, bytes, segment } = packet
    const last = this.#last.get(packet.pid)
    if (last === undefined || packet.discontinuity) {
      this.#last.set(packet.pid, { counter, segment, bytes, duplicated: false, hadPayload: hasPayload })
      return false
    }
    const place = { segment: packet.segment, offset: packet.offset, pid: packet.pid }
    if (!hasPayload) {
      if (counter !== last.counter) {
        this.#report('continuity-counter', `${counter} on a packet without payload, after ${last.counter}`, place)
      }
      last.counter = counter
      last.hadPayload = false
      return false
    }
    const expected = (last.counter + 1) & 15
    // A table that opens the next segment with the counter of the one before is no duplicate: the counter stood still.
    const mayRepeat = counter === last.counter && segment === last.segment && last.hadPayload
    if (mayRepeat && isSameButForPcr(last.bytes, bytes)) {
      if (last.duplicated) this.#report('continuity-counter', `a packet comes a third time, counter ${counter}`, place)
      last.duplicated = true
      return true
    }
    if (counter !== expected) {
      this.#report('continuity-counter', `${counter} after ${last.counter}, expected ${expected}`, place)
    }
    this.#last.set(packet.pid, { counter, segment, bytes, duplicated: false, hadPayload: true })
    return false
  }
}

function isSameButForPcr(a: Uint8Array, b: Uint8Array): boolean {
  const hasPcr = ((a[3] as number) & 0x20) !== 0 && (a[4] as number) >= 7 && ((a[5] as number) & 0x10) !== 0
  for (let i = 0; i < a.byteLength; i++) {
    if (a[i] !== b[i] && !(hasPcr && i >= 6 && i < 12)) return false
  }
  return true
}
