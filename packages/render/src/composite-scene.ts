import {
  type CompositorThread,
  type ResolvedComposite,
  type SceneEvent,
  sceneEventsOf,
  TakeSceneEvents,
} from '@rushes/compositor'
import type { Session, SessionTrack, TakeEvent } from '@rushes/take'
import type { OutputContext } from './output.js'
import type { TimeCuts } from './time-cuts.js'

/** What a scene is told of. */
export interface CompositeSceneOptions {
  readonly context: OutputContext
  readonly settings: ResolvedComposite
  readonly cuts: TimeCuts
  /** Of a finished source; of a growing one what happens comes by `takeEvent`. */
  readonly session: Session | undefined
}

/** Tells a compositor what happens in the room, in the time of the outputs. */
export class CompositeScene {
  readonly #settings: ResolvedComposite
  readonly #cuts: TimeCuts
  readonly #events: TakeSceneEvents
  readonly #participants = new Set<string>()
  #compositor: CompositorThread | undefined
  /** What happened before the first track tells where the picture begins. */
  #early: ((compositor: CompositorThread) => void)[] = []

  constructor({ context, settings, cuts, session }: CompositeSceneOptions) {
    this.#settings = settings
    this.#cuts = cuts
    const told = {
      onBadLayout: (error: unknown) => {
        const message = `a change of the layout is left out: ${(error as Error).message}`
        context.emit({ type: 'warning', warning: { code: 'LAYOUT_INVALID', message } })
      },
    }
    this.#events = new TakeSceneEvents(told)
    if (session === undefined) return
    const { participants: chosen } = context.plan
    const participants = session.participants.filter(({ id }) => chosen === undefined || chosen.has(id))
    const events = session.events.filter((event) => this.#concerns(event))
    const { durationMs } = session
    const facts = { participants, events, ...(durationMs === undefined ? undefined : { durationMs }) }
    for (const event of sceneEventsOf(facts, told)) this.#scene(event)
    for (const event of session.events) this.#takePause(event)
  }

  /** Ids of those who are in it, or were. */
  get participants(): readonly string[] {
    return [...this.#participants]
  }

  /** Something happens in a growing source. */
  takeEvent(event: TakeEvent): void {
    if (!this.#concerns(event)) return
    for (const one of this.#events.push(event)) this.#scene(one)
    this.#takePause(event)
  }

  /** @param entry of a growing source: what its session says of the track */
  addTrack(participantId: string, entry?: SessionTrack): void {
    if (entry !== undefined) for (const event of this.#events.addTrack(participantId, entry)) this.#scene(event)
    this.#participants.add(participantId)
  }

  /** From now on it is told, and first of what happened before. */
  open(compositor: CompositorThread): void {
    this.#compositor = compositor
    for (const change of this.#settings.changes ?? []) compositor.scene({ type: 'layout', ...change })
    for (const tell of this.#early.splice(0)) tell(compositor)
  }

  #scene(event: SceneEvent): void {
    if (event.type === 'join') this.#participants.add(event.participantId)
    const own = { ...event, atUs: this.#cuts.outputUs(event.atUs) }
    this.#tell((compositor) => compositor.scene(own))
  }

  #takePause({ type, atMs, ...event }: TakeEvent): void {
    const atUs = this.#cuts.outputUs(Math.round(atMs * 1000))
    if (type === 'pause' && event['mode'] !== 'cut') this.#tell((compositor) => compositor.hold(atUs))
    else if (type === 'resume') this.#tell((compositor) => compositor.goOn(atUs))
  }

  #tell(what: (compositor: CompositorThread) => void): void {
    if (this.#compositor === undefined) this.#early.push(what)
    else what(this.#compositor)
  }

  /** Layouts may be for another composite, and are not followed where the settings have their own changes. */
  #concerns(event: TakeEvent): boolean {
    const { name, changes } = this.#settings
    if (event.type !== 'layout') return true
    return changes === undefined && (event['composite'] === undefined || event['composite'] === name)
  }
}
