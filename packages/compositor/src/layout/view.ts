import type { Scene, SceneSource } from './scene.js'

/** A source of the scene that may be shown. */
export interface Shown {
  /** The same as long as it is the same place's: of a participant the first camera, the second, the first screen. */
  readonly key: string
  readonly source: SceneSource
}

/** A scene as the arrangements see it. */
export interface View {
  /** Cameras, on or off, in the order of joining. */
  readonly people: readonly Shown[]
  /** Shared screens, in the order in which they began. */
  readonly screens: readonly Shown[]
  readonly activeSpeaker: string | undefined
  /** Higher is more recent; 0 for who has not spoken. */
  readonly lastSpoke: (participantId: string) => number
}

/** Turns scenes into views, and remembers what a scene does not say: who spoke before, and which screen is newer. */
export class SceneMemory {
  /** Only of participants who are there. */
  readonly #spoke = new Map<string, number>()
  /** Only of screens that are there. */
  readonly #began = new Map<string, number>()
  #lastSpeaker: string | undefined
  #events = 0

  view(scene: Scene, showOff: boolean): View {
    const people: Shown[] = []
    const screens: Shown[] = []
    // Who has only a screen, and that shows nothing at the moment, is there all the same.
    const seen = new Set(scene.sources.filter((s) => s.kind === 'camera' || s.hasPicture).map((s) => s.participantId))
    for (const shown of keyedSources(scene)) {
      const { kind, hasPicture, participantId } = shown.source
      if (kind === 'screen' && hasPicture) screens.push(shown)
      else if ((kind === 'camera' || !seen.has(participantId)) && (hasPicture || showOff)) people.push(shown)
      seen.add(participantId)
    }
    this.#note(scene, screens)
    const began = (shown: Shown): number => this.#began.get(shown.key) ?? 0
    return {
      people,
      screens: screens.sort((a, b) => began(a) - began(b)),
      activeSpeaker: scene.activeSpeaker,
      lastSpoke: (participantId) => this.#spoke.get(participantId) ?? 0,
    }
  }

  #note(scene: Scene, screens: readonly Shown[]): void {
    const participants = new Set(scene.sources.map(({ participantId }) => participantId))
    for (const participantId of this.#spoke.keys()) {
      if (!participants.has(participantId)) this.#spoke.delete(participantId)
    }
    const shared = new Set(screens.map(({ key }) => key))
    for (const key of this.#began.keys()) if (!shared.has(key)) this.#began.delete(key)
    for (const key of shared) if (!this.#began.has(key)) this.#began.set(key, ++this.#events)
    const speaker = scene.activeSpeaker
    if (speaker === undefined || !participants.has(speaker)) return
    if (speaker === this.#lastSpeaker && this.#spoke.has(speaker)) return
    this.#lastSpeaker = speaker
    this.#spoke.set(speaker, ++this.#events)
  }
}

function keyedSources(scene: Scene): Shown[] {
  const counts = new Map<string, number>()
  return scene.sources.map((source) => {
    const owner = `${source.kind} ${source.participantId}`
    const ordinal = counts.get(owner) ?? 0
    counts.set(owner, ordinal + 1)
    return { key: `${ordinal} ${owner}`, source }
  })
}
