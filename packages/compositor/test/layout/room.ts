import type { Scene, SceneSource } from '../../src/layout/scene.js'
import type { Tile } from '../../src/layout/tile.js'

export interface RoomOptions {
  /** Whose screens are shared, in the order of the people. */
  readonly screens?: readonly string[]
  /** Whose cameras are off. */
  readonly off?: readonly string[]
  readonly muted?: readonly string[]
  readonly speaker?: string
  readonly picture?: { readonly width: number; readonly height: number }
}

/** People `p1`, `p2` … with cameras on. */
export function room(people: number | readonly string[], options: RoomOptions = {}): Scene {
  const ids = typeof people === 'number' ? Array.from({ length: people }, (_, index) => `p${index + 1}`) : people
  const { screens = [], off = [], muted = [], speaker, picture = { width: 1280, height: 720 } } = options
  const sources = ids.flatMap((participantId): SceneSource[] => {
    const on = !off.includes(participantId)
    const common = {
      participantId,
      name: `Name of ${participantId}`,
      muted: muted.includes(participantId),
      speaking: speaker === participantId,
    }
    const camera = { ...common, kind: 'camera', trackId: `${participantId}-camera`, hasPicture: on } as const
    const screen = { ...common, kind: 'screen', trackId: `${participantId}-screen`, hasPicture: true } as const
    return [
      { ...camera, picture: on ? picture : undefined },
      ...(screens.includes(participantId) ? [{ ...screen, picture: { width: 1920, height: 1080 } }] : []),
    ]
  })
  return { sources, activeSpeaker: speaker }
}

/** `p1`, and `p1/screen` for a screen, in the order of the tiles. */
export function who(tiles: readonly Tile[]): string[] {
  return tiles.map(({ participantId, kind }) => (kind === 'screen' ? `${participantId}/screen` : participantId))
}

/** `640x360+0+180` */
export function where(tile: Tile | undefined): string {
  if (tile === undefined) return 'nowhere'
  const { x, y, width, height } = tile.rectangle
  return `${width}x${height}+${x}+${y}`
}
