export { RenderError, type RenderErrorCode } from './errors.js'
export type {
  Manifest,
  ManifestLayout,
  ManifestMark,
  ManifestOutput,
  ManifestParticipant,
  ManifestPause,
  ManifestStill,
  ManifestThumbnails,
  ManifestWarning,
  Repair,
} from './manifest.js'
export type { PublishedPlaylist, RecallPlaylist } from './output.js'
export {
  type AudioPlan,
  checkPlan,
  type HlsPlan,
  type OutputFormat,
  type OutputKind,
  type PartsPlan,
  type RenderPlan,
  type StartHoldPlan,
} from './plan.js'
export { type RenderMonitor, type RenderSinks, render } from './render.js'
export type { RenderEvent } from './render-event.js'
export { type Survey, survey, type TrackSurvey } from './survey.js'
export type { TrackHealth } from './track-health.js'
