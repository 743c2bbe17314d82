/**
 * The life of one recording, without clock or IO:
 * `waiting -> recording <-> paused | interrupted -> processing -> ready | failed`.
 */

/** Where a recording stands. */
export type RecordingState =
  /** No media has come yet. */
  | 'waiting'
  | 'recording'
  /** By the host; nothing is journalled. */
  | 'paused'
  /** Nothing has come for a while, from anybody. It goes on with the next packet. */
  | 'interrupted'
  /** Stopped; the outputs are being finished. */
  | 'processing'
  | 'ready'
  | 'failed'

/** Why a recording stopped. */
export type StopReason =
  /** The host said so. */
  | 'requested'
  /** Nobody was in the room for `idleMs`. */
  | 'idle'
  /** No media came for `noMediaMs` after the start. */
  | 'no-media'
  /** Nothing came for `silenceMs`, although somebody is in the room. */
  | 'silence'
  | 'max-duration'
  | 'max-bytes'
  /** The recorder was closed. */
  | 'shutdown'
  /** The process ended without a word; found at the next start. */
  | 'crash'

/** When a recording stops by itself. Milliseconds; `Infinity` turns a limit off. */
export interface LifecycleLimits {
  /** Nobody in the room for so long. @defaultValue 30,000 */
  readonly idleMs?: number
  /** No media so long after the start. @defaultValue 300,000 */
  readonly noMediaMs?: number
  /** Nothing from anybody for so long, once it is recording: the host has forgotten it. @defaultValue 3,600,000 */
  readonly silenceMs?: number
  /** Length of the recording, pauses included. @defaultValue 86,400,000 */
  readonly maxDurationMs?: number
  /** Bytes of its journal. @defaultValue Infinity */
  readonly maxBytes?: number
}

/** What a lifecycle says. */
export type LifecycleChange =
  | { readonly type: 'state'; readonly state: RecordingState; readonly previous: RecordingState }
  | { readonly type: 'stop'; readonly reason: StopReason }

/** Nothing from anybody for so long is an interruption. Between keyframes and in DTX somebody still sends something. */
const INTERRUPTED_US = 3_000_000

const us = (ms: number): number => ms * 1000

/** Sans-IO. Times are monotonic microseconds of the caller's clock. */
export class Lifecycle {
  readonly #limits: Required<LifecycleLimits>
  readonly #emit: (change: LifecycleChange) => void
  readonly #startedUs: number
  readonly #present = new Set<string>()
  #state: RecordingState = 'waiting'
  #emptySinceUs: number | undefined
  #lastMediaUs: number
  #anyMedia = false
  #stopped = false

  constructor(limits: LifecycleLimits, nowUs: number, emit: (change: LifecycleChange) => void) {
    this.#limits = {
      idleMs: limits.idleMs ?? 30_000,
      noMediaMs: limits.noMediaMs ?? 300_000,
      silenceMs: limits.silenceMs ?? 3_600_000,
      maxDurationMs: limits.maxDurationMs ?? 86_400_000,
      maxBytes: limits.maxBytes ?? Number.POSITIVE_INFINITY,
    }
    this.#startedUs = nowUs
    this.#lastMediaUs = nowUs
    this.#emit = emit
  }

  get state(): RecordingState {
    return this.#state
  }

  /** Whether any media has come. */
  get hasMedia(): boolean {
    return this.#anyMedia
  }

  /** A packet with media has come. */
  media(nowUs: number): void {
    if (nowUs > this.#lastMediaUs) this.#lastMediaUs = nowUs
    if (this.#state === 'recording' || this.#stopped) return
    this.#anyMedia = true
    if (this.#state !== 'paused') this.#become('recording')
  }

  /** Somebody is in the room, by name or by a track. */
  join(participantId: string): void {
    this.#present.add(participantId)
    this.#emptySinceUs = undefined
  }

  leave(participantId: string, nowUs: number): void {
    if (this.#present.delete(participantId) && this.#present.size === 0) this.#emptySinceUs = nowUs
  }

  /** `false` when it is paused already or has stopped. */
  pause(): boolean {
    if (this.#stopped || this.#state === 'paused') return false
    this.#become('paused')
    return true
  }

  resume(nowUs: number): boolean {
    if (this.#state !== 'paused') return false
    this.#lastMediaUs = nowUs
    this.#become(this.#anyMedia ? 'recording' : 'waiting')
    return true
  }

  /** The journal has grown to `bytes`. */
  grown(bytes: number): void {
    if (bytes >= this.#limits.maxBytes) this.stop('max-bytes')
  }

  tick(nowUs: number): void {
    if (this.#stopped) return
    const { idleMs, noMediaMs, silenceMs, maxDurationMs } = this.#limits
    if (nowUs - this.#startedUs >= us(maxDurationMs)) this.stop('max-duration')
    else if (this.#emptySinceUs !== undefined && nowUs - this.#emptySinceUs >= us(idleMs)) this.stop('idle')
    else if (this.#state === 'waiting' && nowUs - this.#startedUs >= us(noMediaMs)) this.stop('no-media')
    else if (this.#state === 'interrupted' && nowUs - this.#lastMediaUs >= us(silenceMs)) this.stop('silence')
    else if (this.#state === 'recording' && nowUs - this.#lastMediaUs >= INTERRUPTED_US) this.#become('interrupted')
  }

  /** When `tick` has something to do, if nothing comes meanwhile. */
  nextDeadline(): number | undefined {
    if (this.#stopped) return undefined
    const { idleMs, noMediaMs, silenceMs, maxDurationMs } = this.#limits
    let deadline = this.#startedUs + us(maxDurationMs)
    if (this.#emptySinceUs !== undefined) deadline = Math.min(deadline, this.#emptySinceUs + us(idleMs))
    if (this.#state === 'waiting') deadline = Math.min(deadline, this.#startedUs + us(noMediaMs))
    if (this.#state === 'recording') deadline = Math.min(deadline, this.#lastMediaUs + INTERRUPTED_US)
    if (this.#state === 'interrupted') deadline = Math.min(deadline, this.#lastMediaUs + us(silenceMs))
    return Number.isFinite(deadline) ? deadline : undefined
  }

  /** Only the first reason counts. */
  stop(reason: StopReason): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#become('processing')
    this.#emit({ type: 'stop', reason })
  }

  /** The outputs are finished, or cannot be. */
  finished(outcome: 'ready' | 'failed'): void {
    if (this.#state === 'processing') this.#become(outcome)
  }

  #become(state: RecordingState): void {
    const previous = this.#state
    if (state === previous) return
    this.#state = state
    this.#emit({ type: 'state', state, previous })
  }
}
