/**
 * The base of every error that Rushes throws: `code` is stable and made for programs, `message` tells a person what to
 * do, `cause` is what lies underneath.
 */
export class RushesError<Code extends string = string> extends Error {
  readonly code: Code
  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** An option is wrong; thrown at once, where it was given. */
export class ConfigurationError extends RushesError<'BAD_CONFIGURATION'> {
  /** The option, as a path: `segmentDuration`, `outputs[1].composite.fps`. */
  readonly field: string
  constructor(field: string, rule: string, got?: unknown) {
    super('BAD_CONFIGURATION', `${field}: ${rule}${got === undefined ? '' : `, got ${describe(got)}`}`)
    this.field = field
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
