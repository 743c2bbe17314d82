import type { Logger } from '@rushes/recorder'
import type { Terminal } from './terminal.js'
import { printable } from './text/printable.js'

/** What a recorder would write to a log: failures always, the rest when it is asked for. */
export function recorderLogger({ stderr }: Terminal, isVerbose: boolean): Logger {
  const write = (level: string, message: string, fields: object = {}): void => {
    const cause = 'error' in fields && fields.error instanceof Error ? `: ${fields.error.message}` : ''
    stderr.write(printable(`rushes: ${level}: ${message}${cause}\n`))
  }
  return {
    debug() {},
    info() {},
    warn(message, fields) {
      if (isVerbose) write('warning', message, fields)
    },
    error(message, fields) {
      write('error', message, fields)
    },
  }
}
