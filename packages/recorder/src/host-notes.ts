import { type Layout, parseLayout } from '@rushes/compositor'
import { ConfigurationError, type RecordingEventData, type RecordingEventType } from '@rushes/media'
import type { RecordingSettings } from './settings.js'

/** How a change of the layout comes about. */
export interface LayoutChange {
  /** In which tiles move to their new places, 0 to 2000. @defaultValue that of the composite */
  readonly transitionMs?: number
  /** Of several composites the one with this name. @defaultValue all of them */
  readonly composite?: string
}

/** A track that the host tells something of. */
export interface NotedTrack {
  readonly id: string
  readonly participantId: string
  /** The id that it has in the journal. */
  readonly journalId: string
}

/** What journals and tells; `type` and keys as events of a take have them. */
export interface NoteSinks {
  note(event: { readonly type: string; readonly [key: string]: unknown }): void
  tell(type: RecordingEventType, data: RecordingEventData): void
}

/** What a host says of the call, beside its media: into the journal, to the composites and to those who listen. */
export class HostNotes {
  readonly #sinks: NoteSinks
  readonly #settings: RecordingSettings

  constructor(settings: RecordingSettings, sinks: NoteSinks) {
    this.#settings = settings
    this.#sinks = sinks
  }

  mark(label: string): void {
    this.#sinks.note({ type: 'mark', label })
    this.#sinks.tell('MARK', { label })
  }

  /** @throws ConfigurationError naming the field; CompositorError `LAYOUT_INVALID` */
  layout(layout: string | Layout, { transitionMs, composite }: LayoutChange): void {
    const parsed = parseLayout(layout)
    if (transitionMs !== undefined && !(transitionMs >= 0 && transitionMs <= 2000)) {
      throw new ConfigurationError('transitionMs', 'must be a number from 0 to 2000', transitionMs)
    }
    const names = this.#compositeNames()
    if (names.length === 0) {
      throw new ConfigurationError('outputs', 'has no composite whose layout could change')
    }
    if (composite !== undefined && !names.includes(composite)) {
      const known = names.filter((name) => name !== undefined).join(', ')
      throw new ConfigurationError('composite', `must be one of those of this recording (${known})`, composite)
    }
    const details = {
      ...(transitionMs === undefined ? undefined : { transitionMs }),
      ...(composite === undefined ? undefined : { composite }),
    }
    this.#sinks.note({ type: 'layout', layout: parsed, ...details })
    this.#sinks.tell('LAYOUT', { layout: parsed.name ?? parsed.type, ...details })
  }

  muted({ id, participantId, journalId }: NotedTrack, isMuted: boolean): void {
    this.#sinks.note({ type: isMuted ? 'mute' : 'unmute', participant: participantId, track: journalId })
    this.#sinks.tell(isMuted ? 'TRACK_MUTED' : 'TRACK_UNMUTED', { participantId, trackId: id })
  }

  shows({ participantId, journalId }: NotedTrack, source: 'camera' | 'screen' | 'none'): void {
    const shown = source === 'none' ? null : source
    this.#sinks.note({ type: 'replace', participant: participantId, track: journalId, source: shown })
  }

  #compositeNames(): (string | undefined)[] {
    return (this.#settings.outputs ?? []).flatMap((output) => {
      if (output === 'individual') return []
      return [output === 'composite' ? undefined : output.composite.name]
    })
  }
}
