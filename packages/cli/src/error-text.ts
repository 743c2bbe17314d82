import { RushesError } from '@rushes/media'
import { systemCodeOf } from './errors.js'
import { printable } from './text/printable.js'

/** What to do about an error whose message cannot say it: the packages below do not know that they serve a command. */
const hints: Readonly<Record<string, string>> = {
  TAKE_NO_SESSION: 'A take is a folder with a session.json and one .rtpdump file per track. Give that folder.',
  TAKE_BAD_SESSION: 'Correct session.json, or restore it from where the take came from.',
  TAKE_FORMAT_TOO_NEW: 'Update rushes.',
  TAKE_UNKNOWN_CODEC: 'The take holds a codec that this version of rushes does not know.',
  TAKE_READ_FAILED: 'Check the permissions of the folder and its files.',
  TAKE_MISSING_TRACK_FILE: 'Bring the track files back into the folder of the take.',
  TAKE_EXISTS: 'A take is never written over: choose another --out.',
  TAKE_BAD_CAPTURE: 'Say what a payload type stands for: --codec 96=video/H264. Encrypted RTP cannot be imported.',
  RENDER_UNKNOWN_PARTICIPANT: 'rushes inspect TAKE lists the participants.',
  RENDER_NO_MEDIA: 'rushes inspect TAKE shows what the take holds: H264 needs at least one whole keyframe.',
  RECORDER_ID_TAKEN: 'Leave --recording out, or choose another.',
  RECORDER_REFUSED: 'Make room on the disk of the journal, or choose another --journal.',
  RECORDER_JOURNAL: 'The journal must be a folder on a local disk that can be written: choose another --journal.',
  RECORDING_NO_MEDIA:
    'Does the sender send to the ports printed at the start, unencrypted, with the payload types given, and whole keyframes?',
  RECORDING_FAILED: 'The take stays in the journal: rushes recover JOURNAL --out DIR, or rushes render TAKE --out DIR.',
  NOTIFIER_JOURNAL_FAILED: 'Undelivered events lie beside the journal: see to its permissions and its disk.',
  JOURNAL_IN_USE: 'Wait until it has ended, or give --journal another folder.',
  ENOSPC: 'The disk is full: make room, or choose another --out.',
  EROFS: 'The file system is read-only: choose another --out.',
}

/** How much is said. */
export interface ErrorTextOptions {
  /** Adds the chain of causes, and the stack of what is not an expected error. @defaultValue false */
  readonly verbose?: boolean
}

/** `rushes: CODE: message` and, where known, what to do about it. Ends with a line feed. */
export function formatError(error: unknown, options: ErrorTextOptions = {}): string {
  const code = codeOf(error)
  const lines = [`rushes: ${code}: ${sentence(error)}`]
  const hint = hints[code] ?? hints[systemCodeOf(rootCause(error)) ?? '']
  if (hint !== undefined) lines.push(`  ${hint}`)
  const isExpected = code !== 'UNEXPECTED'
  if (options.verbose !== true) {
    if (!isExpected) lines.push('  This is a fault of rushes. --verbose shows where it happened.')
  } else {
    for (const cause of causesOf(error)) lines.push(`  caused by ${codeOf(cause)}: ${sentence(cause)}`)
    if (!isExpected && error instanceof Error && error.stack !== undefined) lines.push(printable(error.stack))
  }
  return `${lines.join('\n')}\n`
}

function codeOf(error: unknown): string {
  if (error instanceof RushesError) return error.code
  // Node's own errors carry a code that people know how to search for.
  return systemCodeOf(error) ?? 'UNEXPECTED'
}

function sentence(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error))
}

/** The errors below `error`, the nearest first. The bound stops a chain that bites its tail. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = []
  let current: unknown = error
  while (current instanceof Error && current.cause !== undefined && causes.length < 16) {
    current = current.cause
    causes.push(current)
  }
  return causes
}

function rootCause(error: unknown): unknown {
  return causesOf(error).at(-1) ?? error
}
