/**
 * `pnpm long:composite-speed [--seconds 60] [--rounds 3] [--json]`: composites of 4 x 720p30 and 9 x 360p30 to 1280x720
 * by Rushes, by ffmpeg (xstack) and by GStreamer (compositor), in turn, with the same encoder settings, threads and
 * sizes; and what decoding, scaling and encoding take alone. Medians of the rounds. Needs ffmpeg, GStreamer, GNU time.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { encodePictures, type MadeTrack, makeTake } from '../composite/make-take.js'
import {
  BARE_LAYOUT,
  ffmpegDecode,
  ffmpegScale,
  ffmpegStackOnly,
  ffmpegXstack,
  gstreamerCompositor,
  type RunFigure,
  run,
  rushesRender,
  rushesSettings,
  SPEED_CASES,
  type SpeedCase,
} from './composite-contenders.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    case: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)

interface Inputs {
  readonly files: readonly string[]
  readonly take: string
}

/** The same pictures as MP4 and as a take; keyframes every 2 to 10 seconds, as senders have them. */
async function makeInputs(dir: string, what: SpeedCase): Promise<Inputs> {
  const files: string[] = []
  const tracks: MadeTrack[] = []
  for (let i = 0; i < what.count; i++) {
    const source =
      i % 2 === 0
        ? `testsrc2=size=${what.width}x${what.height}:rate=30`
        : `mandelbrot=size=${what.width}x${what.height}:rate=30:start_scale=${2 + i}`
    // Grain, as cameras have it: without it nothing changes between pictures but what moves.
    const options = {
      ...{ source: `${source},noise=alls=6:allf=t`, seconds, keyframeEvery: 60 * (1 + (i % 5)) },
      bitRate: what.height >= 720 ? '2M' : '700k',
    }
    const h264 = join(dir, `${i}.h264`)
    const pictures = await encodePictures(h264, options)
    const file = join(dir, `${i}.mp4`)
    await run(['ffmpeg', '-v', 'error', '-y', '-r', '30', '-i', h264, '-c', 'copy', file], dir)
    files.push(file)
    tracks.push({ participantId: `p${i}`, id: `video-${i}`, pictures, fps: 30, fromMs: 0 })
  }
  const take = join(dir, 'take')
  await makeTake(take, tracks, seconds * 1000)
  return { files, take }
}

function median(figures: readonly RunFigure[]): RunFigure {
  const middle = (of: (figure: RunFigure) => number): number =>
    figures.map(of).sort((a, b) => a - b)[Math.floor((figures.length - 1) / 2)] as number
  return {
    wallSeconds: middle((figure) => figure.wallSeconds),
    cpuSeconds: middle((figure) => figure.cpuSeconds),
    peakRssMiB: middle((figure) => figure.peakRssMiB),
  }
}

async function measure(what: SpeedCase, dir: string): Promise<void> {
  const inputs = await makeInputs(dir, what)
  const output = (name: string): string => join(dir, `${name}.mp4`)
  const contenders: Readonly<Record<string, readonly string[]>> = {
    rushes: rushesRender(inputs.take, join(dir, 'bare'), rushesSettings(BARE_LAYOUT)),
    'rushes, with labels and corners': rushesRender(inputs.take, join(dir, 'looks'), rushesSettings('grid')),
    'ffmpeg xstack, area': ffmpegXstack(inputs.files, what, 'area', output('area')),
    'ffmpeg xstack, bilinear': ffmpegXstack(inputs.files, what, 'bilinear', output('bilinear')),
    'ffmpeg xstack, bicubic': ffmpegXstack(inputs.files, what, 'bicubic', output('bicubic')),
    'gstreamer compositor, bilinear': gstreamerCompositor(inputs.files, what, 'bilinear', output('gst')),
    'gstreamer compositor, cubic': gstreamerCompositor(inputs.files, what, 'bicubic', output('gst-cubic')),
  }
  const figures = new Map<string, RunFigure[]>()
  const add = (name: string, figure: RunFigure): void => {
    figures.set(name, [...(figures.get(name) ?? []), figure])
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of Object.entries(contenders)) {
      const figure = await run(command, dir)
      add(name, figure)
      // Without starting Node and loading its modules, which ffmpeg has as one file.
      if (name.startsWith('rushes')) add(`${name}: the render alone`, JSON.parse(figure.stdout) as RunFigure)
    }
    // The parts by ffmpeg, one input after the other.
    const decode = await sum(inputs.files.map((file) => ffmpegDecode(file)))
    add('ffmpeg: decode', decode)
    for (const scaling of ['area', 'bilinear', 'bicubic'] as const) {
      const both = await sum(inputs.files.map((file) => ffmpegScale(file, what, scaling)))
      add(`ffmpeg: scale, ${scaling}`, less(both, decode))
    }
    // Of the very pictures of the composite: what was coded before is easier to code.
    const stack = await run(ffmpegStackOnly(inputs.files, what, 'area'), dir)
    add('ffmpeg: encode', less(await run(ffmpegXstack(inputs.files, what, 'area', output('again')), dir), stack))
  }
  const medians = new Map([...figures].map(([name, all]) => [name, median(all)]))
  const sizes: Record<string, number> = {
    rushes: await sizeOf(join(dir, 'bare')),
    'ffmpeg xstack, area': (await stat(output('area'))).size,
  }
  report(what, medians, sizes)

  async function sum(commands: readonly (readonly string[])[]): Promise<RunFigure> {
    const total = { wallSeconds: 0, cpuSeconds: 0, peakRssMiB: 0 }
    for (const command of commands) {
      const figure = await run(command, dir)
      total.wallSeconds += figure.wallSeconds
      total.cpuSeconds += figure.cpuSeconds
      total.peakRssMiB = Math.max(total.peakRssMiB, figure.peakRssMiB)
    }
    return total
  }
}

function less(one: RunFigure, other: RunFigure): RunFigure {
  return {
    wallSeconds: one.wallSeconds - other.wallSeconds,
    cpuSeconds: one.cpuSeconds - other.cpuSeconds,
    peakRssMiB: one.peakRssMiB,
  }
}

async function sizeOf(root: string): Promise<number> {
  const { stdout } = await run(['find', root, '-name', '*.mp4', '-printf', '%s'], root)
  return Number(stdout)
}

function report(
  what: SpeedCase,
  medians: ReadonlyMap<string, RunFigure>,
  bytes: Readonly<Record<string, number>>,
): void {
  if (values.json) {
    console.log(JSON.stringify({ case: what.name, seconds, rounds, bytes, ...Object.fromEntries(medians) }))
    return
  }
  const of = (name: string): RunFigure => medians.get(name) as RunFigure
  const rushes = of('rushes')
  console.log(`\n${what.name} to 1280x720, ${seconds} s, medians of ${rounds}`)
  console.log(`${'wall s'.padStart(41)} ${'CPU s'.padStart(8)} ${'cores'.padStart(7)} ${'RSS MiB'.padStart(8)}`)
  for (const [name, { wallSeconds, cpuSeconds, peakRssMiB }] of medians) {
    const figures = [wallSeconds.toFixed(2).padStart(9), cpuSeconds.toFixed(2).padStart(8)]
    // Of a composite made as fast as the call goes.
    figures.push((cpuSeconds / seconds).toFixed(3).padStart(7), String(peakRssMiB).padStart(8))
    console.log(`${name.padEnd(32)}${figures.join(' ')}`)
  }
  for (const name of ['ffmpeg xstack, area', 'ffmpeg xstack, bilinear', 'gstreamer compositor, bilinear']) {
    const other = of(name)
    const wall = (other.wallSeconds / rushes.wallSeconds).toFixed(2)
    console.log(`${name}: ${wall} x the wall time, ${(other.cpuSeconds / rushes.cpuSeconds).toFixed(2)} x the CPU time`)
  }
  const parts = of('ffmpeg: decode').cpuSeconds + of('ffmpeg: scale, area').cpuSeconds + of('ffmpeg: encode').cpuSeconds
  console.log(`CPU against decode + scale (area) + encode alone: ${(rushes.cpuSeconds / parts).toFixed(3)}`)
  console.log(
    `bytes: ${Object.entries(bytes)
      .map(([name, size]) => `${name} ${size}`)
      .join(', ')}`,
  )
}

for (const what of SPEED_CASES) {
  if (values.case !== undefined && !what.name.startsWith(values.case)) continue
  const dir = await mkdtemp(join(tmpdir(), 'rushes-composite-speed-'))
  try {
    await measure(what, dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
