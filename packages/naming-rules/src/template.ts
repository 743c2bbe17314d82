import { ConfigurationError } from '@rushes/media'
import { type ElementEncoding, encodeElement, encodeFirst, isReservedName } from './element-encoding.js'
import { NamingError } from './errors.js'
import { byteLength, MAX_COMPONENT_BYTES, MAX_NAME_BYTES, trimName } from './name-limits.js'
import type { NamingFacts, NamingRoom, NamingRule } from './naming-rule.js'
import { OUTPUT_SUFFIXES } from './output-suffixes.js'
import { type ElementOptions, parseTemplate, type TemplateToken, type ValueToken } from './parse-template.js'
import { separatorsOf } from './separators.js'

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

/** What stands for the participant in the name of a composite output. */
const COMPOSITE = 'composite'
const ofParticipants = ['participantId', 'participantName', 'trackId']

/** A trimmed component needs room for its hash and something to read. */
const MIN_COMPONENT_BYTES = 40

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
  return new TemplateRule(parseTemplate(text, encoding, elements), options.distinct ?? true)
}

class TemplateRule implements NamingRule {
  readonly distinct: boolean
  readonly elements: readonly string[]
  readonly #components: readonly (readonly TemplateToken[])[]
  readonly #separators: readonly (readonly string[])[]

  constructor(components: readonly (readonly TemplateToken[])[], distinct: boolean) {
    this.#components = components
    this.distinct = distinct
    this.#separators = components.map((component) => (distinct ? separatorsOf(component) : component.map(() => '')))
    const used = components.flat().flatMap((token) => (token.type === 'text' ? [] : [token.element]))
    this.elements = [...new Set(used)]
  }

  name(facts: NamingFacts, room: NamingRoom = {}): string {
    const suffixes = room.suffixes ?? OUTPUT_SUFFIXES
    const components = this.#components.map((_, index) => this.#component(index, facts))
    // The room for the longest suffix comes first; what is left is the name's.
    const behind = Math.max(0, ...suffixes.map((suffix) => byteLength(suffix.split('/', 1)[0] ?? '')))
    const limits = components.map((_, index) =>
      index === components.length - 1 ? MAX_COMPONENT_BYTES - behind : MAX_COMPONENT_BYTES,
    )
    const total = MAX_NAME_BYTES - Math.max(0, ...suffixes.map(byteLength)) - (components.length - 1)
    const cap = evenCap(
      components.map((component, index) => Math.min(byteLength(component), limits[index] as number)),
      total,
    )
    return components
      .map((component, index) => {
        const max = Math.min(limits[index] as number, cap)
        if (max < MIN_COMPONENT_BYTES && byteLength(component) > max) {
          throw new NamingError('NAMING_NO_ROOM', `the name is too long: ${max} bytes are left for ${component}`)
        }
        return trimName(component, { max, unit: 'bytes' })
      })
      .join('/')
  }

  #component(index: number, facts: NamingFacts): string {
    const tokens = this.#components[index] as readonly TemplateToken[]
    const texts = tokens.map((token, at) => this.#render(token, index, at, facts))
    const component = texts.join('')
    if (!isReservedName(component)) return component
    // The name of a device: encoding one character of a fact makes it another name, and no other fact gives that one.
    const at = tokens.findIndex(
      (token, other) =>
        token.type === 'value' &&
        token.encoding === 'percent' &&
        factOf(token.element, facts) !== undefined &&
        !(texts[other] as string).startsWith('%'),
    )
    const changed = texts.map((text, other) => (other === at ? encodeFirst(text) : text)).join('')
    if (isReservedName(changed)) {
      throw new NamingError('NAMING_BAD_FACT', `${component} is the name of a device on Windows`)
    }
    return changed
  }

  #render(token: TemplateToken, index: number, at: number, facts: NamingFacts): string {
    if (token.type === 'text') return token.text
    if (token.type !== 'value') {
      const text = token.render(facts)
      if (text === undefined) throw missing(token.element)
      return text
    }
    const value = factOf(token.element, facts)
    if (value === undefined) return fallbackOf(token, facts)
    const tokens = this.#components[index] as readonly TemplateToken[]
    const atEnd = at === tokens.length - 1
    const context = {
      separators: this.#separators[index]?.[at] ?? '',
      atStart: at === 0,
      atEnd,
      endsName: atEnd && index === this.#components.length - 1,
      taken: [
        ...(ofParticipants.includes(token.element) ? [COMPOSITE] : []),
        ...(token.fallback === undefined ? [] : [token.fallback]),
      ],
    }
    const encoded = encodeElement(value, token.encoding, context, token.element)
    return token.limit === undefined ? encoded : trimName(encoded, token.limit)
  }
}

function factOf(element: string, facts: NamingFacts): string | undefined {
  const own = Object.hasOwn(facts, element) ? facts[element as keyof NamingFacts] : undefined
  const value =
    own ?? (facts.extras !== undefined && Object.hasOwn(facts.extras, element) ? facts.extras[element] : undefined)
  // An empty fact would leave an empty component: it counts as missing.
  return typeof value === 'string' && value !== '' ? value : undefined
}

function fallbackOf(token: ValueToken, facts: NamingFacts): string {
  if (token.fallback !== undefined) return token.fallback
  if (facts.kind === 'composite' && ofParticipants.includes(token.element)) return COMPOSITE
  throw missing(token.element)
}

function missing(element: string): NamingError {
  return new NamingError(
    'NAMING_MISSING_FACT',
    `the template uses {${element}}, which this output does not have`,
    element,
  )
}

/** The length to which the longest have to be cut so that all together have at most `total`. */
function evenCap(lengths: readonly number[], total: number): number {
  let left = total
  const sorted = [...lengths].sort((one, other) => one - other)
  for (const [index, length] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - index))
    if (length > share) return share
    left -= length
  }
  return Number.POSITIVE_INFINITY
}
