import { RushesError } from '@rushes/media'

/** What may go wrong in this package; damaged packets are none of it: they are counted. */
export type CodecErrorCode =
  | 'CODECS_NODE_AV_MISSING'
  | 'CODECS_NO_SUCH_CODEC'
  | 'CODECS_OPEN_FAILED'
  | 'CODECS_ENCODE_FAILED'
  | 'CODECS_CLOSED'

/** A codec cannot be had, or gave up. */
export class CodecError extends RushesError<CodecErrorCode> {}
