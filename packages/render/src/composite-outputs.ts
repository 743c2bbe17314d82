import type { ConcealedGap } from '@rushes/codecs'
import { type Chapter, type CompositorReport, CompositorThread, type ResolvedComposite } from '@rushes/compositor'
import type { AudioTrack, TimedItem, VideoTrack } from '@rushes/media'
import type { Session, SessionTrack, TakeEvent } from '@rushes/take'
import { CompositeBranches } from './composite-branches.js'
import { CompositeKeeper } from './composite-keeper.js'
import { CompositeScene } from './composite-scene.js'
import { CompositeStillFiles } from './composite-stills.js'
import type { TrackSpan } from './lanes.js'
import { LoadWarnings } from './load-warnings.js'
import type { ManifestLayout, ManifestOutput } from './manifest.js'
import type { OutputContext } from './output.js'
import type { MediaSink } from './participant-source.js'
import type { TimeCuts } from './time-cuts.js'

/** Of a finished source everything will be known; who holds something up for longer than this is not waited for. */
const FINISHED_LAG_US = 30_000_000

/** What a composite needs to know of its render. */
export interface CompositeOutputsOptions {
  readonly context: OutputContext
  readonly settings: ResolvedComposite
  readonly cuts: TimeCuts
  /** Of a finished source; of a growing one what happens comes by `takeEvent`. */
  readonly session: Session | undefined
  readonly onConcealed: (gap: ConcealedGap) => void
  /** Where what is made is kept for a render that goes on, and of which recording; `undefined`: nowhere. */
  readonly keep: { readonly workDir: string; readonly recordingId: string } | undefined
}

/** Everyone in one recording: the compositor, and the outputs of its picture and its sound. */
export class CompositeOutputs implements MediaSink {
  readonly #options: CompositeOutputsOptions
  readonly #scene: CompositeScene
  readonly #load: LoadWarnings
  #compositor: CompositorThread | undefined
  #branches: CompositeBranches | undefined
  #keeper: CompositeKeeper | undefined
  readonly #stills: CompositeStillFiles
  #report: CompositorReport | undefined

  constructor(options: CompositeOutputsOptions) {
    this.#options = options
    const { context, settings } = options
    this.#stills = new CompositeStillFiles(context)
    this.#scene = new CompositeScene(options)
    this.#load = new LoadWarnings(context.emit, settings)
  }

  /** Something happens in a growing source. */
  takeEvent(event: TakeEvent): void {
    this.#scene.takeEvent(event)
  }

  /**
   * @param span with recording time
   * @param entry of a growing source: what its session says of the track
   */
  async addTrack({ track, startUs }: TrackSpan, participantId: string, entry?: SessionTrack): Promise<void> {
    const { context, cuts } = this.#options
    this.#scene.addTrack(participantId, entry)
    const atUs = cuts.outputUs(startUs)
    const compositor = this.#compositor ?? (await this.#open(atUs))
    // The first media of a growing source may be held for its sender's reports.
    compositor.addTrack(track, participantId, this.#isFinished ? undefined : atUs + context.plan.startHold.us)
  }

  push(item: TimedItem): void {
    this.#compositor?.push(item)
  }

  /** Time has passed: `nowUs` on the clock of the arrivals. Resolves when more may come; composing goes on meanwhile. */
  async advance(nowUs: number): Promise<void> {
    const { context, cuts, settings } = this.#options
    const outputUs = cuts.outputUs(nowUs)
    // A clip is read on past its end: nothing is composed of that.
    const endUs = context.plan.toUs === undefined ? Number.POSITIVE_INFINITY : cuts.outputUs(context.plan.toUs)
    if (this.#isFinished) {
      await this.#compositor?.advance({ knownUs: Math.min(outputUs, endUs), forcedUs: outputUs - FINISHED_LAG_US })
    } else {
      const liveUs = Math.min(outputUs - settings.lagUs, endUs)
      await this.#compositor?.advance({ knownUs: liveUs, forcedUs: liveUs }, liveUs)
    }
    this.#load.update(this.#compositor?.report.loadChanges ?? [])
    await this.#drain()
  }

  /** Recording time up to which everything is composed, or kept; undefined before there is anything. */
  get composedUs(): number | undefined {
    const report = this.#compositor?.report
    return report === undefined ? undefined : Math.max(report.composedUs, this.#keeper?.goesOnAtUs ?? 0)
  }

  /**
   * The source has ended, and everything of it has come.
   * @param endUs end of the recording
   * @param onProgress called while the rest is composed
   */
  async finish(endUs: number, onProgress: () => void): Promise<ManifestOutput[]> {
    if (this.#compositor === undefined || this.#branches === undefined) return []
    const { context, cuts } = this.#options
    const untilUs = cuts.outputUs(endUs)
    await this.#compositor.advance({ knownUs: untilUs, forcedUs: untilUs })
    this.#report = await this.#compositor.finish(untilUs, async () => {
      context.signal?.throwIfAborted()
      await this.#drain()
      onProgress()
    })
    this.#load.update(this.#report.loadChanges)
    await this.#drain()
    const outputs = await this.#branches.finish()
    const stills = await this.#stills.finish(outputs, this.#compositor.tracks, this.#report.thumbnails)
    return outputs.map((output) => ({ ...output, ...stills }))
  }

  async abort(): Promise<void> {
    this.#compositor?.close()
    await this.#branches?.abort()
    await this.#keeper?.close()
  }

  /** Everything is stored: what was kept is not needed any more. */
  async retire(): Promise<void> {
    await this.#keeper?.remove()
  }

  get layouts(): readonly ManifestLayout[] {
    const { name } = this.#options.settings
    const layouts = this.#report?.layouts ?? []
    return name === undefined ? layouts : layouts.map((layout) => ({ ...layout, composite: name }))
  }

  get chapters(): readonly Chapter[] {
    return this.#report?.chapters ?? []
  }

  get #isFinished(): boolean {
    return this.#options.session !== undefined
  }

  async #drain(): Promise<void> {
    await this.#keeper?.drain(
      (item) => this.#branches?.push(item),
      () => ({ participants: this.#scene.participants, loadChanges: this.#load.all }),
    )
    await this.#branches?.drain()
    await this.#stills.drain()
  }

  async #open(startUs: number): Promise<CompositorThread> {
    const { context, settings } = this.#options
    const { plan, startedAtUs } = context
    const renditions = plan.formats.has('hls') ? settings.video.renditions : []
    const own = { ...settings, video: { ...settings.video, renditions } }
    const keeper = await this.#openKept(own)
    const compositor = await CompositorThread.create({
      settings: own,
      startUs: keeper?.startUs ?? Math.max(0, startUs, plan.fromUs ?? 0),
      startedAtUs,
      sampleRate: plan.sampleRate,
      kinds: plan.kinds,
      keyframeSeconds: plan.segmentDuration,
      keepUp: !this.#isFinished,
      onConcealed: this.#options.onConcealed,
      onObject: (object) => {
        this.#stills.push(object)
        keeper?.pushStill(object)
      },
      ...(keeper === undefined ? {} : { onThumbnail: (taken) => keeper.pushStill(taken) }),
      ...(keeper?.goOn === undefined ? {} : { goOn: keeper.goOn }),
      emit: (item) => (keeper === undefined ? this.#branches?.push(item) : keeper.push(item)),
    })
    this.#compositor = compositor
    await keeper?.begin(compositor.tracks)
    this.#branches ??= this.#branch(compositor.tracks, { isKept: false })
    this.#scene.open(compositor)
    return compositor
  }

  /** What an earlier render has kept of it goes to the outputs first. */
  async #openKept(settings: ResolvedComposite): Promise<CompositeKeeper | undefined> {
    const { context, keep, session } = this.#options
    if (keep === undefined || !context.plan.kinds.has('video')) return undefined
    const keeper = await CompositeKeeper.open({ ...keep, context, settings, session })
    this.#keeper = keeper
    const { tracks } = keeper ?? {}
    if (keeper === undefined || tracks === undefined) return keeper
    const branches = this.#branch(tracks, { isKept: true })
    this.#branches = branches
    await keeper.replay({
      push: (item) => branches.push(item),
      still: (still) => still.type === 'object' && this.#stills.push(still),
      drain: async () => {
        await branches.drain()
        await this.#stills.drain()
      },
    })
    const { goesOnAtUs } = keeper
    const { name } = settings
    if (goesOnAtUs === undefined) {
      // Nothing of it was whole.
      this.#branches = undefined
      return keeper
    }
    context.emit({ type: 'resumed', kind: 'composite', ...(name === undefined ? {} : { name }), atUs: goesOnAtUs })
    this.#load.goOn(keeper.loadChanges, goesOnAtUs)
    return keeper
  }

  #branch(tracks: readonly (VideoTrack | AudioTrack)[], { isKept }: { readonly isKept: boolean }): CompositeBranches {
    const { context, settings } = this.#options
    // What is kept lies where it was published, to the rounding of a playlist's dates: half a picture tells two apart.
    const recallToleranceUs = isKept ? { recallToleranceUs: 500_000 / settings.fps } : undefined
    return new CompositeBranches({
      context: { ...context, ...recallToleranceUs },
      tracks,
      onKeyframeNeeded: () => this.#compositor?.requestKeyframe(),
    })
  }
}
