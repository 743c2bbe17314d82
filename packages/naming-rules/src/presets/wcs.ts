import { ConfigurationError } from '@rushes/media'
import type { ElementEncoding } from '../element-encoding.js'
import { NamingError } from '../errors.js'
import type { NamingFacts, NamingRoom, NamingRule } from '../naming-rule.js'
import { OUTPUT_SUFFIXES } from '../output-suffixes.js'
import { TemplateRule } from '../template-rule.js'
import { type PresetOptions, prefixComponents } from './preset-rule.js'
import { hasPartTimes, parseWcsTemplate } from './wcs-template.js'

/** The template that WCS uses when none is set. */
export const WCS_DEFAULT_TEMPLATE = 'stream-{sessionId}-{mediaSessionId}-{login}'

/** The settings of WCS that names depend on. */
export interface WcsNamingOptions extends PresetOptions {
  /** `stream_record_policy`: `streamName` is short for the template `{streamName}`. @defaultValue 'template' */
  readonly policy?: 'template' | 'streamName'
  /**
   * `stream_record_policy_template`, with `{streamName}` `{startTime}` `{endTime}` `{startTimeMillis}` `{endTimeMillis}`
   * `{duration}` `{sessionId}` `{mediaSessionId}` `{login}` `{audioCodec}` `{videoCodec}`; without folders.
   * @defaultValue `stream-{sessionId}-{mediaSessionId}-{login}`
   */
  readonly template?: string
  /** Of the stream's name, the media session and the login; the session is always Base64url. @defaultValue 'percent' */
  readonly encoding?: ElementEncoding
}

/** Parts have as many digits at least for which there is room, so that all of them share what is before the number. */
const PART_DIGITS = 5

/**
 * Names of Flashphoner WCS. The parts of a recording are numbered from 1 (`name_1.mp4`), the last has no number; where
 * the template has a start or end time, no part has a number, and each has its own times.
 *
 * Not distinct: signs between the elements are not encoded in them, a stream that is published again has the same name
 * under `streamName`, and part 1 of `cam` is called like the stream `cam_1`.
 * @throws ConfigurationError `policy`, `template`, `encoding`, `prefix`
 */
export function wcs(options: WcsNamingOptions = {}): NamingRule {
  const { policy = 'template', encoding = 'percent' } = options
  if (!['template', 'streamName'].includes(policy)) {
    throw new ConfigurationError('policy', 'must be template or streamName', policy)
  }
  if (!['none', 'percent', 'base64url'].includes(encoding)) {
    throw new ConfigurationError('encoding', 'must be none, percent or base64url', encoding)
  }
  if (policy === 'streamName' && options.template !== undefined) {
    throw new ConfigurationError('template', 'takes no part in the policy streamName: leave it out', options.template)
  }
  const text = policy === 'streamName' ? '{streamName}' : (options.template ?? WCS_DEFAULT_TEMPLATE)
  const tokens = parseWcsTemplate(text, encoding)
  return new WcsRule(new TemplateRule([...prefixComponents(options.prefix), tokens], false), hasPartTimes(tokens))
}

class WcsRule implements NamingRule {
  readonly distinct = false
  readonly elements: readonly string[]
  readonly #stem: TemplateRule
  readonly #hasPartTimes: boolean

  constructor(stem: TemplateRule, partTimes: boolean) {
    this.#stem = stem
    this.#hasPartTimes = partTimes
    this.elements = [...stem.elements, 'part']
  }

  name(facts: NamingFacts, room: NamingRoom = {}): string {
    const suffixes = room.suffixes ?? OUTPUT_SUFFIXES
    if (this.#hasPartTimes) return this.#stem.name(facts, { suffixes })
    const { part } = facts
    if (part !== undefined && !(Number.isSafeInteger(part) && part >= 1)) {
      throw new NamingError('NAMING_BAD_FACT', `a part must be an integer from 1, got ${part}`, 'part')
    }
    const number = part === undefined || facts.lastPart === true ? '' : `_${part}`
    const reserve = number.padEnd(1 + PART_DIGITS, '0')
    // A number takes the place of `.part-00001`.
    const behind = suffixes.map((suffix) => (suffix.startsWith('.part-') ? suffix : reserve + suffix))
    const stem = this.#stem.name(facts, { suffixes: behind })
    return stem + number
  }
}
