/** Takes one output. Synchronous; what it is given belongs to it: a stage neither keeps nor changes it. */
export type Emit<Out> = (out: Out) => void

/**
 * A sans-IO core: no timer, socket, clock or file inside, so that it is deterministic.
 * One input, its whole output, then the next.
 */
export interface Stage<In, Out> {
  push(input: In, emit: Emit<Out>): void
  /** The input has ended: emits what is held. Nothing is pushed afterwards. */
  flush(emit: Emit<Out>): void
  /** Counters since the start. */
  readonly stats: object
}

/** A stage that also acts because time passes. All times are monotonic microseconds from the caller's clock. */
export interface TimedStage<In, Out> extends Stage<In, Out> {
  tick(nowUs: number, emit: Emit<Out>): void
  /** When `tick` has something to do next, or `undefined` while it has not. */
  nextDeadline(): number | undefined
}

/** What a stage asks of the outside. */
export interface KeyframeNeeded {
  readonly type: 'keyframe-needed'
  readonly trackId: string
  readonly reason: 'start' | 'loss' | 'boundary-overdue'
}

/** Any request of a stage to the outside; hosts answer a `keyframe-needed` with RTCP PLI. */
export type Signal = KeyframeNeeded
