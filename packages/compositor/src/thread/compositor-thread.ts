import type { Worker } from 'node:worker_threads'
import { type ConcealedGap, startThread } from '@rushes/codecs'
import type { AudioTrack, Emit, TimedItem, Track, VideoTrack } from '@rushes/media'
import type { ComposeLimits, CompositorOptions } from '../compositor.js'
import type { CompositorReport } from '../compositor-report.js'
import { CompositorError, type CompositorErrorCode } from '../errors.js'
import type { SceneEvent } from '../scene/scene-event.js'
import type { CompositeObject } from '../stills/composite-object.js'
import type { TakenThumbnail } from '../stills/kept-stills.js'
import { type Command, type FromThread, SIGNALS, type ThreadData, type ToThread } from './messages.js'
import { packItems, unpackItems } from './packed-items.js'

/** Coded media that may be on its way to the thread, before whoever gives it has to wait: some seconds of a large call. */
const MAX_WAITING_BYTES = 16_777_216
/** The same in messages: the thread is never idle, and what is composed does not pile up. */
const MAX_WAITING_MESSAGES = 64

/** How a thread is run. */
export interface CompositorThreadOptions extends CompositorOptions {
  /** Takes what is composed, in order. */
  readonly emit: Emit<TimedItem>
  /** Quality is given up rather than fall behind the call. @defaultValue false */
  readonly keepUp?: boolean
}

/** A `Compositor` in a thread of its own: composing never stops the event loop. What is done to it takes effect in order. */
export class CompositorThread {
  readonly tracks: readonly (VideoTrack | AudioTrack)[]
  readonly #worker: Worker
  readonly #emit: Emit<TimedItem>
  readonly #onConcealed: ((gap: ConcealedGap) => void) | undefined
  readonly #onObject: ((object: CompositeObject) => void) | undefined
  readonly #onThumbnail: ((taken: TakenThumbnail) => void) | undefined
  readonly #signals: Float64Array
  #commands: Command[] = []
  #items: TimedItem[] = []
  /** Bytes of each message without an answer. */
  readonly #waiting: number[] = []
  #waitingBytes = 0
  #waiters: (() => void)[] = []
  #report: CompositorReport = { frames: 0, composedUs: 0, loadChanges: [], layouts: [], chapters: [], thumbnails: [] }
  #failure: CompositorError | undefined
  #isFinished = false

  /** Rejects with errors of the codecs, `COMPOSITOR_CANVAS_MISSING` or `COMPOSITOR_IMAGE_UNREADABLE`. */
  static async create({
    emit,
    onConcealed,
    onObject,
    onThumbnail,
    keepUp = false,
    ...options
  }: CompositorThreadOptions): Promise<CompositorThread> {
    const signals = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * Object.keys(SIGNALS).length)
    const data: ThreadData = { options, signals, keepUp, tellThumbnails: onThumbnail !== undefined }
    const worker = startThread({
      from: import.meta.url,
      module: './compositor-worker',
      name: 'rushes-compositor',
      data,
    })
    const tracks = await new Promise<readonly (VideoTrack | AudioTrack)[]>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('message', (message: FromThread) => {
        worker.off('error', reject)
        if (message.type === 'ready') resolve(message.tracks)
        else reject(message.type === 'failed' ? errorOf(message) : new Error(message.type))
      })
    })
    return new CompositorThread(
      worker,
      tracks,
      {
        emit,
        ...(onConcealed === undefined ? {} : { onConcealed }),
        ...(onObject === undefined ? {} : { onObject }),
        ...(onThumbnail === undefined ? {} : { onThumbnail }),
      },
      signals,
    )
  }

  private constructor(
    worker: Worker,
    tracks: readonly (VideoTrack | AudioTrack)[],
    told: Pick<CompositorThreadOptions, 'emit' | 'onConcealed' | 'onObject' | 'onThumbnail'>,
    signals: SharedArrayBuffer,
  ) {
    this.#worker = worker
    this.tracks = tracks
    this.#emit = told.emit
    this.#onConcealed = told.onConcealed
    this.#onObject = told.onObject
    this.#onThumbnail = told.onThumbnail
    this.#signals = new Float64Array(signals)
    worker.on('message', (message: FromThread) => this.#take(message))
    worker.on('error', (cause: Error) => this.#fail(failed(cause.message, cause)))
    worker.on('exit', () => {
      if (!this.#isFinished) this.#fail(failed('its thread has ended'))
    })
  }

  addTrack(track: Track, participantId: string, expectedUntilUs?: number): void {
    this.#command({ type: 'track', track, participantId, expectedUntilUs })
  }

  scene(event: SceneEvent): void {
    this.#command({ type: 'scene', event })
  }

  hold(atUs: number): void {
    this.#command({ type: 'hold', atUs })
  }

  goOn(atUs: number): void {
    this.#command({ type: 'go-on', atUs })
  }

  requestKeyframe(): void {
    this.#command({ type: 'keyframe' })
  }

  push(item: TimedItem): void {
    const last = this.#commands.at(-1)
    if (last?.type === 'items') this.#commands[this.#commands.length - 1] = { type: 'items', count: last.count + 1 }
    else this.#commands.push({ type: 'items', count: 1 })
    this.#items.push(item)
  }

  /**
   * Has everything composed that can be. Resolves when more may come, which is mostly at once; rejects with what made the
   * thread fail. `liveUs`: how far the call has got, for a live one.
   */
  async advance(limits: ComposeLimits, liveUs?: number): Promise<void> {
    if (liveUs !== undefined) this.#signals[SIGNALS.liveUs] = liveUs
    this.#mustWork()
    const packed = packItems(this.#items)
    const commands = this.#commands
    this.#items = []
    this.#commands = []
    const { byteLength } = packed.bytes
    this.#waiting.push(byteLength)
    this.#waitingBytes += byteLength
    this.#send({ type: 'advance', commands, packed, limits }, [packed.bytes])
    while (this.#waitingBytes > MAX_WAITING_BYTES || this.#waiting.length > MAX_WAITING_MESSAGES) await this.#answered()
    this.#mustWork()
  }

  /**
   * Resolves when everything that was asked for has been composed and emitted. `onComposed` is called, and waited for,
   * again and again when something has been emitted.
   */
  async settled(onComposed?: () => Promise<void>): Promise<void> {
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      await this.#answered()
      await onComposed?.()
    }
    this.#mustWork()
  }

  /** The end: what is not composed by now is left out. Resolves when everything has been emitted; `onComposed` as above. */
  async finish(endUs: number, onComposed?: () => Promise<void>): Promise<CompositorReport> {
    await this.settled(onComposed)
    this.#send({ type: 'finish', endUs })
    while (!this.#isFinished && this.#failure === undefined) await this.#answered()
    this.#mustWork()
    return this.#report
  }

  /** As of the last answer; without layouts and chapters before the end. */
  get report(): CompositorReport {
    return this.#report
  }

  /** Gives it up. Native codecs are closed by the thread itself: ending it from outside would end the process. */
  close(): void {
    if (this.#isFinished || this.#failure !== undefined) return
    this.#isFinished = true
    this.#signals[SIGNALS.isClosed] = 1
    this.#send({ type: 'close' })
    this.#worker.unref()
  }

  #command(command: Command): void {
    this.#commands.push(command)
  }

  #send(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  #take(message: FromThread): void {
    if (message.type === 'composed') {
      if (!this.#isFinished) for (const item of unpackItems(message.packed)) this.#emit(item)
      this.#wake()
      return
    }
    if (message.type === 'failed') {
      this.#fail(errorOf(message))
      return
    }
    if (message.type === 'ready') return
    if (message.type === 'concealed') {
      this.#onConcealed?.(message.gap)
      return
    }
    if (message.type === 'object') {
      if (!this.#isFinished) this.#onObject?.(message)
      return
    }
    if (message.type === 'thumbnail') {
      if (!this.#isFinished) this.#onThumbnail?.(message)
      return
    }
    this.#report = message.report
    if (message.type === 'finished') this.#isFinished = true
    else this.#waitingBytes -= this.#waiting.shift() ?? 0
    this.#wake()
  }

  #mustWork(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #answered(): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  #fail(error: CompositorError): void {
    this.#failure ??= error
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#wake()
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter()
  }
}

function failed(message: string, cause?: unknown): CompositorError {
  return new CompositorError('COMPOSITOR_FAILED', `the compositor has failed: ${message}`, { cause })
}

/** Errors of the codecs keep their codes, too. */
function errorOf({ code, message, stack }: FromThread & { readonly type: 'failed' }): CompositorError {
  return new CompositorError(code as CompositorErrorCode, message, { cause: stack })
}
