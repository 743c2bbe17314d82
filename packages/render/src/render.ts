import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ConfigurationError } from '@rushes/media'
import { type NamingFacts, outputNames, template } from '@rushes/naming-rules'
import type { Store } from '@rushes/storage-adapters'
import { startedAtUs, type TakeEvent, type TakeItem, type TakeSource, type TakeTrackItem } from '@rushes/take'
import { RenderError } from './errors.js'
import type { Manifest, ManifestOutput, ManifestWarning, Repair } from './manifest.js'
import { manifestParticipants } from './manifest-participants.js'
import type { OutputContext, RecallPlaylist } from './output.js'
import { OutputNaming } from './output-naming.js'
import { ParticipantGraph } from './participant-graph.js'
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

/** The manifest lies beside everyone's outputs, whatever these are called. */
const MANIFEST_NAMING = template('{recordingId}')
/** Progress is told at most this often, in microseconds of recording time. */
const PROGRESS_STEP_US = 500_000
/** A clip is read on this far past its end: a sender's clock may run behind its packets' arrival by what is trusted. */
const READ_PAST_END_US = 10_000_000

class Rendering {
  readonly #source: TakeSource
  readonly #plan: ResolvedPlan
  readonly #sinks: RenderSinks & { readonly scratchDir: string }
  readonly #recordingId: string
  readonly #roomId: string
  readonly #startedAtUs: number
  readonly #graphs = new Map<string, ParticipantGraph>()
  readonly #graphOfTrack = new Map<string, ParticipantGraph>()
  readonly #participantOfName = new Map<string, string>()
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
    const { session } = source
    this.#source = source
    this.#plan = resolved
    this.#sinks = sinks
    this.#recordingId = plan.recordingId ?? session.recordingId ?? session.name ?? 'recording'
    this.#roomId = plan.roomId ?? session.roomId ?? session.name ?? this.#recordingId
    this.#startedAtUs = startedAtUs(session)
    this.#pauses = new Pauses(source.finished ? session.events : [])
  }

  async run(): Promise<Manifest> {
    this.#sinks.onMonitor?.({ tracks: () => [...this.#graphs.values()].flatMap((graph) => graph.health()) })
    this.#checkParticipants()
    this.#checkNames()
    if (this.#source.finished) {
      this.#survey = await survey(this.#source, { afterLoss: this.#plan.afterLoss, ...this.#reading() })
      for (const warning of surveyWarnings(this.#survey, this.#plan.participants)) this.#warn(warning)
      for (const warning of journalWarnings(this.#source.session, this.#plan.participants)) this.#warn(warning)
      this.#warnOfDamage()
      await this.#openSurveyedTracks(this.#survey)
    }
    for await (const batch of this.#source.items(this.#reading())) {
      for (const item of batch) {
        if (item.type === 'track') await this.#addTrack(item)
        else if (this.#take(item)) await nextTurn()
      }
      this.#sinks.signal?.throwIfAborted()
      for (const graph of this.#graphs.values()) {
        graph.tick(this.#nowUs)
        if (graph.takeBurst()) await nextTurn()
        await graph.drain()
      }
      this.#tellProgress()
      if (this.#plan.toUs !== undefined && this.#nowUs > this.#plan.toUs + READ_PAST_END_US) break
    }
    return await this.#finish()
  }

  async abort(): Promise<void> {
    await Promise.allSettled([...this.#graphs.values()].map((graph) => graph.abort()))
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
    const { participants, naming } = this.#plan
    const known = this.#source.finished ? this.#source.session.participants.length : Number.POSITIVE_INFINITY
    const people = participants === undefined ? known : participants.size
    if (people > 1 && !naming.elements.includes('participantId')) {
      throw new ConfigurationError('naming', 'must contain {participantId}, as there may be more than one participant')
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
      const graph = this.#graph(participantId)
      const endsAtUs = facts?.leftAtMs === undefined ? undefined : facts.leftAtMs * 1000
      await graph.addTrack({ track, startUs: startUs as number, endUs }, endsAtUs)
      this.#graphOfTrack.set(track.id, graph)
    }
  }

  /** Of a growing source: a track has begun. */
  async #addTrack(item: TakeTrackItem): Promise<void> {
    if (this.#survey !== undefined || !this.#plan.kinds.has(item.track.kind)) return
    const graph = this.#graph(item.participantId)
    const joinedAtMs = this.#sessionTrack(item.participantId, item.track.id)?.joinedAtMs
    const startUs = joinedAtMs === undefined ? this.#nowUs : joinedAtMs * 1000
    await graph.addTrack({ track: item.track, startUs, endUs: undefined })
    this.#graphOfTrack.set(item.track.id, graph)
  }

  /** Returns whether it was much work, after which others should have their turn. */
  #take(item: Exclude<TakeItem, TakeTrackItem>): boolean {
    switch (item.type) {
      case 'packet': {
        this.#nowUs = Math.max(this.#nowUs, item.arrivalUs)
        const graph = this.#graphOfTrack.get(item.trackId)
        graph?.push(item)
        return graph?.takeBurst() === true
      }
      case 'event':
        this.#nowUs = Math.max(this.#nowUs, item.arrivalUs)
        // Of a finished source the ends are known from the start.
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
    if (event.type === 'leave' && event.participant !== undefined) {
      this.#graphs.get(event.participant)?.leave(this.#nowUs)
    } else if (event.type === 'track-removed' && event.track !== undefined) {
      this.#graphOfTrack.get(event.track)?.leave(this.#nowUs, event.track)
    }
  }

  #graph(participantId: string): ParticipantGraph {
    let graph = this.#graphs.get(participantId)
    if (graph === undefined) {
      const clocks = this.#survey?.clocks.get(participantId)
      graph = new ParticipantGraph(this.#context(participantId), clocks, this.#pauses.cuts)
      this.#graphs.set(participantId, graph)
    }
    return graph
  }

  #context(participantId: string): OutputContext {
    const name = this.#source.session.participants.find((participant) => participant.id === participantId)?.name
    const { finished, session } = this.#source
    const endedAtUs =
      finished && session.durationMs !== undefined
        ? this.#startedAtUs + Math.round(session.durationMs * 1000)
        : undefined
    const facts: NamingFacts = {
      recordingId: this.#recordingId,
      roomId: this.#roomId,
      participantId,
      ...(name === undefined ? undefined : { participantName: name }),
      kind: 'individual',
      startedAtUs: this.#startedAtUs,
      ...(endedAtUs === undefined ? undefined : { endedAtUs }),
    }
    const naming = new OutputNaming(this.#plan.naming, facts, (stem) => {
      const other = this.#participantOfName.get(stem) ?? participantId
      if (other !== participantId) {
        const rule = `gives ${participantId} and ${other} one name: they would write over each other`
        throw new ConfigurationError('naming', rule, stem)
      }
      this.#participantOfName.set(stem, participantId)
    })
    naming.check(this.#plan.parts === undefined ? undefined : 1)
    return {
      plan: this.#plan,
      store: this.#sinks.store,
      scratchDir: this.#sinks.scratchDir,
      participantId,
      startedAtUs: this.#startedAtUs,
      naming,
      frameRate: this.#survey?.tracks.find(
        (track) => track.participantId === participantId && track.frameRate !== undefined,
      )?.frameRate,
      emit: (event) => (event.type === 'warning' ? this.#warn(event.warning) : this.#emit(event)),
      signal: this.#sinks.signal,
      recallPlaylist: this.#sinks.recallPlaylist,
    }
  }

  #sessionTrack(participantId: string, trackId: string): { joinedAtMs: number; leftAtMs?: number } | undefined {
    return this.#source.session.participants
      .find((participant) => participant.id === participantId)
      ?.tracks.find((track) => track.id === trackId)
  }

  async #finish(): Promise<Manifest> {
    const outputs: ManifestOutput[] = []
    for (const graph of this.#graphs.values()) outputs.push(...(await graph.finish()))
    if (outputs.length === 0) {
      throw new RenderError(
        'RENDER_NO_MEDIA',
        'Nothing to render: no chosen participant has sent a keyframe or a sound in the chosen time; `rushes inspect` tells what there is',
      )
    }
    this.#warnOfDamage()
    const repairs = this.#repairs(outputs)
    const { session } = this.#source
    const durationUs = session.durationMs === undefined ? this.#nowUs : session.durationMs * 1000
    const manifest: Manifest = {
      version: 1,
      recordingId: this.#recordingId,
      roomId: this.#roomId,
      startedAt: session.startedAt,
      durationUs,
      participants: manifestParticipants(session, durationUs, this.#plan.participants),
      outputs,
      layouts: [],
      repairs,
      pauses: this.#pauses.list(durationUs),
      marks: marksOf(session.events),
      warnings: this.#warnings,
    }
    const key = this.#manifestKey()
    const body = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
    const { signal, store } = this.#sinks
    signal?.throwIfAborted()
    const { bytes } = await store.put(key, body, {
      contentType: 'application/json',
      ...(signal === undefined ? undefined : { signal }),
    })
    this.#emit({ type: 'stored', key, bytes })
    return manifest
  }

  /** Those that lie in an output: a clip is read from the beginning and past its end. */
  #repairs(outputs: readonly ManifestOutput[]): Repair[] {
    const repairs: Repair[] = []
    for (const [participantId, graph] of this.#graphs) {
      const own = outputs.filter((output) => output.participantId === participantId)
      const startUs = Math.min(...own.map((output) => output.startUs))
      const endUs = Math.max(...own.map((output) => output.startUs + output.durationUs))
      repairs.push(...graph.repairs.entries.filter((repair) => repair.endUs > startUs && repair.startUs < endUs))
      const { omitted } = graph.repairs
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

  #manifestKey(): string {
    const facts = { recordingId: this.#recordingId, kind: 'individual', startedAtUs: this.#startedAtUs } as const
    return outputNames(MANIFEST_NAMING, facts, 'hls').key('/manifest.json')
  }

  #tellProgress(): void {
    if (this.#nowUs - this.#toldUs < PROGRESS_STEP_US) return
    this.#toldUs = this.#nowUs
    const { durationMs } = this.#source.session
    const total = this.#survey === undefined || durationMs === undefined ? undefined : { totalUs: durationMs * 1000 }
    this.#emit({ type: 'progress', recordedUs: this.#nowUs, ...total })
  }

  #warn(warning: ManifestWarning): void {
    this.#warnings.push(warning)
    this.#emit({ type: 'warning', warning })
  }

  #emit(event: RenderEvent): void {
    this.#sinks.onEvent?.(event)
  }
}
