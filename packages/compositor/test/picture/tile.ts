import type { Tile } from '../../src/layout/tile.js'

/** A camera's tile without any ornament. */
export function tileOf(changes: Partial<Tile> = {}): Tile {
  return {
    participantId: 'alice',
    trackId: 'camera',
    kind: 'camera',
    rectangle: { x: 0, y: 0, width: 320, height: 180 },
    z: 0,
    fit: 'contain',
    placeholder: false,
    opacity: 1,
    cornerRadius: 0,
    border: undefined,
    ring: undefined,
    background: '#303134',
    label: undefined,
    name: 'Alice',
    mutedMark: false,
    ...changes,
  }
}
