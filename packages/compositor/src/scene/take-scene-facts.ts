/** An event of a take, as its journal has it. Times are milliseconds after the start. */
export interface TakeSceneEvent {
  readonly atMs: number
  readonly type: string
  readonly participant?: string
  readonly track?: string
  readonly [key: string]: unknown
}

/** A track of a take. */
export interface TakeSceneTrack {
  readonly id: string
  readonly kind: 'audio' | 'video'
  readonly joinedAtMs: number
  readonly leftAtMs?: number
  /** Of video. @defaultValue `camera`; `screen` for a second video track beside a camera */
  readonly shows?: 'camera' | 'screen'
}

/** Who was there in a take, and what happened: its session, or as much of it as is known. */
export interface TakeSceneFacts {
  readonly durationMs?: number
  readonly participants: readonly {
    readonly id: string
    readonly name?: string
    readonly tracks: readonly TakeSceneTrack[]
  }[]
  readonly events: readonly TakeSceneEvent[]
}
