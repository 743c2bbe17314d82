import { ConfigurationError } from '@rushes/media'
import { type ElementEncoding, unsafeCharacterIn } from '../element-encoding.js'
import { NamingError } from '../errors.js'
import type { NamingFacts } from '../naming-rule.js'
import { checkText, fault, type TemplateToken } from '../parse-template.js'
import { factOf } from '../template-rule.js'

/** The text elements: their greatest lengths as the product gives them, and what stands in for a missing fact. */
const texts: Readonly<Record<string, { readonly max?: number; readonly standIns: readonly string[] }>> = {
  streamName: { standIns: ['participantId', 'roomId'] },
  sessionId: { max: 60, standIns: ['recordingId'] },
  mediaSessionId: { max: 36, standIns: ['participantId'] },
  login: { max: 32, standIns: ['participantName', 'participantId'] },
}

/** Milliseconds in decimal: no date needs more than the 20 characters that the product allows. */
const times: Readonly<
  Record<string, { readonly uses: readonly string[]; readonly us: (facts: NamingFacts) => number | undefined }>
> = {
  startTime: { uses: ['startedAt'], us: startOf },
  startTimeMillis: { uses: ['startedAt'], us: startOf },
  endTime: { uses: ['endedAt'], us: endOf },
  endTimeMillis: { uses: ['endedAt'], us: endOf },
  duration: { uses: ['startedAt', 'endedAt'], us: durationOf },
}

/** Above the year 9999, and in 20 digits. */
const MAX_TIME_US = 1e18

const CODEC_CHARACTERS = 4
const codecs = ['audioCodec', 'videoCodec'] as const

/** Whether a template tells parts apart by their times. */
export function hasPartTimes(tokens: readonly TemplateToken[]): boolean {
  return tokens.some((token) => token.type === 'digits' && token.element !== 'duration')
}

/**
 * The tokens of a `stream_record_policy_template`: text and elements in braces, without folders.
 * @throws ConfigurationError naming the position
 */
export function parseWcsTemplate(text: string, encoding: ElementEncoding): readonly TemplateToken[] {
  const tokens: TemplateToken[] = []
  for (const { 0: piece, index } of text.matchAll(/\{[^{}]*\}|[^{}]+|[{}]/g)) {
    const position = index
    if (piece === '{' || piece === '}') throw fault(position, 'a brace without the other one')
    if (piece.startsWith('{')) tokens.push(elementToken(piece.slice(1, -1), position, encoding))
    else {
      const unsafe = unsafeCharacterIn(piece)
      if (unsafe !== undefined) throw fault(position, `${JSON.stringify(unsafe)} cannot stand in a name`)
      tokens.push({ type: 'text', text: piece, position })
    }
  }
  if (tokens.length === 0) throw new ConfigurationError('template', 'must not be empty')
  checkText(tokens, 0)
  return tokens
}

function elementToken(element: string, position: number, encoding: ElementEncoding): TemplateToken {
  const text = Object.hasOwn(texts, element) ? texts[element] : undefined
  if (text !== undefined) {
    return {
      type: 'value',
      element,
      position,
      // A session of the product is a pair of network addresses.
      encoding: element === 'sessionId' ? 'base64url' : encoding,
      limit: text.max === undefined ? undefined : { max: text.max, unit: 'characters' },
      fallback: undefined,
      standIns: text.standIns,
    }
  }
  const time = Object.hasOwn(times, element) ? times[element] : undefined
  if (time !== undefined) {
    return {
      type: 'digits',
      element,
      position,
      uses: time.uses,
      render: (facts) => milliseconds(element, time.us(facts)),
    }
  }
  const codec = codecs.find((name) => name === element)
  if (codec !== undefined) {
    return { type: 'formed', element, position, uses: codecs, render: (facts) => codecOf(codec, facts) }
  }
  const known = [...Object.keys(texts), ...Object.keys(times), ...codecs].join(', ')
  throw fault(position, `{${element}} is no element; known are ${known}`)
}

/** Of a part, its own times. */
function startOf(facts: NamingFacts): number | undefined {
  return facts.part === undefined ? facts.startedAtUs : facts.partStartedAtUs
}

function endOf(facts: NamingFacts): number | undefined {
  return facts.part === undefined ? facts.endedAtUs : facts.partEndedAtUs
}

function durationOf(facts: NamingFacts): number | undefined {
  const startUs = startOf(facts)
  const endUs = endOf(facts)
  return startUs === undefined || endUs === undefined ? undefined : endUs - startUs
}

function milliseconds(element: string, us: number | undefined): string | undefined {
  if (us === undefined) return undefined
  if (us >= 0 && us < MAX_TIME_US) return String(Math.floor(us / 1000))
  throw new NamingError('NAMING_BAD_FACT', `{${element}} must be microseconds, 0 or more, got ${us}`, element)
}

/** Four letters or digits; `none` where only the other kind is there. */
function codecOf(element: (typeof codecs)[number], facts: NamingFacts): string | undefined {
  const of = (name: string): string =>
    (factOf(name, facts) ?? '').replace(/[^\dA-Za-z]/g, '').slice(0, CODEC_CHARACTERS)
  const codec = of(element)
  if (codec !== '') return codec
  return codecs.some((other) => of(other) !== '') ? 'none' : undefined
}
