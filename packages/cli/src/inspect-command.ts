import { open, stat } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { CliError, systemCodeOf } from './errors.js'
import { inspectMp4, inspectPlaylist, inspectTransportStream } from './inspect-media.js'
import { inspectTake } from './inspect-take.js'
import { formatMediaInspection } from './media-report.js'
import { formatTakeInspection } from './take-report.js'
import { styleOf, type Terminal } from './terminal.js'
import { pathFrom } from './text/path-from.js'

/** The options of `rushes inspect`. */
export interface InspectArguments {
  readonly json?: boolean
  readonly verbose?: boolean
}

/** `rushes inspect PATH`: shows what there is. Resolves with whether no rule of a container is broken. */
export async function inspectCommand(
  given: string,
  options: InspectArguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  const input = await recognise(resolve(terminal.cwd, given))
  const style = styleOf(terminal)
  const write = (found: unknown, format: () => string): void => {
    terminal.stdout.write(options.json === true ? `${JSON.stringify(found, null, 2)}\n` : format())
  }
  if (input.kind === 'take') {
    const take = await inspectTake(input.path, signal)
    write(take, () => formatTakeInspection(take, style))
    return true
  }
  const media = await inspectors[input.kind](input.path, signal)
  write(media, () => formatMediaInspection(media, pathFrom(terminal.cwd, input.path), style))
  return media.findings.length === 0
}

const inspectors = { hls: inspectPlaylist, 'transport-stream': inspectTransportStream, mp4: inspectMp4 } as const

/** What stands at `path`: told by names where there is a rule for them, else by the first bytes. */
async function recognise(
  path: string,
): Promise<{ readonly kind: 'take' | keyof typeof inspectors; readonly path: string }> {
  try {
    if ((await stat(path)).isDirectory()) {
      if (await exists(join(path, 'session.json'))) return { kind: 'take', path }
      if (await exists(join(path, 'index.m3u8'))) return { kind: 'hls', path: join(path, 'index.m3u8') }
      throw new CliError('INPUT_UNKNOWN', `${path} has neither a session.json (a take) nor an index.m3u8 (a playlist)`)
    }
    const head = await readHead(path)
    const extension = extname(path).toLowerCase()
    if (head.startsWith('#EXTM3U') || extension === '.m3u8') return { kind: 'hls', path }
    if (head.slice(4, 8) === 'ftyp' || extension === '.mp4') return { kind: 'mp4', path }
    if (head.startsWith('G') || extension === '.ts') return { kind: 'transport-stream', path }
    throw new CliError('INPUT_UNKNOWN', `${path} is no playlist, no MPEG-TS and no MP4`)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const code = systemCodeOf(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new CliError('INPUT_NOT_FOUND', `there is no ${path}`, { cause })
    throw new CliError('INPUT_NOT_READABLE', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

async function readHead(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
