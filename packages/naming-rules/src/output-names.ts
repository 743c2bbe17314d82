import { NamingError } from './errors.js'
import { byteLength, MAX_COMPONENT_BYTES, MAX_NAME_BYTES } from './name-limits.js'
import type { NamingFacts, NamingRule } from './naming-rule.js'
import { MAIN_SUFFIX, OUTPUT_SUFFIXES, type OutputContainer } from './output-suffixes.js'

/** The names of all objects of one output. */
export interface OutputNames {
  /** What they all start with. */
  readonly stem: string
  /** What a player is given: the playlist or the file. */
  readonly main: string
  /**
   * The key of one object: `key('.mp4')`, `key('/segment-00000001.ts')`. `suffix` starts with a dot or a slash.
   * @throws NamingError `NAMING_NO_ROOM` when the suffix is longer than the names leave room for
   */
  key(suffix: string): string
}

/**
 * The names of an output by a rule, with room for every suffix that Rushes uses.
 * @throws NamingError
 */
export function outputNames(rule: NamingRule, facts: NamingFacts, container: OutputContainer): OutputNames {
  const stem = rule.name(facts, { suffixes: OUTPUT_SUFFIXES })
  const key = (suffix: string): string => {
    if (!/^[./][^/]/.test(suffix)) {
      throw new NamingError('NAMING_NO_ROOM', `a suffix starts with a dot or a slash and has more, got ${suffix}`)
    }
    const whole = stem + suffix
    const tooLong = whole.split('/').some((component) => byteLength(component) > MAX_COMPONENT_BYTES)
    if (tooLong || byteLength(whole) > MAX_NAME_BYTES) {
      throw new NamingError('NAMING_NO_ROOM', `there is no room for ${suffix} behind ${stem}`)
    }
    return whole
  }
  return { stem, main: key(MAIN_SUFFIX[container]), key }
}
