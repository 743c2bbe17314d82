import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { CompositeSettings, Layout } from '@rushes/compositor'
import { ConfigurationError } from '@rushes/media'
import type { OutputKind } from '@rushes/render'
import type { Command } from 'commander'
import { parseNumber } from './option-values.js'
import { given } from './render-options.js'

/** The options of a composite recording, as they are typed. */
export interface CompositeArguments {
  readonly composite?: boolean
  readonly individual?: boolean
  readonly layout?: string
  readonly size?: string
  readonly fps?: string
}

/** Adds them to a command. */
export function defineComposite(command: Command): Command {
  return command
    .option('--composite', 'everyone in one picture and one sound, in place of one recording for each')
    .option('--individual', 'with --composite: one recording for each as well')
    .option(
      '--layout <layout>',
      'of the composite: grid, spotlight, presentation, single, pip, side-by-side, or a JSON file (default: grid)',
    )
    .option('--size <pixels>', 'of the composite (default: 1280x720)')
    .option('--fps <number>', 'pictures a second of the composite, 1 to 60 (default: 30)')
}

/**
 * The outputs that the options ask for; `undefined` where they say nothing of it.
 * @throws ConfigurationError that names the option
 */
export async function outputsOf(options: CompositeArguments, cwd: string): Promise<readonly OutputKind[] | undefined> {
  const { composite, individual, layout, size, fps } = options
  if (composite !== true) {
    for (const [option, value] of Object.entries({ '--layout': layout, '--size': size, '--fps': fps })) {
      if (value !== undefined) throw new ConfigurationError(option, 'goes with --composite', value)
    }
    return undefined
  }
  const settings: CompositeSettings = {
    // Who asks for a layout wants it from the beginning to the end, whatever was set while it was recorded.
    ...(layout === undefined ? {} : { layout: (await readLayout(layout, cwd)) as Layout | string, changes: [] }),
    ...given(size, (text) => ({ size: text })),
    ...given(fps, (text) => ({ fps: parseNumber('--fps', text) })),
  }
  return individual === true ? [{ composite: settings }, 'individual'] : [{ composite: settings }]
}

/** A name is taken as it is; anything like a path is read. */
async function readLayout(layout: string, cwd: string): Promise<string | object> {
  if (/^[a-z-]+$/.test(layout)) return layout
  let text: string
  try {
    text = await readFile(resolve(cwd, layout), 'utf8')
  } catch (error) {
    throw new ConfigurationError('--layout', `is neither a layout nor a file (${(error as Error).message})`, layout)
  }
  try {
    return JSON.parse(text) as object
  } catch (error) {
    throw new ConfigurationError('--layout', `is not JSON: ${(error as Error).message}`, layout)
  }
}
