/** A camera or a screen, or a participant who has neither. */
export interface SceneSource {
  readonly participantId: string
  /** Display name, else the id. */
  readonly name: string
  readonly kind: 'camera' | 'screen'
  /** The video track; undefined for a participant without any, who is shown as a camera that is off. */
  readonly trackId: string | undefined
  /** It has a picture to show. */
  readonly hasPicture: boolean
  /** Of the picture as it is to be shown, turned upright and with square pixels; undefined before the first. */
  readonly picture: { readonly width: number; readonly height: number } | undefined
  /** The participant's microphone is off, or there is none. */
  readonly muted: boolean
  readonly speaking: boolean
}

/** Who is in the room at one moment. */
export interface Scene {
  /** In the order of joining; of one participant the camera before the screens. */
  readonly sources: readonly SceneSource[]
  /** Who speaks, or spoke last and is still there. */
  readonly activeSpeaker: string | undefined
}
