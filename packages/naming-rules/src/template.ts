import { ConfigurationError } from '@rushes/media'
import type { ElementEncoding } from './element-encoding.js'
import type { NamingRule } from './naming-rule.js'
import { type ElementOptions, parseTemplate } from './parse-template.js'
import { withSeparators } from './separators.js'
import { TemplateRule } from './template-rule.js'

/** How a template makes names. */
export interface TemplateOptions {
  /** How facts are encoded, unless their element says otherwise. @defaultValue 'percent' */
  readonly encoding?: ElementEncoding
  /** Limits and encodings by element. A name that is not one of the known elements makes one, of `facts.extras`. */
  readonly elements?: Readonly<Record<string, ElementOptions>>
  /**
   * `false` leaves the signs between elements as they are in the facts, as other products do: `a-b` and `c`, `a` and
   * `b-c` then share a name under `{roomId}-{participantId}`. @defaultValue true
   */
  readonly distinct?: boolean
}

/** The template that is used when none is given. */
export const DEFAULT_TEMPLATE = '{recordingId}/{participantId}'

/**
 * A rule that makes names by a template: text, `/` between components, and elements in braces.
 * `{roomId}` is a fact; `{participantName:40}` at most 40 characters of it, `:40b` bytes; `{roomId|none}` with a text
 * for when it is missing; `{startedAt:yyyyMMdd}` a date in UTC; `{part:0000}` a number. Braces as text are written twice.
 * @throws ConfigurationError naming the position in the template
 */
export function template(text: string, options: TemplateOptions = {}): NamingRule {
  const encoding = options.encoding ?? 'percent'
  const elements = options.elements ?? {}
  for (const [field, value] of [
    ['encoding', options.encoding],
    ...Object.entries(elements).map(([name, element]) => [`elements.${name}.encoding`, element.encoding] as const),
  ] as const) {
    if (value !== undefined && !['percent', 'base64url', 'none'].includes(value)) {
      throw new ConfigurationError(field, 'must be percent, base64url or none', value)
    }
  }
  const distinct = options.distinct ?? true
  const components = parseTemplate(text, encoding, elements)
  return new TemplateRule(distinct ? components.map(withSeparators) : components, distinct)
}
