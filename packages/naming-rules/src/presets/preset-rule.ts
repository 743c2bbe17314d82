import { ConfigurationError } from '@rushes/media'
import type { ElementEncoding } from '../element-encoding.js'
import type { NamingFacts, NamingRoom, NamingRule } from '../naming-rule.js'
import { parseTemplate, type TemplateToken, type ValueToken } from '../parse-template.js'
import { TemplateRule } from '../template-rule.js'

/** What all presets have in common. */
export interface PresetOptions {
  /** Folders before the product's own: `recordings/2026`. Slashes at its ends do not count. @defaultValue none */
  readonly prefix?: string
}

/** What a preset knows of an element beyond the template. */
export type ElementTraits = Readonly<
  Record<string, Pick<ValueToken, 'standIns' | 'avoid' | 'endsName'> & { readonly encoding?: ElementEncoding }>
>

/**
 * The components of one of a product's names. Signs between the elements stay as they are in the facts, except where
 * `traits` says that they would be misread.
 */
function presetComponents(text: string, traits: ElementTraits): readonly (readonly TemplateToken[])[] {
  return parseTemplate(text, 'percent', {}).map((component) =>
    component.map((token) => (token.type === 'value' ? { ...token, ...traits[token.element] } : token)),
  )
}

/** The components of a prefix. @throws ConfigurationError */
export function prefixComponents(prefix: string | undefined): readonly (readonly TemplateToken[])[] {
  const bare = (prefix ?? '').replace(/^\/+|\/+$/g, '')
  if (bare === '') return []
  try {
    return parseTemplate(bare.replace(/[{}]/g, '$&$&'), 'percent', {})
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError('prefix', error.message.replace('template: ', ''), prefix)
  }
}

/** A product's names: one form for composite outputs, one for those of a participant. */
export class PresetRule implements NamingRule {
  readonly distinct: boolean
  readonly elements: readonly string[]
  readonly indexSuffix?: '.m3u8'
  readonly #composite: TemplateRule
  readonly #individual: TemplateRule

  constructor(forms: {
    readonly prefix: string | undefined
    readonly composite: string
    readonly individual: string
    readonly traits: ElementTraits
    readonly distinct: boolean
    readonly indexSuffix?: '.m3u8'
  }) {
    const prefix = prefixComponents(forms.prefix)
    const rule = (text: string): TemplateRule =>
      new TemplateRule([...prefix, ...presetComponents(text, forms.traits)], forms.distinct)
    this.#composite = rule(forms.composite)
    this.#individual = rule(forms.individual)
    this.distinct = forms.distinct
    this.elements = [...new Set([...this.#composite.elements, ...this.#individual.elements])]
    if (forms.indexSuffix !== undefined) this.indexSuffix = forms.indexSuffix
  }

  name(facts: NamingFacts, room?: NamingRoom): string {
    return (facts.kind === 'composite' ? this.#composite : this.#individual).name(facts, room)
  }
}
