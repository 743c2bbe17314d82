import { resolve } from 'node:path'
import { importCaptures } from '@rushes/take'
import { type ImportArguments, importOptionsOf } from './import-options.js'
import { formatImport, summaryOf } from './import-report.js'
import { inspectTake } from './inspect-take.js'
import { RecordStatus } from './record-status.js'
import { inTermsOfOptions } from './render-options.js'
import { styleOf, type Terminal } from './terminal.js'
import { pathFrom } from './text/path-from.js'

/** `rushes import CAPTURE… --out TAKE`: makes a take of captures and says what was in them. */
export async function importCommand(
  captures: readonly string[],
  options: ImportArguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const dir = resolve(terminal.cwd, options.out)
  const status = new RecordStatus(terminal.stderr)
  try {
    const report = await importCaptures({
      ...importOptionsOf(options),
      inputs: captures.map((path) => resolve(terminal.cwd, path)),
      dir,
      signal,
      onProgress({ doneBytes, totalBytes }) {
        if (options.json !== true) status.update(`Importing ${Math.floor((100 * doneBytes) / totalBytes)} %`)
      },
    })
    // What is missing from a stream shows only when it is read as a track.
    const summary = summaryOf(report, await inspectTake(dir, signal))
    status.clear()
    const path = pathFrom(terminal.cwd, dir)
    const text =
      options.json === true ? `${JSON.stringify(summary, null, 2)}\n` : formatImport(summary, path, styleOf(terminal))
    terminal.stdout.write(text)
  } catch (error) {
    status.clear()
    throw inTermsOfOptions(error)
  }
}
