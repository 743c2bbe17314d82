import { NamingError } from './errors.js'
import { byteLength, MAX_COMPONENT_BYTES, MAX_NAME_BYTES } from './name-limits.js'
import type { NamingFacts, NamingRule } from './naming-rule.js'
import { INDEX_SUFFIX, MAIN_SUFFIX, OUTPUT_SUFFIXES, type OutputContainer, partSuffix } from './output-suffixes.js'

/** The names of all objects of one output. */
export interface OutputNames {
  /** What they all start with. */
  readonly stem: string
  /** What a player is given: the playlist or the file. */
  readonly main: string
  readonly hls: HlsObjectNames
  /**
   * The key of one object: `key('.mp4')`, `key('/segment-00000001.ts')`. `suffix` starts with a dot or a slash.
   * `/index.m3u8` is the playlist that players are given, wherever the rule has it.
   * @throws NamingError `NAMING_NO_ROOM` when the suffix is longer than the names leave room for
   */
  key(suffix: string): string
  /**
   * The names of one part of the output, by the rule where it names parts, else with `.part-00001` behind the stem.
   * @throws NamingError
   */
  part(facts: PartFacts): OutputNames
}

/** Which part: what differs from part to part. */
export type PartFacts = Required<Pick<NamingFacts, 'part'>> &
  Pick<NamingFacts, 'lastPart' | 'partStartedAtUs' | 'partEndedAtUs'>

/**
 * What the objects of an HLS output are called, for whoever writes playlists: these refer to each other by names that
 * are relative to `prefix`.
 */
export interface HlsObjectNames {
  /** Stands before all of them to make keys: empty, or ends in a slash. */
  readonly prefix: string
  /** The playlist that players are given. */
  readonly index: string
  /** Stands before all others: empty, or ends in a slash. `${folder}media.m3u8`, `${folder}segment-00001.ts`. */
  readonly folder: string
}

/**
 * The names of an output by a rule, with room for every suffix that Rushes uses.
 * @throws NamingError
 */
export function outputNames(rule: NamingRule, facts: NamingFacts, container: OutputContainer): OutputNames {
  return namesOf(rule.name(facts, { suffixes: OUTPUT_SUFFIXES }), rule, facts, container)
}

function namesOf(stem: string, rule: NamingRule, facts: NamingFacts, container: OutputContainer): OutputNames {
  const { indexSuffix = INDEX_SUFFIX } = rule
  const key = (suffix: string): string => keyOf(stem, suffix === INDEX_SUFFIX ? indexSuffix : suffix)
  return {
    stem,
    main: key(MAIN_SUFFIX[container]),
    hls: hlsNamesOf(stem, indexSuffix),
    key,
    part: (one) => {
      const ofPart = { ...facts, ...one }
      if (rule.elements.includes('part')) return outputNames(rule, ofPart, container)
      return namesOf(stem + partSuffix(one.part), rule, ofPart, container)
    },
  }
}

function hlsNamesOf(stem: string, indexSuffix: string): HlsObjectNames {
  if (indexSuffix.startsWith('/')) return { prefix: `${stem}/`, index: indexSuffix.slice(1), folder: '' }
  const start = stem.lastIndexOf('/') + 1
  const name = stem.slice(start)
  return { prefix: stem.slice(0, start), index: name + indexSuffix, folder: `${name}/` }
}

function keyOf(stem: string, suffix: string): string {
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
