import { access, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createRecorder, type RecoveredRecording } from '@rushes/recorder'
import { type Destination, openDestination } from './destination.js'
import { CliError } from './errors.js'
import { type FoundTake, repairJournal } from './journal-repair.js'
import { keepJournal } from './keep-journal.js'
import { recorderLogger } from './recorder-logger.js'
import { formatFound, formatRecovered } from './recover-report.js'
import { inTermsOfOptions, namingOf } from './render-options.js'
import { styleOf, type Terminal } from './terminal.js'
import { pathFrom } from './text/path-from.js'
import { closeWebhook, openWebhook, type WebhookArguments } from './webhook-option.js'

/** The options of `rushes recover` as they are typed. */
export interface RecoverArguments extends WebhookArguments {
  readonly out: string
  readonly naming?: string
  readonly keepJournal?: boolean
  readonly verbose?: boolean
}

/** `rushes recover JOURNAL --out DIR`: finishes what a crash left. Resolves with whether all of it is. */
export async function recoverCommand(
  given: string,
  options: RecoverArguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  const journalDir = resolve(terminal.cwd, given)
  const naming = options.naming === undefined ? undefined : namingOf(options.naming)
  await checkJournal(journalDir)
  const found = await repairJournal(journalDir)
  if (found.length === 0) {
    terminal.stdout.write(`${pathFrom(terminal.cwd, journalDir)}: nothing was cut short\n`)
    return true
  }
  const style = styleOf(terminal)
  const shown = (path: string): string => pathFrom(terminal.cwd, path)
  const unfinished = found.filter(({ state }) => state === 'unfinished')
  for (const take of found) {
    if (take.state !== 'unfinished') terminal.stdout.write(formatFound(take, shown(take.dir), style))
  }
  if (unfinished.length === 0) return found.every(isSound)
  const warn = (text: string): void => void terminal.stderr.write(`warning: ${text}\n`)
  const out = await openDestination(options.out, journalDir, terminal, warn)
  const pathOf = out.shown
  for (const { id } of unfinished) terminal.stderr.write(`Finishing ${id} …\n`)
  try {
    const recovered = await finish(unfinished, { journalDir, out, naming }, options, terminal, signal)
    for (const take of unfinished) {
      const result = recovered.find(({ dir }) => dir === take.dir)
      terminal.stdout.write(formatRecovered(take, result, { shown, pathOf, style }))
    }
    return found.every(isSound) && recovered.every(({ outcome }) => outcome === 'ready')
  } finally {
    await out.close()
  }
}

async function finish(
  unfinished: readonly FoundTake[],
  {
    journalDir,
    out,
    naming,
  }: {
    readonly journalDir: string
    readonly out: Destination
    readonly naming: ReturnType<typeof namingOf> | undefined
  },
  options: RecoverArguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<readonly RecoveredRecording[]> {
  if (options.keepJournal === true) for (const { dir } of unfinished) await keepJournal(dir)
  const webhook = await openWebhook(options, journalDir, terminal)
  try {
    const recorder = await createRecorder({
      store: out.store,
      journalDir,
      logger: recorderLogger(terminal, options.verbose === true),
      ...(naming === undefined ? {} : { naming }),
      ...(webhook === undefined ? {} : { notify: webhook }),
    })
    const abandon = (): void => void recorder.close({ mode: 'abandon' })
    signal.addEventListener('abort', abandon, { once: true })
    if (signal.aborted) abandon()
    const recovered = await recorder.recovered
    signal.throwIfAborted()
    await recorder.close()
    return recovered
  } catch (error) {
    throw inTermsOfOptions(error)
  } finally {
    await closeWebhook(webhook, terminal)
  }
}

function isSound({ state }: FoundTake): boolean {
  return state !== 'failed' && state !== 'broken'
}

async function checkJournal(dir: string): Promise<void> {
  const facts = await stat(dir).catch((cause: unknown) => {
    throw new CliError('INPUT_NOT_FOUND', `there is no ${dir}`, { cause })
  })
  if (!facts.isDirectory()) throw new CliError('INPUT_UNKNOWN', `${dir} is no folder`)
  const isTake = await access(join(dir, 'session.json')).then(
    () => true,
    () => false,
  )
  if (isTake)
    throw new CliError('USAGE', `${dir} is a take: JOURNAL is the folder that holds takes, so the one above it`)
}
