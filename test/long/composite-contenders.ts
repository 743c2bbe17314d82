import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CompositeSettings } from '@rushes/compositor'

/** What there is to compose: so many sources of one size, beside and below each other, on 1280x720. */
export interface SpeedCase {
  readonly name: string
  readonly count: number
  readonly width: number
  readonly height: number
  readonly columns: number
  /** Size of a tile. */
  readonly tileWidth: number
  readonly tileHeight: number
}

export const SPEED_CASES: readonly SpeedCase[] = [
  { name: '4 x 720p30', count: 4, width: 1280, height: 720, columns: 2, tileWidth: 640, tileHeight: 360 },
  { name: '9 x 360p30', count: 9, width: 640, height: 360, columns: 3, tileWidth: 426, tileHeight: 240 },
]

/** What a run took: the whole tree of processes, from start to end. */
export interface RunFigure {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly peakRssMiB: number
}

/** How ffmpeg and GStreamer scale. `area` only ffmpeg has. */
export type Scaling = 'area' | 'bilinear' | 'bicubic'

/** One picture, no delay, on one thread: all encode alike. */
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-threads', '1', '-crf', '23']
const ENCODER = [...X264, '-profile:v', 'high', '-g', '180', '-keyint_min', '180', '-sc_threshold', '0']
const FFMPEG = ['-v', 'error', '-y', '-nostdin', '-filter_complex_threads', '1', '-filter_threads', '1']

/** ffmpeg's xstack, with scale before it. */
export function ffmpegXstack(inputs: readonly string[], what: SpeedCase, scaling: Scaling, output: string): string[] {
  return [...stacked(inputs, what, scaling), ...ENCODER, output]
}

/** The same, and nothing is encoded. */
export function ffmpegStackOnly(inputs: readonly string[], what: SpeedCase, scaling: Scaling): string[] {
  return [...stacked(inputs, what, scaling), '-f', 'null', '-']
}

function stacked(inputs: readonly string[], what: SpeedCase, scaling: Scaling): string[] {
  const scales = inputs.map((_, i) => `[${i}:v]scale=${what.tileWidth}:${what.tileHeight}:flags=${scaling}[s${i}]`)
  const places = inputs.map(
    (_, i) => `${(i % what.columns) * what.tileWidth}_${Math.floor(i / what.columns) * what.tileHeight}`,
  )
  const scaled = inputs.map((_, i) => `[s${i}]`).join('')
  const filter = `${scales.join(';')};${scaled}xstack=inputs=${inputs.length}:layout=${places.join('|')},pad=1280:720[v]`
  const sources = inputs.flatMap((input) => ['-threads', '1', '-i', input])
  return ['ffmpeg', ...FFMPEG, ...sources, '-filter_complex', filter, '-map', '[v]']
}

/** GStreamer's compositor, with videoconvertscale before it: by itself it would scale in its own way. */
export function gstreamerCompositor(
  inputs: readonly string[],
  what: SpeedCase,
  scaling: Scaling,
  output: string,
): string[] {
  const method = scaling === 'bicubic' ? 'catrom' : 'bilinear'
  const pads = inputs.flatMap((_, i) => [
    `sink_${i}::xpos=${(i % what.columns) * what.tileWidth}`,
    `sink_${i}::ypos=${Math.floor(i / what.columns) * what.tileHeight}`,
  ])
  const size = `video/x-raw,format=I420,width=${what.tileWidth},height=${what.tileHeight}`
  const branches = inputs.flatMap((input, i) =>
    [
      ...[`filesrc location=${input}`, 'qtdemux', 'h264parse', 'avdec_h264 max-threads=1'],
      ...[`videoconvertscale method=${method} n-threads=1`, size, 'queue', `mix.sink_${i}`],
    ]
      .join(' ! ')
      .split(' '),
  )
  // By itself it would hold the rate down to 2 Mb/s, which saves it much of the work.
  const rate = 'pass=qual quantizer=23 bitrate=1000000 vbv-buf-capacity=0'
  const keyframes = 'key-int-max=180 option-string=scenecut=0:keyint-min=91'
  const encoder = `x264enc speed-preset=veryfast tune=zerolatency threads=1 ${rate} ${keyframes} b-adapt=false`
  return [
    ...['gst-launch-1.0', '-q', 'compositor', 'name=mix', 'background=black', 'max-threads=1', ...pads, '!'],
    ...['video/x-raw,format=I420,width=1280,height=720,framerate=30/1', '!', ...encoder.split(' '), '!'],
    ...['video/x-h264,profile=high', '!', 'h264parse', '!', 'mp4mux', '!', 'filesink', `location=${output}`],
    ...branches,
  ]
}

/** Only decodes. */
export function ffmpegDecode(input: string): string[] {
  return ['ffmpeg', ...FFMPEG, '-threads', '1', '-i', input, '-f', 'null', '-']
}

/** Decodes and scales. */
export function ffmpegScale(input: string, what: SpeedCase, scaling: Scaling): string[] {
  const scale = `scale=${what.tileWidth}:${what.tileHeight}:flags=${scaling}`
  return ['ffmpeg', ...FFMPEG, '-threads', '1', '-i', input, '-vf', scale, '-f', 'null', '-']
}

/** Layouts without looks: what xstack can do. */
export const BARE_LAYOUT = {
  type: 'grid',
  gap: 0,
  margin: 0,
  tile: { cornerRadius: 0, label: false, ring: false, mutedMark: false },
} as const

export function rushesSettings(layout: CompositeSettings['layout']): CompositeSettings {
  return {
    ...(layout === undefined ? undefined : { layout }),
    ...{ size: '1280x720', fps: 30, transitionMs: 0, video: { preset: 'veryfast', crf: 23 } },
  }
}

/** Rushes in a process of its own, built. */
export function rushesRender(take: string, root: string, settings: CompositeSettings): string[] {
  const script = fileURLToPath(new URL('./composite-render.mjs', import.meta.url))
  return [process.execPath, script, take, root, JSON.stringify(settings)]
}

/** Runs a command to its end, and measures its process tree by GNU time. */
export async function run(command: readonly string[], dir: string): Promise<RunFigure & { readonly stdout: string }> {
  const figures = join(dir, 'time')
  const child = spawn('/usr/bin/time', ['-o', figures, '-f', '%e %U %S %M', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${said}`)
  const [wall, user, system, rssKib] = (await readFile(figures, 'utf8')).trim().split(' ').map(Number)
  return {
    wallSeconds: wall as number,
    cpuSeconds: (user as number) + (system as number),
    peakRssMiB: Math.round((rssKib as number) / 1024),
    stdout,
  }
}
