import { spawn } from 'node:child_process'
import { CardError } from './errors.js'

/** How ffmpeg is run. */
export interface FfmpegOptions {
  /** @defaultValue `ffmpeg`, from the PATH */
  readonly ffmpeg?: string
  /** Kills it. */
  readonly signal?: AbortSignal
}

/** One run of ffmpeg. */
export interface FfmpegRun extends FfmpegOptions {
  readonly args: readonly string[]
  readonly stdin?: Uint8Array
  readonly onStdout: (chunk: Buffer) => void
  /** A line that it printed. */
  readonly onLine?: (line: string) => void
}

/** Runs ffmpeg to its end. Its last lines are part of the error when it fails. */
export async function runFfmpeg(run: FfmpegRun): Promise<void> {
  const program = run.ffmpeg ?? 'ffmpeg'
  const args = ['-hide_banner', '-nostats', ...(run.stdin === undefined ? ['-nostdin'] : []), ...run.args]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...(run.signal && { signal: run.signal }) })
  const lastLines: string[] = []
  let partial = ''
  child.stdout.on('data', run.onStdout)
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    const lines = (partial + text).split(/[\r\n]+/)
    partial = lines.pop() as string
    for (const line of lines) {
      run.onLine?.(line)
      if (line.startsWith('[Parsed_')) continue
      lastLines.push(line)
      if (lastLines.length > 10) lastLines.shift()
    }
  })
  // It may end before it has read everything: its exit code tells, the broken pipe does not.
  child.stdin.on('error', () => {})
  child.stdin.end(run.stdin)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(run.signal?.aborted ? cause : new CardError('FFMPEG_MISSING', `${program} cannot be started`, { cause })),
    )
    child.on('close', resolve)
  })
  if (partial !== '') run.onLine?.(partial)
  if (code !== 0) throw new CardError('FFMPEG_FAILED', `${program} ended with ${code}: ${lastLines.join(' | ')}`)
}

/** The arguments that open an input with its own timestamps. */
export function inputArguments(input: string): string[] {
  const isPlaylist = /\.m3u8($|\?)/.test(input)
  return ['-copyts', ...(isPlaylist ? ['-allowed_extensions', 'ALL'] : []), '-i', input]
}
