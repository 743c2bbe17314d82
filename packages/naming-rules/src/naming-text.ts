import { ConfigurationError } from '@rushes/media'
import type { NamingRule } from './naming-rule.js'
import { fishjam } from './presets/fishjam.js'
import { hundredMs } from './presets/hundred-ms.js'
import { jocloud } from './presets/jocloud.js'
import type { PresetOptions } from './presets/preset-rule.js'
import { wcs } from './presets/wcs.js'
import { template } from './template.js'

interface Preset {
  readonly parameters: readonly string[]
  /** The values are checked by the preset itself. */
  create(options: Readonly<Record<string, string>>): NamingRule
}

const named: Readonly<Record<string, Preset>> = {
  fishjam: { parameters: ['prefix'], create: (options: PresetOptions) => fishjam(options) },
  '100ms': { parameters: ['prefix'], create: (options: PresetOptions) => hundredMs(options) },
  wcs: {
    parameters: ['prefix', 'policy', 'encoding', 'template'],
    create: (options) => wcs(options),
  },
  jocloud: { parameters: ['prefix'], create: (options: PresetOptions) => jocloud(options) },
}

/** What `namingRule` takes for presets. */
export const PRESET_NAMES: readonly string[] = Object.keys(named)

/**
 * The rule that a text asks for: a preset (`fishjam`, `100ms`, `wcs`, `jocloud`), with parameters behind a colon
 * (`100ms:prefix=test-prefix`, `wcs:encoding=none,template={streamName}`; a template is the last one and may contain
 * commas), or a template.
 * @throws ConfigurationError `naming`, or as the preset and `template` do
 */
export function namingRule(text: string): NamingRule {
  const [, name = '', parameters] = /^(\w+)(?::(.*))?$/s.exec(text) ?? []
  const preset = Object.hasOwn(named, name) ? named[name] : undefined
  if (preset !== undefined) return preset.create(parseParameters(name, preset, parameters))
  if (parameters === undefined) return template(text)
  throw new ConfigurationError('naming', `${name} is no preset; known are ${PRESET_NAMES.join(', ')}`)
}

function parseParameters(name: string, preset: Preset, text: string | undefined): Readonly<Record<string, string>> {
  const options: Record<string, string> = {}
  let rest = text ?? ''
  if (text === '') throw new ConfigurationError('naming', `${name}: there is nothing behind the colon`)
  while (rest !== '') {
    const [whole, key = '', value = ''] = /^(template)=(.*)$/s.exec(rest) ?? /^([^=,]*)=([^,]*)(?:,|$)/.exec(rest) ?? []
    if (whole === undefined) throw new ConfigurationError('naming', `${name} takes parameters as name=value`, rest)
    if (!preset.parameters.includes(key)) {
      throw new ConfigurationError('naming', `${name} takes ${preset.parameters.join(', ')}`, key)
    }
    if (Object.hasOwn(options, key)) throw new ConfigurationError('naming', `${name}: ${key} is given twice`)
    options[key] = value
    rest = rest.slice(whole.length)
  }
  return options
}
