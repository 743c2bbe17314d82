import { RushesError } from '@rushes/media'

/** Why a playlist was refused. */
export type HlsPlaylistErrorCode =
  /** The text does not begin with `#EXTM3U`. */
  | 'HLS_NOT_A_PLAYLIST'
  /** A media playlist was expected and a multivariant one came, or the other way round. */
  | 'HLS_WRONG_PLAYLIST_KIND'
  /** A rule of RFC 8216 is broken, in a text that was read or in a value to be written. */
  | 'HLS_PLAYLIST_INVALID'
  /** Legal, but it uses what the model does not hold (encryption, partial segments), so that it would be lost. */
  | 'HLS_PLAYLIST_UNSUPPORTED'

/** A playlist cannot be read or written. */
export class HlsPlaylistError extends RushesError<HlsPlaylistErrorCode> {}
