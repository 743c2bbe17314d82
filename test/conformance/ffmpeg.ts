import { spawn } from 'node:child_process'

/** What a command printed. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  /** The lines on the error output, empty ones left out. */
  readonly complaints: readonly string[]
}

/** Runs a command to its end. */
async function command(file: string, args: readonly string[]): Promise<CommandResult> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve(status ?? -1))
  })
  return { code, stdout, complaints: stderr.split('\n').filter((line) => line.trim() !== '') }
}

/** `ffmpeg -v warning -i INPUT -acodec copy -vcodec copy OUTPUT`: what a person would do with a playlist. */
export function copyWithFfmpeg(input: string, output: string): Promise<CommandResult> {
  return command('ffmpeg', ['-v', 'warning', '-y', '-i', input, '-acodec', 'copy', '-vcodec', 'copy', output])
}

/**
 * Decodes everything there is, and says what is wrong with it. The pictures keep the input's time base: by default
 * ffmpeg's null output counts in 1/30 s, and complains of two pictures in one slot, which real cameras do send.
 */
export function decodeWithFfmpeg(input: string): Promise<CommandResult> {
  return command('ffmpeg', [
    '-v',
    'error',
    '-i',
    input,
    '-fps_mode',
    'passthrough',
    '-enc_time_base',
    '-1',
    '-f',
    'null',
    '-',
  ])
}

/** Codec names of all streams, video first. */
export async function streamsOf(input: string): Promise<string[]> {
  const { stdout } = await command('ffprobe', [
    '-v',
    'error',
    '-show_entries',
    'stream=codec_type,codec_name',
    '-of',
    'json',
    input,
  ])
  const { streams } = JSON.parse(stdout) as { streams: { codec_type: string; codec_name: string }[] }
  return streams
    .map((stream) => `${stream.codec_type}:${stream.codec_name}`)
    .sort()
    .reverse()
}

/** Presentation times of all packets of a stream, in microseconds, in the order of the file. */
export async function packetTimesUs(
  input: string,
  stream: 'v:0' | 'a:0',
): Promise<{ ptsUs: number; durationUs: number }[]> {
  const { stdout } = await command('ffprobe', [
    ...[
      '-v',
      'error',
      '-select_streams',
      stream,
      '-show_entries',
      'packet=pts_time,duration_time',
      '-of',
      'csv=p=0',
      input,
    ],
  ])
  const seen = stdout.split('\n').filter((line) => line.includes(','))
  return seen.map((line) => {
    const [pts, duration] = line.split(',')
    return { ptsUs: Math.round(Number(pts) * 1e6), durationUs: Math.round((Number(duration) || 0) * 1e6) }
  })
}
