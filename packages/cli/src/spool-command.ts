import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readSpool, type SpoolFileEntry } from '@rushes/storage-adapters/spool'
import { SPOOL_FOLDER } from './destination.js'
import { styleOf, type Terminal } from './terminal.js'
import { pathFrom } from './text/path-from.js'
import { printable } from './text/printable.js'
import { formatBytes, formatCount, formatTime } from './text/quantities.js'
import { formatTable } from './text/table.js'

/** The options of `rushes spool` as they are typed. */
export interface SpoolArguments {
  readonly json?: boolean
  readonly verbose?: boolean
}

/** Rows of the table: what waits longest. */
const MAX_ROWS = 20

/** `rushes spool DIR`: shows what waits. Resolves with false where something was given up. */
export async function spoolCommand(given: string, { json }: SpoolArguments, terminal: Terminal): Promise<boolean> {
  const dir = await spoolIn(resolve(terminal.cwd, given))
  const state = await readSpool(dir)
  const waiting = state.entries.filter((entry) => entry.state === 'waiting')
  const isSound = waiting.every(({ failure }) => failure === undefined)
  if (json === true) {
    terminal.stdout.write(`${JSON.stringify(state, null, 2)}\n`)
    return isSound
  }
  const style = styleOf(terminal)
  const { owner } = state
  const holder = owner === undefined ? 'no process has it open' : `process ${owner.pid} on ${owner.host} has it open`
  const lines = [`${style.bold(printable(pathFrom(terminal.cwd, dir)))}  ${style.dim(holder)}\n`]
  if (waiting.length === 0) lines.push(`${style.green('✓')} nothing waits\n`)
  else {
    const nowMs = Date.now()
    const row = ({ key, kind, bytes, putAtMs, hasCheckpoint, failure }: SpoolFileEntry): string[] => [
      printable(key),
      kind === 'delete' ? 'delete' : formatBytes(bytes),
      formatTime(Math.max(0, nowMs - putAtMs) * 1000),
      failure === undefined ? (hasCheckpoint ? 'partly sent' : '') : `given up: ${failure.code}`,
    ]
    const columns = [
      { header: 'object' },
      { header: 'size', align: 'right' as const },
      { header: 'waits', align: 'right' as const },
      { header: '' },
    ]
    lines.push('\n', formatTable(columns, waiting.slice(0, MAX_ROWS).map(row), { style }))
    if (waiting.length > MAX_ROWS) lines.push(`  … and ${formatCount(waiting.length - MAX_ROWS, 'other')}\n`)
    lines.push(`\n${formatCount(state.waiting, 'object')} waiting, ${formatBytes(state.waitingBytes)}\n`)
  }
  if (state.damagedLines > 0) {
    lines.push(`${style.yellow('warning')}  ${formatCount(state.damagedLines, 'line')} of its journal cannot be read\n`)
  }
  terminal.stdout.write(lines.join(''))
  return isSound
}

/** The folder itself, or the one that `rushes record` keeps in a journal. */
async function spoolIn(dir: string): Promise<string> {
  const inside = join(dir, SPOOL_FOLDER)
  return access(inside).then(
    () => inside,
    () => dir,
  )
}
