import { encodeElement, encodeFirst, isReservedName } from './element-encoding.js'
import { NamingError } from './errors.js'
import { byteLength, MAX_COMPONENT_BYTES, MAX_NAME_BYTES, trimName } from './name-limits.js'
import type { NamingFacts, NamingRoom, NamingRule } from './naming-rule.js'
import { OUTPUT_SUFFIXES } from './output-suffixes.js'
import type { TemplateToken, ValueToken } from './parse-template.js'

/** What stands for the participant in the name of a composite output. */
const COMPOSITE = 'composite'
const ofParticipants = [
  'participantId',
  'participantName',
  'trackId',
  'streamId',
  'streamName',
  'mediaSessionId',
  'login',
  'uid',
]

/** A trimmed component needs room for its hash and something to read. */
const MIN_COMPONENT_BYTES = 40

/** A template that has been understood: components between `/`, each a list of tokens. */
export class TemplateRule implements NamingRule {
  readonly distinct: boolean
  readonly elements: readonly string[]
  readonly #components: readonly (readonly TemplateToken[])[]

  constructor(components: readonly (readonly TemplateToken[])[], distinct: boolean) {
    this.#components = components
    this.distinct = distinct
    this.elements = [...new Set(components.flat().flatMap(factsOf))]
  }

  name(facts: NamingFacts, room: NamingRoom = {}): string {
    const suffixes = room.suffixes ?? OUTPUT_SUFFIXES
    const components = this.#components.map((_, index) => this.#component(index, facts))
    // The room for the longest suffix comes first; what is left is the name's.
    const behind = Math.max(0, ...suffixes.map((suffix) => byteLength(suffix.split('/', 1)[0] ?? '')))
    const limits = this.#components.map((_, index) =>
      this.#namesObjects(index) ? MAX_COMPONENT_BYTES - behind : MAX_COMPONENT_BYTES,
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

  /** Suffixes are appended to the last component, and to those that are the last one of a related rule. */
  #namesObjects(index: number): boolean {
    const tokens = this.#components[index] as readonly TemplateToken[]
    return (
      index === this.#components.length - 1 || tokens.some((token) => token.type === 'value' && token.endsName === true)
    )
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
        factBehind(token, facts) !== undefined &&
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
    const value = factBehind(token, facts)
    if (value === undefined) return fallbackOf(token, facts)
    const atEnd = at === (this.#components[index] as readonly TemplateToken[]).length - 1
    const context = {
      avoid: token.avoid,
      atStart: at === 0,
      atEnd,
      endsName: atEnd && this.#namesObjects(index),
      taken: [
        ...(ofParticipants.includes(token.element) ? [COMPOSITE] : []),
        ...(facts.kind === 'individual' && ofParticipants.includes(token.element) ? (facts.compositeNames ?? []) : []),
        ...(token.fallback === undefined ? [] : [token.fallback]),
      ],
    }
    const encoded = encodeElement(value, token.encoding, context, token.element)
    return token.limit === undefined ? encoded : trimName(encoded, token.limit)
  }
}

function factsOf(token: TemplateToken): readonly string[] {
  if (token.type === 'text') return []
  if (token.type === 'value') return [token.element, ...(token.standIns ?? [])]
  return token.uses ?? [token.element]
}

function factBehind(token: ValueToken, facts: NamingFacts): string | undefined {
  for (const name of factsOf(token)) {
    const value = factOf(name, facts)
    if (value !== undefined) return value
  }
  return undefined
}

/** A fact of text, of the facts themselves or of their extras. */
export function factOf(name: string, facts: NamingFacts): string | undefined {
  const own = Object.hasOwn(facts, name) ? facts[name as keyof NamingFacts] : undefined
  const value =
    own ?? (facts.extras !== undefined && Object.hasOwn(facts.extras, name) ? facts.extras[name] : undefined)
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
