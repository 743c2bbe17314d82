import { openStore } from '@rushes/storage-adapters'
import { styleOf, type Terminal } from './terminal.js'
import { printable } from './text/printable.js'

/** The options of `rushes storage probe` as they are typed. */
export interface ProbeArguments {
  readonly name?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

const DEFAULT_NAME = 'rushes-test.json'

/** `rushes storage probe URL`: resolves with whether the store takes objects. */
export async function probeCommand(
  url: string,
  { name = DEFAULT_NAME, json }: ProbeArguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  const store = await openStore(url, { env: terminal.env })
  try {
    const report = await store.probe({ name, signal })
    signal.throwIfAborted()
    if (json === true) {
      terminal.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
      return report.ok
    }
    const style = styleOf(terminal)
    const { ok, message, cause, field, hint, requestId } = report
    const lines = [ok ? `${style.green('✓')} ${message}` : `${style.red('✗')} ${cause}: ${message}`]
    if (field !== undefined) lines.push(`  setting  ${field}`)
    if (hint !== undefined) lines.push(`  to do    ${hint}`)
    if (requestId !== undefined) lines.push(`  request  ${requestId}`)
    terminal.stdout.write(`${lines.map(printable).join('\n')}\n`)
    return ok
  } finally {
    await store.close?.()
  }
}
