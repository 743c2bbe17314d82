import {
  type CompositeGoOn,
  type KeptStills,
  type LoadChange,
  POSTER_SUFFIX,
  type ResolvedComposite,
  type Thumbnail,
} from '@rushes/compositor'
import { type AudioTrack, rescale, type TimedItem, type VideoTrack } from '@rushes/media'
import type { Session } from '@rushes/take'
import { compositeFingerprint, sessionFingerprint } from './composite-fingerprint.js'
import type { CompositeSegment, CompositeStill } from './composite-segment.js'
import { CompositeSplitter } from './composite-splitter.js'
import { CompositeWork } from './composite-work.js'
import { KeptBoundary } from './kept-boundary.js'
import type { OutputContext } from './output.js'

/** What a composite is kept for, and where. */
export interface CompositeKeeperOptions {
  /** See `RenderSinks.workDir`. */
  readonly workDir: string
  readonly recordingId: string
  readonly context: OutputContext
  /** As the compositor gets them. */
  readonly settings: ResolvedComposite
  /** Of a finished source. */
  readonly session: Session | undefined
}

/** Takes what is kept. */
export interface KeptSink {
  push(item: TimedItem): void
  still(still: CompositeStill): void
  /** Resolves when what was pushed is where it belongs. */
  drain(): Promise<void>
}

/** What is known when a segment is written. */
export interface SegmentSurroundings {
  /** By id. */
  readonly participants: readonly string[]
  readonly loadChanges: readonly LoadChange[]
}

/**
 * Keeps what a composite has made, so that a render which comes after a crash goes on behind it: first it gives out what
 * is there, and then whatever is composed goes to the disk before it goes on to the outputs. What they publish is there
 * for the next one.
 */
export class CompositeKeeper {
  readonly #options: CompositeKeeperOptions
  readonly #work: CompositeWork
  readonly #boundary = new KeptBoundary()
  #splitter: CompositeSplitter | undefined
  /** Composed, and not looked at yet: what comes between two drains. */
  #pending: TimedItem[] = []
  /** Of frames that are in no segment yet. */
  #stills: CompositeStill[] = []
  #startFrame: number | undefined
  #nextFrame = 0
  #loadChanges: readonly LoadChange[] = []
  #hasPoster = false
  readonly #thumbnails: Thumbnail[] = []
  #openSheet: Uint8Array[] = []
  #hasFailed = false

  /** `undefined`, with a warning, where nothing can be kept. */
  static async open(options: CompositeKeeperOptions): Promise<CompositeKeeper | undefined> {
    const { workDir, recordingId, context, settings, session } = options
    const { plan, startedAtUs } = context
    const dir = CompositeWork.folderOf(workDir, [recordingId, startedAtUs, settings.name])
    try {
      const fingerprint = await compositeFingerprint({ recordingId, startedAtUs, plan, settings })
      const own = session === undefined ? undefined : sessionFingerprint(session)
      return new CompositeKeeper(options, await CompositeWork.open(dir, { fingerprint, session: own }))
    } catch (error) {
      warnNotKept(context, error)
      return undefined
    }
  }

  private constructor(options: CompositeKeeperOptions, work: CompositeWork) {
    this.#options = options
    this.#work = work
  }

  /** Of what is kept; `undefined` where nothing is. */
  get tracks(): readonly (VideoTrack | AudioTrack)[] | undefined {
    return this.#work.tracks
  }

  /** Gives out what is kept. */
  async replay(sink: KeptSink): Promise<void> {
    for await (const { items, stills, ...facts } of this.#work.segments((segment) => this.#accepts(segment))) {
      this.#startFrame ??= facts.frame
      this.#nextFrame = facts.nextFrame
      this.#loadChanges = facts.loadChanges
      for (const item of items) {
        this.#boundary.see(item)
        sink.push(item)
      }
      for (const still of stills) {
        this.#seeStill(still)
        sink.still(still)
      }
      await sink.drain()
      this.#options.context.signal?.throwIfAborted()
    }
  }

  /** Recording time at which the kept pictures begin, microseconds; `undefined` where there are none. */
  get startUs(): number | undefined {
    return this.#startFrame === undefined ? undefined : this.#usOf(this.#startFrame)
  }

  /** Recording time at which it goes on; `undefined` where nothing is kept. */
  get goesOnAtUs(): number | undefined {
    return this.#startFrame === undefined ? undefined : this.#usOf(this.#nextFrame)
  }

  /** What the compositor must know; `undefined` where nothing is kept. */
  get goOn(): CompositeGoOn | undefined {
    if (this.#startFrame === undefined) return undefined
    const stills: KeptStills = {
      hasPoster: this.#hasPoster,
      thumbnails: this.#thumbnails,
      openSheet: this.#openSheet,
    }
    return { frame: this.#nextFrame, stills }
  }

  /** Where quality was given up in what is kept. */
  get loadChanges(): readonly LoadChange[] {
    const goesOnAtUs = this.goesOnAtUs ?? 0
    return this.#loadChanges.filter(({ atUs }) => atUs < goesOnAtUs)
  }

  /** The compositor is there: from now on something comes. */
  async begin(tracks: readonly (VideoTrack | AudioTrack)[]): Promise<void> {
    const pictures = tracks.filter((track) => track.kind === 'video')
    this.#splitter = new CompositeSplitter(pictures, this.#options.settings.fps)
    if (this.#startFrame === undefined) await this.#try(() => this.#work.begin(tracks))
  }

  push(item: TimedItem): void {
    if (this.#boundary.isNew(item)) this.#pending.push(item)
  }

  pushStill(still: CompositeStill): void {
    if (!this.#hasFailed) this.#stills.push(still)
  }

  /** Has on the disk what can be, and then gives out everything that has come. */
  async drain(give: (item: TimedItem) => void, surroundings: () => SegmentSurroundings): Promise<void> {
    const items = this.#pending
    this.#pending = []
    const whole: CompositeSegment[] = []
    for (const item of items) {
      if (this.#hasFailed) break
      this.#splitter?.push(item, (split) => {
        const isBefore = (still: CompositeStill): boolean => this.#frameOf(still) < split.nextFrame
        whole.push({ ...split, stills: this.#stills.filter(isBefore), ...surroundings() })
        this.#stills = this.#stills.filter((still) => !isBefore(still))
      })
    }
    for (const segment of whole) await this.#try(() => this.#work.write(segment))
    for (const item of items) give(item)
  }

  /** Lets everything lie for the next render. */
  async close(): Promise<void> {
    await this.#work.close()
  }

  /** Everything is stored. What cannot be removed does no harm. */
  async remove(): Promise<void> {
    await this.#work.remove().catch(() => {})
  }

  /** Somebody who is not in the source any more was erased from it: the picture must not be shown. */
  #accepts({ participants }: CompositeSegment): boolean {
    const { session } = this.#options
    return session === undefined || participants.every((id) => session.participants.some((known) => known.id === id))
  }

  #seeStill(still: CompositeStill): void {
    if (still.type === 'thumbnail') {
      this.#thumbnails.push(still.thumbnail)
      // Of a sheet that will be long in the making nothing else may be held.
      this.#openSheet.push(still.samples.slice())
    } else if (still.suffix === POSTER_SUFFIX) this.#hasPoster = true
    else this.#openSheet = []
  }

  #frameOf(still: CompositeStill): number {
    const atUs = still.type === 'thumbnail' ? still.thumbnail.atUs : still.atUs
    return rescale(atUs, 1_000_000, this.#options.settings.fps)
  }

  #usOf(frame: number): number {
    return rescale(frame, this.#options.settings.fps, 1_000_000)
  }

  /** A render does not fail for what it keeps: it goes on, and keeps nothing more. */
  async #try(act: () => Promise<void>): Promise<void> {
    if (this.#hasFailed) return
    try {
      await act()
    } catch (error) {
      this.#hasFailed = true
      this.#stills = []
      this.#splitter = undefined
      warnNotKept(this.#options.context, error)
    }
  }
}

function warnNotKept({ emit, subject: { name } }: OutputContext, error: unknown): void {
  const what = name === undefined ? 'the composite' : `the composite ${name}`
  const message = `what ${what} has made cannot be kept for a render that goes on: ${(error as Error).message}`
  emit({ type: 'warning', warning: { code: 'COMPOSITE_NOT_KEPT', message } })
}
