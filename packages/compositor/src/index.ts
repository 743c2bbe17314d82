export {
  type BackgroundImage,
  type CompositeAudio,
  type CompositeLayoutChange,
  type CompositeRendition,
  type CompositeSettings,
  type CompositeVideo,
  type ResolvedComposite,
  type ResolvedEncoding,
  resolveComposite,
} from './composite-settings.js'
export { type ComposeLimits, type CompositeGoOn, Compositor, type CompositorOptions } from './compositor.js'
export type { CompositorReport } from './compositor-report.js'
export { CompositorError, type CompositorErrorCode } from './errors.js'
export type { CanvasSize } from './layout/canvas-length.js'
export { type PicturePlacement, placePicture } from './layout/fit-picture.js'
export type { Layout, LayoutBorder, LayoutFit, Length, Region, Selector, TileStyle } from './layout/layout.js'
export { LayoutError, type LayoutProblem } from './layout/layout-error.js'
export { layoutSchema } from './layout/layout-schema.js'
export { parseLayout } from './layout/parse-layout.js'
export type { Rectangle } from './layout/rectangle.js'
export type { Scene, SceneSource } from './layout/scene.js'
export { LayoutSolver, solveLayout } from './layout/solve-layout.js'
export type { Border, Fit, Tile } from './layout/tile.js'
export { interpolateTiles } from './layout/transition.js'
export type { LoadChange, LoadStep } from './load-governor.js'
export type { FontSettings, Overlay, PlaceholderSettings } from './picture/painter-settings.js'
export type { Chapter } from './scene/chapters.js'
export type { LoggedLayout, LoggedTile } from './scene/layout-log.js'
export type { SceneEvent } from './scene/scene-event.js'
export { sceneEventsOf, TakeSceneEvents, type TakeSceneEventsOptions } from './scene/take-scene-events.js'
export type { TakeSceneEvent, TakeSceneFacts, TakeSceneTrack } from './scene/take-scene-facts.js'
export { CompositeSound, type CompositeSoundStats } from './sound/composite-sound.js'
export type { CompositeSoundOptions } from './sound/composite-sound-options.js'
export type { Levelling } from './sound/leveller.js'
export { SoundMixer, type SoundMixerStats } from './sound/sound-mixer.js'
export type { LevelListener, SoundMixerOptions } from './sound/sound-mixer-options.js'
export type { CompositeObject } from './stills/composite-object.js'
export type { KeptStills, TakenThumbnail } from './stills/kept-stills.js'
export { POSTER_SUFFIX } from './stills/poster.js'
export type { PosterSettings, ResolvedPoster, ResolvedThumbnails, ThumbnailSettings } from './stills/still-settings.js'
export { THUMBNAIL_TRACK_SUFFIX, type Thumbnail, thumbnailTrack } from './stills/thumbnail-track.js'
export { CompositorThread, type CompositorThreadOptions } from './thread/compositor-thread.js'
export { type PackedItems, packItems, unpackItems } from './thread/packed-items.js'
