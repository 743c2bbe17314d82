import { addAbortSignal, Transform, type TransformCallback } from 'node:stream'
import { type MonotonicClock, monotonicClock } from './clock.js'
import type { Emit, Stage, TimedStage } from './stage.js'

declare const IN: unique symbol
declare const OUT: unique symbol

/**
 * A Transform that remembers its chunk types. Node's own type has no parameters, and narrowing a method of it would
 * keep it out of `pipeline()`: the types are carried by a phantom brand, for the reader and for generic helpers.
 */
export interface TypedTransform<In, Out> extends Transform {
  readonly [IN]?: (chunk: In) => void
  readonly [OUT]?: () => Out
}

/** How the stream around a stage behaves. */
export interface StageStreamOptions {
  /**
   * Objects held on either side before the writer is asked to wait. @defaultValue 16
   */
  readonly highWaterMark?: number
  /** Destroys the stream, discarding what it holds. To stop in good order end the source instead. */
  readonly signal?: AbortSignal
  /** Drives the deadlines of a timed stage: the clock of the arrival times that come in. @defaultValue the machine's monotonic clock */
  readonly clock?: MonotonicClock
}

class StageTransform<In, Out> extends Transform {
  readonly #stage: Stage<In, Out>
  readonly #timed: TimedStage<In, Out> | undefined
  readonly #clock: MonotonicClock
  readonly #emit: Emit<Out> = (out) => void this.push(out)
  #cancelTimer: (() => void) | undefined
  #armedUs = Number.POSITIVE_INFINITY

  constructor(stage: Stage<In, Out>, options: StageStreamOptions) {
    super({ objectMode: true, highWaterMark: options.highWaterMark ?? 16 })
    this.#stage = stage
    this.#timed = 'tick' in stage ? (stage as TimedStage<In, Out>) : undefined
    this.#clock = options.clock ?? monotonicClock
  }

  // A throw out of _transform would be an uncaught exception and hang the pipeline: every path calls back exactly once.
  override _transform(chunk: In, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.#stage.push(chunk, this.#emit)
      this.#arm()
    } catch (error) {
      callback(error as Error)
      return
    }
    callback()
  }

  override _flush(callback: TransformCallback): void {
    this.#disarm()
    try {
      this.#stage.flush(this.#emit)
    } catch (error) {
      callback(error as Error)
      return
    }
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#disarm()
    callback(error)
  }

  #arm(): void {
    const deadline = this.#timed?.nextDeadline()
    if (deadline === undefined || deadline >= this.#armedUs) return
    this.#disarm()
    this.#armedUs = deadline
    this.#cancelTimer = this.#clock.schedule(deadline, () => {
      this.#disarm()
      try {
        this.#timed?.tick(this.#clock.nowUs(), this.#emit)
        this.#arm()
      } catch (error) {
        this.destroy(error as Error)
      }
    })
  }

  #disarm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#armedUs = Number.POSITIVE_INFINITY
  }
}

/** The thin stream around a stage: back-pressure, errors, abort and deadlines are Node's business from here on. */
export function toStream<In, Out>(stage: Stage<In, Out>, options: StageStreamOptions = {}): TypedTransform<In, Out> {
  const stream = new StageTransform(stage, options)
  if (options.signal !== undefined) addAbortSignal(options.signal, stream)
  return stream
}
