import { RushesError } from '@rushes/media'

/**
 * Why no name could be made of a recording's facts:
 * - `NAMING_MISSING_FACT`: the template has an element for which there is no fact, and no fallback.
 * - `NAMING_BAD_FACT`: a fact cannot be part of a name under this rule (encoding `none`), or is no date.
 * - `NAMING_NO_ROOM`: the name leaves too little room for a suffix, or is too long as a whole.
 */
export type NamingErrorCode = 'NAMING_MISSING_FACT' | 'NAMING_BAD_FACT' | 'NAMING_NO_ROOM'

/** No name can be made of a recording's facts. */
export class NamingError extends RushesError<NamingErrorCode> {
  /** The element of the template concerned. */
  readonly element?: string
  constructor(code: NamingErrorCode, message: string, element?: string) {
    super(code, message)
    if (element !== undefined) this.element = element
  }
}
