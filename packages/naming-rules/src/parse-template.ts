import { ConfigurationError } from '@rushes/media'
import { DEFAULT_DATE_PATTERN, parseDatePattern } from './date-pattern.js'
import { type ElementEncoding, isReservedName, unsafeCharacterIn } from './element-encoding.js'
import { MIN_LIMIT, type NameLimit } from './name-limits.js'
import type { NamingFacts } from './naming-rule.js'

/** How one element of a template is treated. */
export interface ElementOptions {
  /** @defaultValue the template's */
  readonly encoding?: ElementEncoding
  /** The longest that the element may be, encoded; a longer one is trimmed. At least 10. @defaultValue no limit */
  readonly limit?: number
  /** What `limit` counts: Unicode characters, or bytes of UTF-8. @defaultValue 'characters' */
  readonly unit?: 'bytes' | 'characters'
}

/** Text of the template. */
export interface TextToken {
  readonly type: 'text'
  readonly text: string
  readonly position: number
}

/** A fact of any content. */
export interface ValueToken {
  readonly type: 'value'
  readonly element: string
  readonly position: number
  readonly encoding: ElementEncoding
  readonly limit: NameLimit | undefined
  readonly fallback: string | undefined
  /** What of the fact must be encoded because it would be misread where it stands. Global. */
  readonly avoid?: RegExp
  /** Facts that take the place of a missing one, the first that there is. */
  readonly standIns?: readonly string[]
  /** The component is the name of objects, here or in a related rule, though others follow it. */
  readonly endsName?: boolean
}

/** A fact that gives nothing but digits, as many as it takes, or a text of known form. */
export interface FormedToken {
  readonly type: 'digits' | 'formed'
  readonly element: string
  readonly position: number
  /** The facts that it is made of. @defaultValue the element */
  readonly uses?: readonly string[]
  render(facts: NamingFacts): string | undefined
}

/** A piece of a template. */
export type TemplateToken = TextToken | ValueToken | FormedToken

const texts = [
  'recordingId',
  'roomId',
  'sessionId',
  'participantId',
  'participantName',
  'trackId',
  'streamId',
  'streamName',
  'mediaSessionId',
  'login',
  'uid',
]
const times = { startedAt: 'startedAtUs', endedAt: 'endedAtUs' } as const

/**
 * The components of a template, each a list of tokens.
 * @throws ConfigurationError naming the position
 */
export function parseTemplate(
  text: string,
  encoding: ElementEncoding,
  elements: Readonly<Record<string, ElementOptions>>,
): readonly (readonly TemplateToken[])[] {
  if (typeof text !== 'string' || text === '') throw new ConfigurationError('template', 'must not be empty', text)
  const components: TemplateToken[][] = [[]]
  const add = (token: TemplateToken): void => {
    const component = components.at(-1) as TemplateToken[]
    const last = component.at(-1)
    if (token.type === 'text' && last?.type === 'text') {
      component[component.length - 1] = { ...last, text: last.text + token.text }
    } else component.push(token)
  }
  for (let at = 0; at < text.length; ) {
    const char = String.fromCodePoint(text.codePointAt(at) as number)
    if (text.startsWith('{{', at) || text.startsWith('}}', at)) {
      add({ type: 'text', text: char, position: at })
      at += 2
    } else if (char === '{') {
      const end = text.indexOf('}', at)
      if (end < 0) throw fault(at, 'the element has no end: } is missing')
      add(parseElement(text.slice(at + 1, end), at, encoding, elements))
      at = end + 1
    } else if (char === '}') {
      throw fault(at, 'there is a } without its {; a brace as text is written twice')
    } else {
      if (char === '/') components.push([])
      else {
        if (unsafeCharacterIn(char) !== undefined) throw fault(at, `${JSON.stringify(char)} cannot stand in a name`)
        add({ type: 'text', text: char, position: at })
      }
      at += char.length
    }
  }
  let position = 0
  for (const component of components) {
    position = component[0]?.position ?? position
    checkText(component, position)
  }
  return components
}

/** Refuses what must not stand at the ends of a component. */
export function checkText(component: readonly TemplateToken[], position: number): void {
  const first = component[0]
  const last = component.at(-1)
  if (first === undefined || last === undefined) throw fault(position, 'there is an empty component (a / too many)')
  if (first.type === 'text' && /^[. ]/.test(first.text)) {
    throw fault(first.position, 'a component must not begin with a dot or a space')
  }
  if (last.type === 'text' && /[. ]$/.test(last.text)) {
    throw fault(last.position, 'a component must not end in a dot or a space')
  }
  if (first.type === 'text' && isReservedName(component.length === 1 ? first.text : `${first.text}x`)) {
    throw fault(first.position, `${first.text} is the name of a device on Windows`)
  }
}

function parseElement(
  source: string,
  position: number,
  defaultEncoding: ElementEncoding,
  elements: Readonly<Record<string, ElementOptions>>,
): TemplateToken {
  const [, element = '', argument, fallback] = /^([^:|]*)(?::([^|]*))?(?:\|(.*))?$/s.exec(source) ?? []
  if (element in times) {
    const pattern = parseDatePattern(argument ?? DEFAULT_DATE_PATTERN)
    if (typeof pattern === 'string') throw fault(position, `{${element}}: ${pattern}`)
    const key = times[element as keyof typeof times]
    const render = (facts: NamingFacts): string | undefined => {
      const timeUs = facts[key]
      return timeUs === undefined ? undefined : pattern.format(timeUs)
    }
    // The text between the fields is part of the template.
    const sample = pattern.format(0)
    const unsafe = unsafeCharacterIn(sample)
    if (unsafe !== undefined) throw fault(position, `{${element}}: ${JSON.stringify(unsafe)} cannot stand in a name`)
    if (/^[. ]|[. ]$/.test(sample)) throw fault(position, `{${element}} must not begin or end with a dot or a space`)
    return formed(pattern.fixedWidth ? 'formed' : 'digits', element, position, fallback, render)
  }
  if (element === 'kind') {
    if (argument !== undefined) throw fault(position, '{kind} takes no argument')
    return formed('formed', element, position, fallback, (facts) => facts.kind)
  }
  if (element === 'part') {
    if (argument !== undefined && !/^0{1,12}$/.test(argument)) {
      throw fault(position, `{part} takes the zeros that it is padded to, as in {part:0000}, got ${argument}`)
    }
    return formed('digits', element, position, fallback, ({ part }) =>
      part === undefined || !Number.isSafeInteger(part) || part < 0
        ? undefined
        : String(part).padStart(argument?.length ?? 1, '0'),
    )
  }
  if (!texts.includes(element) && !Object.hasOwn(elements, element)) {
    const known = [...texts, ...Object.keys(times), 'kind', 'part', ...Object.keys(elements)].join(', ')
    throw fault(position, `{${element}} is no element; known are ${known}`)
  }
  const options = elements[element] ?? {}
  const encoding = options.encoding ?? defaultEncoding
  const limit = parseLimit(element, argument, options, position)
  if (fallback !== undefined) checkFallback(fallback, encoding, position)
  return { type: 'value', element, position, encoding, limit, fallback }
}

function formed(
  type: FormedToken['type'],
  element: string,
  position: number,
  fallback: string | undefined,
  render: FormedToken['render'],
): FormedToken {
  if (fallback !== undefined) throw fault(position, `{${element}} takes no fallback`)
  return { type, element, position, render }
}

function parseLimit(
  element: string,
  argument: string | undefined,
  options: ElementOptions,
  position: number,
): NameLimit | undefined {
  let { limit: max, unit = 'characters' } = options
  if (argument !== undefined) {
    const match = /^(\d{1,4})(b?)$/.exec(argument)
    if (match === null) {
      throw fault(position, `{${element}} takes a limit in characters (40) or in bytes (40b), got ${argument}`)
    }
    max = Number(match[1])
    unit = match[2] === 'b' ? 'bytes' : 'characters'
  }
  if (max === undefined) return undefined
  if (!Number.isInteger(max) || max < MIN_LIMIT) {
    throw fault(position, `the limit of {${element}} must be an integer of at least ${MIN_LIMIT}, got ${max}`)
  }
  return { max, unit }
}

function checkFallback(fallback: string, encoding: ElementEncoding, position: number): void {
  if (!/^[^. ]/.test(fallback) || !/[^. ]$/.test(fallback) || unsafeCharacterIn(fallback) !== undefined) {
    throw fault(position, `the fallback ${JSON.stringify(fallback)} cannot stand in a name`)
  }
  // Encoded facts cannot have a length of 4n + 1.
  if (encoding === 'base64url' && /^[\w-]+$/.test(fallback) && fallback.length % 4 !== 1) {
    throw fault(position, `the fallback ${fallback} could be an encoded fact; put a dot into it`)
  }
}

/** A fault of the template at a position, counted from 1. */
export function fault(position: number, rule: string): ConfigurationError {
  return new ConfigurationError('template', `at character ${position + 1}: ${rule}`)
}
