import type { Fit } from './tile.js'

/**
 * A length on the canvas: a number is a share (0 to 1), a string is pixels (`"12px"`). What it is a share of stands
 * where it is used: widths and `x` are of the canvas's width, heights and `y` of its height, and everything that looks
 * the same in both directions (gaps, corners, lines) of its shorter side.
 */
export type Length = number | string

/** `auto` fills the tile where at least half of the picture can still be seen, and else shows it whole. */
export type LayoutFit = Fit | 'auto'

/** A line around a tile, inside of its edge. */
export interface LayoutBorder {
  /** Share of the canvas's shorter side, or pixels. Drawn at least one pixel wide, unless 0. */
  readonly width: Length
  /** `#rrggbb` */
  readonly color: string
}

/** How tiles look. */
export interface TileStyle {
  /** Of cameras. Default `auto`. */
  readonly fit?: LayoutFit
  /** Default 0.011; 0 for a tile that fills the canvas. */
  readonly cornerRadius?: Length
  /** Default false. */
  readonly border?: LayoutBorder | false
  /** 0 to 1, default 1. */
  readonly opacity?: number
  /** Behind initials, and where a picture leaves space. Default `#3c4043`; of screens, the layout's background. */
  readonly background?: string
  /** Show the display name. Default true. */
  readonly label?: boolean
  /** Show that the microphone is off. Default true. Never shown on a screen. */
  readonly mutedMark?: boolean
  /** Around who speaks. Default 0.005, `#669df6`; none on a tile that fills the canvas. Never shown on a screen. */
  readonly ring?: LayoutBorder | false
}

/** What layouts of every type may say. */
export interface LayoutBase {
  /** For editors; not read. */
  readonly $schema?: string
  /** What the manifest calls it. Default: the type. */
  readonly name?: string
  /**
   * The canvas that pixels are counted on. On another canvas they grow and shrink with it. Default: the canvas that is
   * drawn, so that pixels are pixels.
   */
  readonly canvas?: { readonly width: number; readonly height: number }
  /** Between tiles: share of the canvas's shorter side, or pixels. Default 0.011. */
  readonly gap?: Length
  /** `#rrggbb`, default `#202124`. */
  readonly background?: string
  readonly tile?: TileStyle
  /** How a shared screen goes into its tile. Default `contain`: nothing of it is cut off. */
  readonly screenFit?: LayoutFit
  /** Who has no camera, or has it off, is shown by a placeholder. Default true. */
  readonly showOff?: boolean
  /** 1 to 49, default 49. Who is left out when there are more, the type says. */
  readonly maxTiles?: number
}

/** The shape of tiles of which there are many: width by height, the mean of the pictures, or whatever fills the space. */
export type TileAspect = number | 'sources' | 'fill'

/** What the layouts may say that place tiles by themselves. */
export interface AutomaticLayoutBase extends LayoutBase {
  /** Between the tiles and the edge: share of the canvas's shorter side, or pixels. */
  readonly margin?: Length
}

/** Everybody alike: the number of columns that shows the most of them. */
export interface GridLayout extends AutomaticLayoutBase {
  readonly type: 'grid'
  /** Default 16 / 9. */
  readonly tileAspect?: TileAspect
}

/** The small ones beside a large one. */
export interface Strip {
  /** Default `right`; `bottom` on an upright canvas. */
  readonly side?: 'left' | 'right' | 'top' | 'bottom'
  /** Share of the canvas's width (left, right) or height (top, bottom), or pixels; at most half. Default 0.2. */
  readonly size?: Length
  /** Most tiles in it, 1 to 48, default 5. Who spoke last comes first. */
  readonly max?: number
  /** Default 16 / 9. */
  readonly tileAspect?: TileAspect
}

/** One person large, the others in a strip. */
export interface SpotlightLayout extends AutomaticLayoutBase {
  readonly type: 'spotlight'
  /** The one who is large while there; else it is the active speaker. */
  readonly participant?: string
  readonly strip?: Strip
}

/** Shared screens large, people in a strip. */
export interface PresentationLayout extends AutomaticLayoutBase {
  readonly type: 'presentation'
  readonly strip?: Strip
  /** Of several screens: all large side by side (`split`), or the newest alone. Default `split`. */
  readonly screens?: 'split' | 'newest'
  /** Most large screens, 1 to 9, default 4: the newest. The others go into the strip. */
  readonly maxScreens?: number
  /** While nobody shares. Default `grid`. */
  readonly withoutScreen?: 'grid' | 'spotlight'
}

/** One alone on the whole canvas. */
export interface SingleLayout extends AutomaticLayoutBase {
  readonly type: 'single'
  /** Only this one, and nobody while away; else the active speaker. */
  readonly participant?: string
  /** A shared screen (the newest; of `participant`, if that is said) goes before the camera. Default false. */
  readonly screenFirst?: boolean
}

/** One on the whole canvas, small ones above. */
export interface PipLayout extends AutomaticLayoutBase {
  readonly type: 'pip'
  /** The one who is large while there. */
  readonly participant?: string
  /** Who else is large: the newest screen, else the active speaker (`screen`, the default); or without screens. */
  readonly big?: 'screen' | 'active-speaker' | 'first'
  /** Default `bottom-right`. */
  readonly corner?: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right'
  /** Width of a small one: share of the canvas's width, or pixels; at most half. Default 0.25. */
  readonly size?: Length
  /** Most small ones, 1 to 4, default 1. Further ones stand above or below the first. */
  readonly maxSmall?: number
  /** Of the small ones, width by height. Default 16 / 9. */
  readonly tileAspect?: number
}

/** A few of equal size beside each other. */
export interface SideBySideLayout extends AutomaticLayoutBase {
  readonly type: 'side-by-side'
  /** 1 to 4 people, each with a place that stays empty while they are away. Default: the first to come. */
  readonly participants?: readonly string[]
  /** 2 to 4, default 2. Not together with `participants`. */
  readonly max?: number
  /** Default `row`; `column` on an upright canvas. */
  readonly direction?: 'row' | 'column'
}

/**
 * Whom a region shows. A string is a participant's id (the camera), in which `*` stands for anything, or one of
 * `active-speaker`, `screen` (any shared screen). An object names one participant exactly, whatever the id looks like.
 */
export type Selector = string | { readonly participant: string; readonly kind?: 'camera' | 'screen' }

/** A rectangle of the canvas, and who is shown in it. */
export interface Region {
  /** Share of the canvas's width, or pixels; so too `width`. */
  readonly x: Length
  /** Share of the canvas's height, or pixels; so too `height`. */
  readonly y: Length
  readonly width: Length
  readonly height: Length
  /** Higher ones lie above lower ones, of equal ones the later. -1000 to 1000, default 0. */
  readonly z?: number
  /** Default `["*"]`: any camera. Earlier ones stand first. */
  readonly participants?: readonly Selector[]
  /** Never these. */
  readonly exclude?: readonly Selector[]
  /** 1 to 49, default `maxColumns` x `maxRows`, else 49. */
  readonly maxParticipants?: number
  /** 1 to 49, default no limit. */
  readonly maxColumns?: number
  /** 1 to 49, default no limit. */
  readonly maxRows?: number
  /** Cells that stay empty, counted from 0 by rows. With both of the above the grid then always has all its cells. */
  readonly skipCells?: readonly number[]
  /** Shape of the cells. Default `fill`. */
  readonly tileAspect?: TileAspect
  /**
   * Who is shown when there are more than places: the first to come (`join`), the last to come, whom the earlier of
   * `participants` mean (`listed`), or who spoke last. Default `join`.
   */
  readonly order?: 'join' | 'newest' | 'listed' | 'active-speaker'
  /**
   * What becomes of a place whose occupant leaves: the `next` who waits takes it; it is kept for the occupant's return
   * (`keep-empty`); or all behind move up (`shift`), those of later regions too. Default `next`.
   */
  readonly reuse?: 'next' | 'keep-empty' | 'shift'
  /** Goes before the layout's. */
  readonly tile?: TileStyle
}

/** Regions, each with its own rule. Nobody is shown twice. */
export interface CustomLayout extends LayoutBase {
  readonly type: 'custom'
  /** 1 to 64. */
  readonly regions: readonly Region[]
}

/** Who is shown where: JSON, described by `layout.schema.json`. */
export type Layout =
  | GridLayout
  | SpotlightLayout
  | PresentationLayout
  | SingleLayout
  | PipLayout
  | SideBySideLayout
  | CustomLayout
