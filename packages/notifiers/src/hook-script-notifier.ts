import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { ConfigurationError, type RecordingEvent } from '@rushes/media'
import type { Deliver, DeliveryOutcome } from './delivery.js'
import { NotifierError, systemCode } from './errors.js'
import { eventBody } from './event-body.js'
import { type EventOutput, localPathOf, outputsOf } from './event-facts.js'
import type { OutboxItem } from './outbox.js'
import { createOutboxNotifier, type OutboxNotifier } from './outbox-notifier.js'
import type { OutboxOptions } from './outbox-options.js'
import { runScript, type ScriptEnd } from './run-script.js'

/** A finished output that stands on a disk of this machine. */
export interface FinishedFile extends EventOutput {
  /** Absolute. */
  readonly path: string
  /** The participant's id, or the room's for an output of all. */
  readonly streamName: string
}

/** What a script wrote. */
export interface ScriptOutput {
  readonly eventId: string
  readonly file: FinishedFile
  readonly exitCode: number | null
  /** The first 64 KiB of each, as UTF-8. */
  readonly stdout: string
  readonly stderr: string
  /** There was more. */
  readonly truncated: boolean
}

/** Options of `createHookScriptNotifier`. */
export interface HookScriptNotifierOptions extends Omit<OutboxOptions, 'maxAttempts'> {
  /** The program: an absolute path, executable. */
  readonly path: string
  /** Which events tell of files; default LINK and READY. A file that both tell of is handed over once. */
  readonly on?: readonly ('LINK' | 'READY')[]
  /** The arguments, by default the stream's name and the absolute path. The event comes without `data.outputs`. */
  readonly args?: (event: RecordingEvent, file: FinishedFile) => readonly string[]
  /** Default: the process's. */
  readonly cwd?: string
  /** Environment beside `PATH`, `LANG` and the `RUSHES_` variables. Nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>
  /** Then the script and what it started are ended, in milliseconds; default 60,000. */
  readonly timeoutMs?: number
  /** From SIGTERM to SIGKILL, in milliseconds; default 5000. */
  readonly killAfterMs?: number
  /** How often a script that failed is run again; default 0. */
  readonly retries?: number
  /** Gets what each run wrote. */
  readonly onOutput?: (output: ScriptOutput) => void
}

/** Hands finished files to a script. */
export type HookScriptNotifier = OutboxNotifier

/** What is journalled for a file. */
interface HookBody {
  readonly event: RecordingEvent
  readonly file: FinishedFile
}

/**
 * Runs a program for each finished file on this machine's disks: without a shell, one after the other per recording.
 * Resolves when the journal has been read; files that were not handed over are now. Throws `ConfigurationError`.
 */
export async function createHookScriptNotifier(options: HookScriptNotifierOptions): Promise<HookScriptNotifier> {
  const { path, on = ['LINK', 'READY'], retries = 0, timeoutMs = 60_000, killAfterMs = 5000 } = options
  if (typeof path !== 'string' || !isAbsolute(path))
    throw new ConfigurationError('path', 'must be an absolute path', path)
  if (!(await isExecutable(path))) {
    throw new ConfigurationError('path', 'must be a file that can be executed', path)
  }
  for (const [field, ms] of Object.entries({ timeoutMs, killAfterMs })) {
    if (!(ms > 0 && ms <= 2_147_483_647)) throw new ConfigurationError(field, 'must be more than 0 ms', ms)
  }
  if (!Number.isInteger(retries) || retries < 0) {
    throw new ConfigurationError('retries', 'must be a whole number, 0 or more', retries)
  }
  return createOutboxNotifier({
    ...options,
    name: 'hook-script',
    events: on,
    maxAttempts: retries + 1,
    maxConcurrent: options.maxConcurrent ?? 2,
    itemsOf: finishedFiles,
    deliver: createHookDeliver({ ...options, timeoutMs, killAfterMs }),
  })
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** An item per file, known by its path: LINK and READY may both tell of it. */
function finishedFiles(event: RecordingEvent): readonly OutboxItem[] {
  // Each file has its own facts; with the list in every item a large recording's journal would grow with its square.
  const { outputs, ...data } = event.data
  const eventText = eventBody({ ...event, data })
  return outputsOf(event).flatMap((output) => {
    const path = localPathOf(output)
    if (path === undefined || !output.final) return []
    const file: FinishedFile = { ...output, path, streamName: output.participantId ?? event.roomId }
    const body = `{"event":${eventText},"file":${JSON.stringify(file)}}`
    return [{ id: `file:${path}`, type: event.type, body }]
  })
}

function createHookDeliver(
  options: HookScriptNotifierOptions & { readonly timeoutMs: number; readonly killAfterMs: number },
): Deliver {
  const { path, args = defaultArguments, cwd, timeoutMs, killAfterMs } = options
  return async ({ body }, attempt, signal) => {
    const { event, file } = JSON.parse(body) as HookBody
    const end = await runScript({
      path,
      args: args(event, file).map(String),
      cwd,
      env: environment(event, attempt, options.env),
      timeoutMs,
      killAfterMs,
      signal,
    })
    if (end.state !== 'not-started') tellOutput(options, event, file, end)
    return outcomeOf(end, timeoutMs)
  }
}

function defaultArguments(_event: RecordingEvent, file: FinishedFile): readonly string[] {
  return [file.streamName, file.path]
}

function environment(
  event: RecordingEvent,
  attempt: number,
  own: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  // A zero byte ends an environment variable, and Node refuses it.
  const value = (text: string): string => text.replaceAll('\0', '')
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    RUSHES_EVENT_ID: value(event.id),
    RUSHES_EVENT_TYPE: value(event.type),
    RUSHES_RECORDING_ID: value(event.recordingId),
    RUSHES_ROOM_ID: value(event.roomId),
    RUSHES_ATTEMPT: String(attempt),
    ...own,
  }
}

function tellOutput(
  options: HookScriptNotifierOptions,
  event: RecordingEvent,
  file: FinishedFile,
  end: ScriptEnd,
): void {
  const { exitCode, stdout, stderr, truncated } = end
  try {
    options.onOutput?.({ eventId: event.id, file, exitCode, stdout, stderr, truncated })
    if (exitCode !== 0 && stderr !== '') options.logger?.warn('hook-script: wrote to standard error', { stderr })
  } catch {
    // The host's code must not make a script that ran run again.
  }
}

function outcomeOf({ state, exitCode, endSignal, error }: ScriptEnd, timeoutMs: number): DeliveryOutcome {
  if (state === 'exited' && exitCode === 0) return { status: 'delivered' }
  return { status: 'retry', error: failure() }

  function failure(): NotifierError {
    if (state === 'not-started') {
      return new NotifierError('HOOK_NOT_STARTED', `the script cannot be run: ${systemCode(error)}`)
    }
    if (state === 'timed-out') return new NotifierError('HOOK_TIMEOUT', `the script ran longer than ${timeoutMs} ms`)
    if (exitCode === null) return new NotifierError('HOOK_FAILED', `the script was ended by ${endSignal}`)
    return new NotifierError('HOOK_FAILED', `the script ended with exit code ${exitCode}`, { status: exitCode })
  }
}
