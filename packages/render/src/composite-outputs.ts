import type { ConcealedGap } from '@rushes/codecs'
import {
  type Chapter,
  type CompositorReport,
  CompositorThread,
  type ResolvedComposite,
  type SceneEvent,
  sceneEventsOf,
  TakeSceneEvents,
} from '@rushes/compositor'
import type { TimedItem } from '@rushes/media'
import type { Session, SessionTrack, TakeEvent } from '@rushes/take'
import { CompositeBranches } from './composite-branches.js'
import { CompositeStillFiles } from './composite-stills.js'
import type { TrackSpan } from './lanes.js'
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
}

/** Everyone in one recording: the compositor, and the outputs of its picture and its sound. */
export class CompositeOutputs implements MediaSink {
  readonly #options: CompositeOutputsOptions
  readonly #sceneEvents: TakeSceneEvents
  /** What happened before the first track tells where the picture begins. */
  #early: ((compositor: CompositorThread) => void)[] = []
  #compositor: CompositorThread | undefined
  #branches: CompositeBranches | undefined
  readonly #stills: CompositeStillFiles
  #report: CompositorReport | undefined
  #loadChangesTold = 0

  constructor(options: CompositeOutputsOptions) {
    this.#options = options
    const { context, session } = options
    this.#stills = new CompositeStillFiles(context)
    const told = {
      onBadLayout: (error: unknown) => {
        const message = `a change of the layout is left out: ${(error as Error).message}`
        context.emit({ type: 'warning', warning: { code: 'LAYOUT_INVALID', message } })
      },
    }
    this.#sceneEvents = new TakeSceneEvents(told)
    if (session === undefined) return
    const { participants: chosen } = context.plan
    const participants = session.participants.filter(({ id }) => chosen === undefined || chosen.has(id))
    const events = session.events.filter((event) => this.#concerns(event))
    const { durationMs } = session
    const facts = { participants, events, ...(durationMs === undefined ? undefined : { durationMs }) }
    for (const event of sceneEventsOf(facts, told)) this.#scene(event)
    for (const event of session.events) this.#takePause(event)
  }

  /** Something happens in a growing source. */
  takeEvent(event: TakeEvent): void {
    if (!this.#concerns(event)) return
    for (const one of this.#sceneEvents.push(event)) this.#scene(one)
    this.#takePause(event)
  }

  /**
   * @param span with recording time
   * @param entry of a growing source: what its session says of the track
   */
  async addTrack({ track, startUs }: TrackSpan, participantId: string, entry?: SessionTrack): Promise<void> {
    const { context, cuts } = this.#options
    if (entry !== undefined) for (const event of this.#sceneEvents.addTrack(participantId, entry)) this.#scene(event)
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
    this.#tellOfLoad()
    await this.#branches?.drain()
    await this.#stills.drain()
  }

  /** Recording time up to which everything is composed; undefined before there is anything. */
  get composedUs(): number | undefined {
    return this.#compositor?.report.composedUs
  }

  /** The source has ended, and everything of it has come. @param endUs end of the recording */
  async finish(endUs: number): Promise<ManifestOutput[]> {
    if (this.#compositor === undefined || this.#branches === undefined) return []
    const untilUs = this.#options.cuts.outputUs(endUs)
    await this.#compositor.advance({ knownUs: untilUs, forcedUs: untilUs })
    this.#report = await this.#compositor.finish(untilUs)
    this.#tellOfLoad()
    const outputs = await this.#branches.finish()
    const stills = await this.#stills.finish(outputs, this.#compositor.tracks, this.#report.thumbnails)
    return outputs.map((output) => ({ ...output, ...stills }))
  }

  async abort(): Promise<void> {
    this.#compositor?.close()
    await this.#branches?.abort()
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

  #scene(event: SceneEvent): void {
    const own = { ...event, atUs: this.#options.cuts.outputUs(event.atUs) }
    this.#tell((compositor) => compositor.scene(own))
  }

  #takePause({ type, atMs, ...event }: TakeEvent): void {
    const atUs = this.#options.cuts.outputUs(Math.round(atMs * 1000))
    if (type === 'pause' && event['mode'] !== 'cut') this.#tell((compositor) => compositor.hold(atUs))
    else if (type === 'resume') this.#tell((compositor) => compositor.goOn(atUs))
  }

  #tell(what: (compositor: CompositorThread) => void): void {
    if (this.#compositor === undefined) this.#early.push(what)
    else what(this.#compositor)
  }

  /** Layouts may be for another composite, and are not followed where the settings have their own changes. */
  #concerns(event: TakeEvent): boolean {
    const { name, changes } = this.#options.settings
    if (event.type !== 'layout') return true
    return changes === undefined && (event['composite'] === undefined || event['composite'] === name)
  }

  #tellOfLoad(): void {
    const changes = this.#compositor?.report.loadChanges ?? []
    for (const { atUs, preset, frameStep, sizeDivisor } of changes.slice(this.#loadChangesTold)) {
      const fps = this.#options.settings.fps / frameStep
      const size = sizeDivisor === 1 ? '' : ', at half the size'
      const message = `from ${(atUs / 1_000_000).toFixed(1)} s on the composite is made with preset ${preset}, ${fps} pictures a second${size}: the machine cannot keep up with more; a render of the take has full quality`
      this.#options.context.emit({ type: 'warning', warning: { code: 'COMPOSITE_DEGRADED', message } })
    }
    this.#loadChangesTold = changes.length
  }

  async #open(startUs: number): Promise<CompositorThread> {
    const { context, settings } = this.#options
    const { plan, startedAtUs } = context
    const renditions = plan.formats.has('hls') ? settings.video.renditions : []
    const compositor = await CompositorThread.create({
      settings: { ...settings, video: { ...settings.video, renditions } },
      startUs: Math.max(0, startUs, plan.fromUs ?? 0),
      startedAtUs,
      sampleRate: plan.sampleRate,
      kinds: plan.kinds,
      keyframeSeconds: plan.segmentDuration,
      keepUp: !this.#isFinished,
      onConcealed: this.#options.onConcealed,
      onObject: (object) => this.#stills.push(object),
      emit: (item) => this.#branches?.push(item),
    })
    this.#compositor = compositor
    this.#branches = new CompositeBranches({
      context,
      tracks: compositor.tracks,
      onKeyframeNeeded: () => compositor.requestKeyframe(),
    })
    for (const change of settings.changes ?? []) compositor.scene({ type: 'layout', ...change })
    for (const tell of this.#early.splice(0)) tell(compositor)
    return compositor
  }
}
