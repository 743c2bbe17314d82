import { ConfigurationError } from '@rushes/media'
import type { Terminal } from './terminal.js'

/** A secret never stands on a command line, where every user of the machine can read it. */
export function secretOf(option: string, name: string | undefined, terminal: Terminal): string {
  if (name === undefined) throw new ConfigurationError(option, 'must name the environment variable with the secret')
  const secret = terminal.env[name]
  if (secret === undefined || secret === '') {
    throw new ConfigurationError(option, 'names an environment variable that is not set', name)
  }
  return secret
}
