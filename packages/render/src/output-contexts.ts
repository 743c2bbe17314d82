import type { ResolvedComposite } from '@rushes/compositor'
import { ConfigurationError } from '@rushes/media'
import { type NamingFacts, outputNames, template } from '@rushes/naming-rules'
import type { Store } from '@rushes/storage-adapters'
import { startedAtUs, type TakeSource } from '@rushes/take'
import type { OutputContext, OutputSubject, RecallPlaylist } from './output.js'
import { OutputNaming } from './output-naming.js'
import type { RenderPlan, ResolvedPlan } from './plan.js'
import type { RenderEvent } from './render-event.js'
import type { Survey } from './survey.js'

/** Where outputs go. */
export interface OutputPlaces {
  readonly store: Store
  readonly scratchDir: string
  readonly signal?: AbortSignal
  readonly recallPlaylist?: RecallPlaylist
}

/** The manifest lies beside everyone's outputs, whatever these are called. */
const MANIFEST_NAMING = template('{recordingId}')

/** Knows what the recording is called, and makes what each output of it is made from. */
export class OutputContexts {
  readonly recordingId: string
  readonly roomId: string
  /** Wall-clock time of recording time zero, microseconds since 1970. */
  readonly startedAtUs: number
  readonly emit: (event: RenderEvent) => void
  readonly #source: TakeSource
  readonly #plan: ResolvedPlan
  readonly #places: OutputPlaces
  /** Whose output has which name. */
  readonly #ownerOfName = new Map<string, string>()

  constructor(
    source: TakeSource,
    plan: RenderPlan,
    resolved: ResolvedPlan,
    places: OutputPlaces,
    emit: (event: RenderEvent) => void,
  ) {
    const { session } = source
    this.#source = source
    this.#plan = resolved
    this.#places = places
    this.emit = emit
    this.recordingId = plan.recordingId ?? session.recordingId ?? session.name ?? 'recording'
    this.roomId = plan.roomId ?? session.roomId ?? session.name ?? this.recordingId
    this.startedAtUs = startedAtUs(session)
  }

  ofParticipant(participantId: string, survey: Survey | undefined): OutputContext {
    const name = this.#source.session.participants.find((participant) => participant.id === participantId)?.name
    const facts = { participantId, ...(name === undefined ? undefined : { participantName: name }) }
    const frameRate = survey?.tracks.find(
      (track) => track.participantId === participantId && track.frameRate !== undefined,
    )?.frameRate
    return this.#context({ kind: 'individual', participantId }, facts, participantId, frameRate)
  }

  ofComposite({ name, fps }: ResolvedComposite): OutputContext {
    const subject: OutputSubject = { kind: 'composite', ...(name === undefined ? undefined : { name }) }
    const facts = name === undefined ? {} : { participantId: name }
    return this.#context(subject, facts, `the composite ${name ?? ''}`.trim(), fps)
  }

  manifestKey(): string {
    const facts = { recordingId: this.recordingId, kind: 'individual', startedAtUs: this.startedAtUs } as const
    return outputNames(MANIFEST_NAMING, facts, 'hls').key('/manifest.json')
  }

  #context(
    subject: OutputSubject,
    own: Partial<NamingFacts>,
    owner: string,
    frameRate: number | undefined,
  ): OutputContext {
    const { finished, session } = this.#source
    const endedAtUs =
      finished && session.durationMs !== undefined
        ? this.startedAtUs + Math.round(session.durationMs * 1000)
        : undefined
    const facts: NamingFacts = {
      recordingId: this.recordingId,
      roomId: this.roomId,
      ...own,
      kind: subject.kind,
      compositeNames: this.#plan.composites.flatMap((composite) => composite.name ?? []),
      startedAtUs: this.startedAtUs,
      ...(endedAtUs === undefined ? undefined : { endedAtUs }),
    }
    const naming = new OutputNaming(this.#plan.naming, facts, (stem) => this.#claim(stem, owner))
    naming.check(this.#plan.parts === undefined ? undefined : 1)
    return {
      plan: this.#plan,
      store: this.#places.store,
      scratchDir: this.#places.scratchDir,
      subject,
      startedAtUs: this.startedAtUs,
      naming,
      frameRate,
      emit: this.emit,
      signal: this.#places.signal,
      recallPlaylist: this.#places.recallPlaylist,
    }
  }

  #claim(stem: string, owner: string): void {
    const other = this.#ownerOfName.get(stem) ?? owner
    if (other !== owner) {
      const rule = `gives ${owner} and ${other} one name: they would write over each other`
      throw new ConfigurationError('naming', rule, stem)
    }
    this.#ownerOfName.set(stem, owner)
  }
}
