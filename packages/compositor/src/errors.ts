import { RushesError } from '@rushes/media'

/** What can go wrong in a compositor. */
export type CompositorErrorCode =
  /** A layout is not one: the message has the path within it, the reason, and what is allowed. */
  | 'LAYOUT_INVALID'
  /** It gave up, for a reason that stands in the message. */
  | 'COMPOSITOR_FAILED'
  /** Text or an image is to be drawn, and the optional package @napi-rs/canvas is not installed. */
  | 'COMPOSITOR_CANVAS_MISSING'
  /** An image of the settings cannot be read. */
  | 'COMPOSITOR_IMAGE_UNREADABLE'

/** A layout is none, or something that is to be drawn cannot be. */
export class CompositorError extends RushesError<CompositorErrorCode> {}
