/** Which keyframes are still awaited, and when to ask again: a request, or its answer, may be lost. Sans-IO. */

import type { KeyframeNeeded } from '@rushes/media'

/** At most twice a second: encoders answer each request with a large picture. */
const REPEAT_US = 500_000
/** After so many the sender does not answer; it is asked rarely from then on. */
const PATIENT_AFTER = 10
const PATIENT_REPEAT_US = 5_000_000

interface Awaited {
  readonly request: KeyframeNeeded
  nextUs: number
  asked: number
}

/** The open requests of one recording. */
export class KeyframeRequests {
  readonly #awaited = new Map<string, Awaited>()
  /** When each track was last asked, also where the keyframe has come since. */
  readonly #lastAskedUs = new Map<string, number>()
  readonly #ask: (request: KeyframeNeeded) => void

  constructor(ask: (request: KeyframeNeeded) => void) {
    this.#ask = ask
  }

  /** A keyframe is needed: asked for at once, but not sooner than the rate allows. */
  need(request: KeyframeNeeded, nowUs: number): void {
    if (this.#awaited.has(request.trackId)) return
    const last = this.#lastAskedUs.get(request.trackId) ?? Number.NEGATIVE_INFINITY
    this.#awaited.set(request.trackId, { request, nextUs: Math.max(nowUs, last + REPEAT_US), asked: 0 })
    this.tick(nowUs)
  }

  /** One has come. */
  arrived(trackId: string): void {
    this.#awaited.delete(trackId)
  }

  /** The track has ended. */
  forget(trackId: string): void {
    this.#awaited.delete(trackId)
    this.#lastAskedUs.delete(trackId)
  }

  tick(nowUs: number): void {
    for (const [trackId, awaited] of this.#awaited) {
      if (nowUs < awaited.nextUs) continue
      awaited.asked++
      awaited.nextUs = nowUs + (awaited.asked >= PATIENT_AFTER ? PATIENT_REPEAT_US : REPEAT_US)
      this.#lastAskedUs.set(trackId, nowUs)
      this.#ask(awaited.request)
    }
  }

  nextDeadline(): number | undefined {
    let deadline: number | undefined
    for (const { nextUs } of this.#awaited.values()) deadline = Math.min(deadline ?? nextUs, nextUs)
    return deadline
  }
}
