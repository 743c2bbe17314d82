import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ConcealedGap } from '@rushes/codecs'
import { ConfigurationError } from '@rushes/media'
import type { Store } from '@rushes/storage-adapters'
import type { SessionTrack, TakeEvent, TakeItem, TakeSource, TakeTrackItem } from '@rushes/take'
import { CompositeOutputs } from './composite-outputs.js'
import { RenderError } from './errors.js'
import type { TrackSpan } from './lanes.js'
import type { Manifest, ManifestOutput, ManifestWarning, Repair } from './manifest.js'
import { manifestParticipants } from './manifest-participants.js'
import type { RecallPlaylist } from './output.js'
import { OutputContexts } from './output-contexts.js'
import { ParticipantOutputs } from './participant-outputs.js'
import { ParticipantSource } from './participant-source.js'
import { marksOf, Pauses } from './pauses.js'
import { type RenderPlan, type ResolvedPlan, resolvePlan } from './plan.js'
import type { RenderEvent } from './render-event.js'
import { type Survey, survey } from './survey.js'
import type { TrackHealth } from './track-health.js'
import { damageWarnings, journalWarnings, surveyWarnings } from './warnings.js'

/** Where a render goes, and who watches it. */
export interface RenderSinks {
  readonly store: Store
  /**
   * Where the folder is made in which files grow before they are stored; it is removed at the end. On the disk of a
   * local store the last step is a rename. @defaultValue the system's folder for temporary files
   */
  readonly scratchDir?: string
  /**
   * A folder in which composites keep what they have made, segment by segment. A render of the same source, settings and
   * folder goes on behind it. It is made when it is needed; what is in it of this render goes when the manifest is stored,
   * and stays when the render fails, is aborted or killed. @defaultValue none: a render begins anew
   */
  readonly workDir?: string
  /**
   * Called when everything is in the store, and waited for, before what is kept in `workDir` goes: for whoever brings it
   * on from there. Where it rejects the render does, and what is kept stays.
   */
  readonly onStored?: () => Promise<void>
  readonly onEvent?: (event: RenderEvent) => void
  /** Aborting discards: nothing half-written stands under a final name. To stop a live render in good order end its source. */
  readonly signal?: AbortSignal
  /**
   * After a crash: the growing playlists that the render before has published. An `event` playlist found here goes on
   * behind its last line, after a discontinuity; what it has is not stored again.
   */
  readonly recallPlaylist?: RecallPlaylist
  /** Given, once, a way to look into the render while it runs. */
  readonly onMonitor?: (monitor: RenderMonitor) => void
}

/** Looks into a running render. */
export interface RenderMonitor {
  /** How each track is doing, by what has been read of it. */
  tracks(): TrackHealth[]
}

/**
 * Makes recordings of a source and stores them; resolves with their manifest, which is stored last.
 *
 * A finished take is read twice: once to know every clock, once to render. A growing source is rendered as it comes, with
 * what is known of its clocks by then.
 *
 * @throws ConfigurationError for a bad plan, before anything is read; {@link RenderError}; errors of the take, the store,
 * the codecs and the MP4 writer as they are.
 */
export async function render(source: TakeSource, plan: RenderPlan, sinks: RenderSinks): Promise<Manifest> {
  const resolved = resolvePlan(plan, source.finished)
  const parent = sinks.scratchDir ?? tmpdir()
  const scratchDir = await makeScratchDir(parent)
  const rendering = new Rendering(source, plan, resolved, { ...sinks, scratchDir })
  try {
    return await rendering.run()
  } catch (error) {
    await rendering.abort()
    if (sinks.signal?.aborted === true) {
      throw new RenderError('RENDER_ABORTED', 'The render was aborted; what was not whole has been removed', {
        cause: error,
      })
    }
    throw error
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}

/** A folder of its own: another render of the same people may grow beside it. */
async function makeScratchDir(parent: string): Promise<string> {
  try {
    await mkdir(parent, { recursive: true })
    return await mkdtemp(join(parent, '.rushes-'))
  } catch (error) {
    const { message } = error as Error
    throw new ConfigurationError('scratchDir', `must be a folder that this process can write to (${message})`, parent)
  }
}

/** Progress is told at most this often, in microseconds of recording time. */
const PROGRESS_STEP_US = 500_000
/** A clip is read on this far past its end: a sender's clock may run behind its packets' arrival by what is trusted. */
const READ_PAST_END_US = 10_000_000

/** A participant: where the media comes from, and the recording of it where there is to be one. */
interface Person {
  readonly source: ParticipantSource
  readonly outputs: ParticipantOutputs | undefined
}

class Rendering {
  readonly #source: TakeSource
  readonly #plan: ResolvedPlan
  readonly #sinks: RenderSinks & { readonly scratchDir: string }
  readonly #contexts: OutputContexts
  readonly #people = new Map<string, Person>()
  readonly #personOfTrack = new Map<string, Person>()
  readonly #composites: CompositeOutputs[] = []
  readonly #pauses: Pauses
  readonly #warnings: ManifestWarning[] = []
  #survey: Survey | undefined
  #nowUs = 0
  #toldUs = Number.NEGATIVE_INFINITY

  constructor(
    source: TakeSource,
    plan: RenderPlan,
    resolved: ResolvedPlan,
    sinks: RenderSinks & { readonly scratchDir: string },
  ) {
    this.#source = source
    this.#plan = resolved
    this.#sinks = sinks
    this.#contexts = new OutputContexts(source, plan, resolved, sinks, (event) =>
      event.type === 'warning' ? this.#warn(event.warning) : this.#emit(event),
    )
    this.#pauses = new Pauses(source.finished ? source.session.events : [])
  }

  async run(): Promise<Manifest> {
    this.#sinks.onMonitor?.({ tracks: () => [...this.#people.values()].flatMap(({ source }) => source.health()) })
    this.#checkParticipants()
    this.#checkNames()
    if (this.#source.finished) {
      this.#survey = await survey(this.#source, { afterLoss: this.#plan.afterLoss, ...this.#reading() })
      for (const warning of surveyWarnings(this.#survey, this.#plan.participants)) this.#warn(warning)
      for (const warning of journalWarnings(this.#source.session, this.#plan.participants)) this.#warn(warning)
      this.#warnOfDamage()
    }
    this.#openComposites()
    if (this.#survey !== undefined) await this.#openSurveyedTracks(this.#survey)
    for await (const batch of this.#source.items(this.#reading())) {
      for (const item of batch) {
        if (item.type === 'track') await this.#addTrack(item)
        else if (this.#take(item)) await nextTurn()
      }
      this.#sinks.signal?.throwIfAborted()
      for (const { source, outputs } of this.#people.values()) {
        source.tick(this.#nowUs)
        outputs?.tick(this.#nowUs)
        if (source.takeBurst()) await nextTurn()
        await outputs?.drain()
      }
      for (const composite of this.#composites) await composite.advance(this.#nowUs)
      this.#tellProgress()
      if (this.#plan.toUs !== undefined && this.#nowUs > this.#plan.toUs + READ_PAST_END_US) break
    }
    return await this.#finish()
  }

  async abort(): Promise<void> {
    const outputs = [...this.#people.values()].flatMap((person) => person.outputs ?? [])
    await Promise.allSettled([...outputs, ...this.#composites].map((output) => output.abort()))
  }

  #reading(): { readonly participants?: readonly string[]; readonly signal?: AbortSignal } {
    const { participants } = this.#plan
    return {
      ...(participants === undefined ? undefined : { participants: [...participants] }),
      ...(this.#sinks.signal === undefined ? undefined : { signal: this.#sinks.signal }),
    }
  }

  /** Of a growing source a participant may still come. */
  #checkParticipants(): void {
    if (!this.#source.finished) return
    const known = this.#source.session.participants.map((participant) => participant.id)
    for (const id of this.#plan.participants ?? []) {
      if (!known.includes(id)) {
        throw new RenderError(
          'RENDER_UNKNOWN_PARTICIPANT',
          `No participant "${id}" in the take; there are: ${known.join(', ')}`,
        )
      }
    }
  }

  /** Two people under one name would write over each other. */
  #checkNames(): void {
    const { participants, naming, individual } = this.#plan
    const known = this.#source.finished ? this.#source.session.participants.length : Number.POSITIVE_INFINITY
    const people = participants === undefined ? known : participants.size
    if (individual && people > 1 && !naming.elements.includes('participantId')) {
      throw new ConfigurationError('naming', 'must contain {participantId}, as there may be more than one participant')
    }
  }

  #openComposites(): void {
    for (const settings of this.#plan.composites) {
      const context = this.#contexts.ofComposite(settings)
      const { cuts } = this.#pauses
      const onConcealed = (gap: ConcealedGap): void =>
        this.#personOfTrack.get(gap.trackId)?.source.repairs.concealed(gap)
      const { finished, session } = this.#source
      const { workDir } = this.#sinks
      const keep = workDir === undefined ? undefined : { workDir, recordingId: this.#contexts.recordingId }
      const own = { context, settings, cuts, session: finished ? session : undefined, onConcealed, keep }
      this.#composites.push(new CompositeOutputs(own))
    }
  }

  /** Of a finished source every track is known: those that have something to render are opened, in the order of their start. */
  async #openSurveyedTracks(found: Survey): Promise<void> {
    const present = found.tracks.filter(
      ({ track, startUs }) => startUs !== undefined && this.#plan.kinds.has(track.kind),
    )
    present.sort((a, b) => (a.startUs as number) - (b.startUs as number))
    for (const { track, participantId, startUs, endUs } of present) {
      const facts = this.#sessionTrack(participantId, track.id)
      const endsAtUs = facts?.leftAtMs === undefined ? undefined : facts.leftAtMs * 1000
      await this.#openTrack({ track, startUs: startUs as number, endUs }, participantId, endsAtUs)
    }
  }

  /** Of a growing source: a track has begun. */
  async #addTrack(item: TakeTrackItem): Promise<void> {
    if (this.#survey !== undefined || !this.#plan.kinds.has(item.track.kind)) return
    const joinedAtMs = this.#sessionTrack(item.participantId, item.track.id)?.joinedAtMs
    const startUs = joinedAtMs === undefined ? this.#nowUs : joinedAtMs * 1000
    await this.#openTrack({ track: item.track, startUs, endUs: undefined }, item.participantId)
  }

  async #openTrack(span: TrackSpan, participantId: string, endsAtUs?: number): Promise<void> {
    const person = this.#person(participantId)
    await person.outputs?.addTrack(span)
    const entry = this.#survey === undefined ? this.#sessionTrack(participantId, span.track.id) : undefined
    for (const composite of this.#composites) await composite.addTrack(span, participantId, entry)
    person.source.addTrack(span.track, endsAtUs)
    this.#personOfTrack.set(span.track.id, person)
  }

  /** Returns whether it was much work, after which others should have their turn. */
  #take(item: Exclude<TakeItem, TakeTrackItem>): boolean {
    switch (item.type) {
      case 'packet': {
        this.#nowUs = Math.max(this.#nowUs, item.arrivalUs)
        const source = this.#personOfTrack.get(item.trackId)?.source
        source?.push(item)
        return source?.takeBurst() === true
      }
      case 'event':
        this.#nowUs = Math.max(this.#nowUs, item.arrivalUs)
        // Of a finished source all are known from the start.
        if (this.#survey === undefined) this.#takeEvent(item.event)
        break
      case 'idle':
        this.#nowUs = Math.max(this.#nowUs, item.arrivalUs)
        break
      case 'end':
        break
    }
    return false
  }

  #takeEvent(event: TakeEvent): void {
    this.#pauses.take(event)
    for (const composite of this.#composites) composite.takeEvent(event)
    if (event.type === 'leave' && event.participant !== undefined) {
      this.#people.get(event.participant)?.source.leave(this.#nowUs)
    } else if (event.type === 'track-removed' && event.track !== undefined) {
      this.#personOfTrack.get(event.track)?.source.leave(this.#nowUs, event.track)
    }
  }

  #person(participantId: string): Person {
    const known = this.#people.get(participantId)
    if (known !== undefined) return known
    const { cuts } = this.#pauses
    const source = new ParticipantSource({
      participantId,
      plan: this.#plan,
      startedAtUs: this.#contexts.startedAtUs,
      clocks: this.#survey?.clocks.get(participantId),
      cuts,
      emit: this.#contexts.emit,
    })
    const outputs = this.#plan.individual
      ? new ParticipantOutputs(this.#contexts.ofParticipant(participantId, this.#survey), source, cuts)
      : undefined
    for (const sink of [...(outputs === undefined ? [] : [outputs]), ...this.#composites]) source.addSink(sink)
    const person = { source, outputs }
    this.#people.set(participantId, person)
    return person
  }

  #sessionTrack(participantId: string, trackId: string): SessionTrack | undefined {
    return this.#source.session.participants
      .find((participant) => participant.id === participantId)
      ?.tracks.find((track) => track.id === trackId)
  }

  async #finish(): Promise<Manifest> {
    const { session } = this.#source
    const durationUs = session.durationMs === undefined ? this.#nowUs : session.durationMs * 1000
    const outputs: ManifestOutput[] = []
    for (const { source, outputs: own } of this.#people.values()) {
      source.flush()
      outputs.push(...((await own?.finish()) ?? []))
    }
    const endUs = Math.min(durationUs, this.#plan.toUs ?? Number.POSITIVE_INFINITY)
    for (const composite of this.#composites) {
      outputs.push(...(await composite.finish(endUs, () => this.#tellProgress())))
    }
    if (outputs.length === 0) {
      throw new RenderError(
        'RENDER_NO_MEDIA',
        'Nothing to render: no chosen participant has sent a keyframe or a sound in the chosen time; `rushes inspect` tells what there is',
      )
    }
    this.#warnOfDamage()
    const manifest: Manifest = {
      version: 1,
      recordingId: this.#contexts.recordingId,
      roomId: this.#contexts.roomId,
      startedAt: session.startedAt,
      durationUs,
      participants: manifestParticipants(session, durationUs, this.#plan.participants),
      outputs,
      layouts: this.#composites.flatMap((composite) => composite.layouts),
      chapters: this.#composites[0]?.chapters ?? [],
      repairs: this.#repairs(outputs),
      pauses: this.#pauses.list(durationUs),
      marks: marksOf(session.events),
      warnings: this.#warnings,
    }
    const key = this.#contexts.manifestKey()
    const body = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
    const { signal, store } = this.#sinks
    signal?.throwIfAborted()
    const { bytes } = await store.put(key, body, {
      contentType: 'application/json',
      ...(signal === undefined ? undefined : { signal }),
    })
    this.#emit({ type: 'stored', key, bytes })
    await this.#sinks.onStored?.()
    for (const composite of this.#composites) await composite.retire()
    return manifest
  }

  /** Those that lie in an output: a clip is read from the beginning and past its end. */
  #repairs(outputs: readonly ManifestOutput[]): Repair[] {
    const repairs: Repair[] = []
    for (const [participantId, { source }] of this.#people) {
      const own = outputs.filter((output) => output.kind === 'composite' || output.participantId === participantId)
      const startUs = Math.min(...own.map((output) => output.startUs))
      const endUs = Math.max(...own.map((output) => output.startUs + output.durationUs))
      repairs.push(...source.repairs.entries.filter((repair) => repair.endUs > startUs && repair.startUs < endUs))
      const { omitted } = source.repairs
      if (omitted === 0) continue
      const message = `${participantId} lost packets at ${omitted} more places than are listed`
      this.#warn({ code: 'REPAIRS_OMITTED', message, participantId })
    }
    return repairs
  }

  /** Each damage once: a finished take is read twice, an unfinished one shows it at the end. */
  #warnOfDamage(): void {
    for (const warning of damageWarnings(this.#source, this.#plan.participants)) {
      if (!this.#warnings.some(({ message }) => message === warning.message)) this.#warn(warning)
    }
  }

  #tellProgress(): void {
    // Composites may lie behind what has been read, or, where they are kept, before it.
    const composedUs = this.#composites.flatMap((composite) => composite.composedUs ?? [])
    const readUs = this.#plan.individual || composedUs.length === 0 ? [this.#nowUs] : []
    const recordedUs = Math.min(...readUs, ...composedUs)
    if (recordedUs - this.#toldUs < PROGRESS_STEP_US) return
    this.#toldUs = recordedUs
    const { durationMs } = this.#source.session
    const total = this.#survey === undefined || durationMs === undefined ? undefined : { totalUs: durationMs * 1000 }
    this.#emit({ type: 'progress', recordedUs, ...total })
  }

  #warn(warning: ManifestWarning): void {
    this.#warnings.push(warning)
    this.#emit({ type: 'warning', warning })
  }

  #emit(event: RenderEvent): void {
    this.#sinks.onEvent?.(event)
  }
}
