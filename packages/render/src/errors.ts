import { RushesError } from '@rushes/media'

/**
 * What a render can fail with:
 * - `RENDER_NO_MEDIA`: nothing in the source can be rendered: no chosen participant has sent a keyframe or a sound.
 * - `RENDER_UNKNOWN_PARTICIPANT`: the plan names somebody who is not in the source.
 * - `RENDER_ABORTED`: the signal was aborted; nothing stands under a final name that was not whole.
 */
export type RenderErrorCode = 'RENDER_NO_MEDIA' | 'RENDER_UNKNOWN_PARTICIPANT' | 'RENDER_ABORTED'

/** A render could not be done. Failures of a store, a take or a codec come through as their own errors. */
export class RenderError extends RushesError<RenderErrorCode> {}
