import type { Track } from '@rushes/media'
import {
  type NamingFacts,
  type NamingRule,
  type OutputContainer,
  type OutputNames,
  outputNames,
} from '@rushes/naming-rules'

/** What is known of an output when it is named. */
export interface NamedOutput {
  readonly container: OutputContainer
  readonly tracks: readonly Track[]
  /** Number from 1, where there are several. */
  readonly part?: number | undefined
  /** No part comes after this one; left out where that is not known. */
  readonly isLast?: boolean | undefined
  /** Microseconds of recording time. */
  readonly startUs: number
  /** Left out while it grows. */
  readonly endUs?: number | undefined
}

/** Names the outputs of one participant. A name is of what is known when it is first needed: HLS begins with its name. */
export class OutputNaming {
  readonly #rule: NamingRule
  readonly #facts: NamingFacts
  readonly #claim: (stem: string) => void

  /** @param claim is told every stem, to find those that two participants share */
  constructor(rule: NamingRule, facts: NamingFacts, claim: (stem: string) => void) {
    this.#rule = rule
    this.#facts = facts
    this.#claim = claim
  }

  /** Finds out whether two participants have one name before there is any work, where nothing more must be known for it. */
  check(part: number | undefined): void {
    const { elements } = this.#rule
    if (['audioCodec', 'videoCodec', 'endedAt'].some((element) => elements.includes(element))) return
    this.of({ container: 'mp4', tracks: [], part, startUs: 0 })
  }

  /**
   * Names of what is of the recording as a whole, whether it has parts or not: those of the first part, where the rule
   * names parts.
   * @throws NamingError where the rule uses what is not known yet
   */
  ofWhole(output: Omit<NamedOutput, 'part' | 'isLast'>): OutputNames {
    return this.of(this.#rule.elements.includes('part') ? { ...output, part: 1 } : output)
  }

  /** @throws NamingError where the rule uses what is not known yet */
  of(output: NamedOutput): OutputNames {
    const { container, tracks, part, endUs } = output
    const { startedAtUs } = this.#facts
    // The end of the media, so that a live render and a later one agree.
    const endedAtUs = endUs === undefined ? this.#facts.endedAtUs : startedAtUs + endUs
    const videoCodec = tracks.find(({ kind }) => kind === 'video')?.codec
    const audioCodec = tracks.find(({ kind }) => kind === 'audio')?.codec
    const facts: NamingFacts = {
      ...this.#facts,
      ...(endedAtUs === undefined ? undefined : { endedAtUs }),
      ...(videoCodec === undefined ? undefined : { videoCodec }),
      ...(audioCodec === undefined ? undefined : { audioCodec }),
    }
    const names = part === undefined ? outputNames(this.#rule, facts, container) : this.#part(facts, part, output)
    this.#claim(names.stem)
    return names
  }

  #part(facts: NamingFacts, part: number, { container, isLast, startUs, endUs }: NamedOutput): OutputNames {
    const own = {
      part,
      ...(isLast === undefined ? undefined : { lastPart: isLast }),
      partStartedAtUs: facts.startedAtUs + startUs,
      ...(endUs === undefined ? undefined : { partEndedAtUs: facts.startedAtUs + endUs }),
    }
    // Where the rule names parts there is no name of the whole to begin with.
    if (this.#rule.elements.includes('part')) return outputNames(this.#rule, { ...facts, ...own }, container)
    return outputNames(this.#rule, facts, container).part(own)
  }
}
