import type { Rectangle } from './rectangle.js'

/** How a picture of another shape goes into its tile: whole with space around, cut to fill it, or pulled out of shape. */
export type Fit = 'contain' | 'cover' | 'stretch'

/** A line around a tile, inside of its rectangle. */
export interface Border {
  /** Pixels, even or odd, 0 for none. */
  readonly width: number
  /** `#rrggbb` */
  readonly color: string
}

/** One participant's camera or screen in the composite picture: where, and how it looks. */
export interface Tile {
  readonly participantId: string
  /** The video track; undefined for who has none. */
  readonly trackId: string | undefined
  readonly kind: 'camera' | 'screen'
  readonly rectangle: Rectangle
  /** Higher ones lie above lower ones; of equal ones the later in the list lies above. */
  readonly z: number
  readonly fit: Fit
  /** No picture to show: initials, or an image, stand in its place. */
  readonly placeholder: boolean
  /** 0 (not to be seen) to 1. */
  readonly opacity: number
  /** Pixels. */
  readonly cornerRadius: number
  readonly border: Border | undefined
  /** Marks who speaks; above the border. */
  readonly ring: Border | undefined
  /** Where a picture leaves space, and behind a placeholder's initials. `#rrggbb` */
  readonly background: string
  /** The display name, to be shown in a corner; undefined for none. */
  readonly label: string | undefined
  /** What a placeholder makes its initials of: the display name, else the id. */
  readonly name: string
  /** A mark that the microphone is off. */
  readonly mutedMark: boolean
}
