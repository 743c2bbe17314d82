import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { CompositeManifest, CompositeOutput, LayoutSpan, Place, ShownTile } from './composite-manifest.js'
import { staysOf } from './measure-presence.js'
import type { SentCall } from './sent-call.js'

/** A recording of one participant, and the recording time at its start. */
export interface HandInput {
  readonly participantId: string
  readonly path: string
  readonly startUs: number
}

/** What is done wrong on purpose. */
export interface Defects {
  /** Everyone is shown in the place of the next one. */
  readonly swapped?: boolean
  /** Milliseconds by which the first participant's pictures are late. */
  readonly pictureLateMs?: number
  /** Milliseconds by which the first participant's sound is late. */
  readonly soundLateMs?: number
  /** Decibels by which the first participant is too loud. */
  readonly gainDb?: number
  /** Nobody limits the sum. */
  readonly clipped?: boolean
  /** Milliseconds by which tiles come and go late, in picture and manifest. */
  readonly presenceLateMs?: number
  /** A tile stays in the picture when the manifest says that it is gone. */
  readonly leftBehind?: boolean
  /** The sound never quite ends. */
  readonly noisy?: boolean
  /** Ten different pictures a second only. */
  readonly tooFew?: boolean
}

const CANVAS = { width: 640, height: 360 }
const CELLS: readonly Place[] = [0, 1, 2, 3].map((i) => ({
  x: (i % 2) * 320,
  y: Math.floor(i / 2) * 180,
  width: 320,
  height: 180,
}))

/**
 * Makes a composite of individual recordings with ffmpeg and nothing else, for the judge to be judged by: everyone has a
 * fixed place of four, 30 pictures a second.
 */
export async function compositeByHand(
  inputs: readonly HandInput[],
  call: SentCall,
  path: string,
  defects: Defects = {},
): Promise<{ readonly manifest: CompositeManifest; readonly output: CompositeOutput }> {
  const durationUs = Math.floor((call.session.durationMs * 1000) / 100_000) * 100_000
  const lateUs = (defects.presenceLateMs ?? 0) * 1000
  const tiles = inputs.map(({ participantId }, index) => {
    const sent = call.participants.find(({ id }) => id === participantId)
    const first = sent?.frames[0]
    if (sent === undefined || first === undefined) throw new Error(`nothing was sent by ${participantId}`)
    const tile = CELLS[index] as Place
    return {
      tile: { participantId, ...tile, picture: contained(first, tile), placeholder: false } satisfies ShownTile,
      stays: staysOf(call.session, participantId).map(({ fromUs, toUs }): [number, number] => [
        // A stay begins with its first picture here: there is no placeholder before it.
        onFrame(Math.max(Math.max(...fromUs), firstIn(sent.frames, fromUs)) + lateUs),
        Math.max(...toUs) >= durationUs ? durationUs : onFrame(Math.min(...toUs) + lateUs),
      ]),
    }
  })
  // Else ffmpeg would start each input at its own zero.
  const args = ['-v', 'error', '-y', '-copyts']
  for (const [index, input] of inputs.entries()) {
    const late = index === 0 ? (defects.pictureLateMs ?? 0) : 0
    args.push('-itsoffset', String((input.startUs + late * 1000) / 1e6), '-i', input.path)
  }
  for (const [index, input] of inputs.entries()) {
    const late = index === 0 ? (defects.soundLateMs ?? 0) : 0
    args.push('-itsoffset', String((input.startUs + late * 1000) / 1e6), '-i', input.path)
  }
  const seconds = durationUs / 1e6
  const filters = [`color=c=0x202020:s=${CANVAS.width}x${CANVAS.height}:r=30:d=${seconds}[base0]`]
  for (const [index, { stays }] of tiles.entries()) {
    const { picture } = (tiles[defects.swapped ? (index + 1) % tiles.length : index] as (typeof tiles)[number]).tile
    const isLeft = defects.leftBehind === true
    // Moved out of sight and not disabled: overlay looks for that at the time of whichever input comes.
    const shown = stays
      .map(([from, to]) => `between(t,${from / 1e6 - 0.001},${isLeft ? seconds : to / 1e6 - 0.001})`)
      .join('+')
    const rate = defects.tooFew === true ? 'fps=10:round=near,' : ''
    filters.push(
      // Half a picture early: the one that overlay finds before a time is then the nearest one.
      `[${index}:v]${rate}setpts=PTS-1/60/TB,scale=${picture.width}:${picture.height}[v${index}]`,
      `[base${index}][v${index}]overlay=x='if(${shown},${picture.x},-9999)':y=${picture.y}:eof_action=repeat[base${index + 1}]`,
    )
  }
  const n = inputs.length
  for (const [index] of inputs.entries()) {
    const gain = index === 0 ? (defects.gainDb ?? 0) : 0
    filters.push(`[${n + index}:a]aresample=async=1:first_pts=0,volume=${gain}dB[a${index}]`)
  }
  const mixed = inputs.map((_, index) => `[a${index}]`).join('')
  const limit = defects.clipped === true ? 'volume=6dB' : 'alimiter=limit=0.8:level=false:attack=2:latency=true'
  const noise = defects.noisy === true ? `anoisesrc=a=0.003:d=${seconds}:r=48000[noise];` : ''
  const extra = defects.noisy === true ? '[noise]' : ''
  filters.push(
    `${noise}${mixed}${extra}amix=inputs=${n + (noise === '' ? 0 : 1)}:normalize=0:duration=longest,${limit},` +
      `apad,atrim=0:${seconds},asetpts=PTS-STARTPTS[sound]`,
  )
  args.push('-filter_complex', filters.join(';'), '-map', `[base${n}]`, '-map', '[sound]')
  args.push('-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-bf', '0', '-c:a', 'aac', '-b:a', '128k', path)
  await promisify(execFile)('ffmpeg', args)
  const layouts = spans(tiles, durationUs)
  return {
    manifest: { startedAt: call.session.startedAt, durationUs, layouts },
    output: { kind: 'composite', container: 'mp4', key: path, startUs: 0, durationUs },
  }
}

/** One span for each change of who is there. */
function spans(
  tiles: readonly { readonly tile: ShownTile; readonly stays: readonly (readonly [number, number])[] }[],
  durationUs: number,
): LayoutSpan[] {
  const borders = [...new Set([0, durationUs, ...tiles.flatMap(({ stays }) => stays.flat())])].sort((a, b) => a - b)
  return borders.slice(1).map((endUs, index) => {
    const startUs = borders[index] as number
    const shown = tiles.filter(({ stays }) => stays.some(([from, to]) => from <= startUs && endUs <= to))
    return { startUs, endUs, name: 'by hand', canvas: CANVAS, tiles: shown.map(({ tile }) => tile) }
  })
}

function firstIn(frames: readonly { readonly atUs: number }[], fromUs: readonly number[]): number {
  return frames.find(({ atUs }) => atUs >= Math.min(...fromUs) - 500_000)?.atUs ?? 0
}

function contained(source: { readonly width: number; readonly height: number }, tile: Place): Place {
  const scale = Math.min(tile.width / source.width, tile.height / source.height)
  const width = Math.round((source.width * scale) / 2) * 2
  const height = Math.round((source.height * scale) / 2) * 2
  return {
    x: tile.x + Math.round((tile.width - width) / 4) * 2,
    y: tile.y + Math.round((tile.height - height) / 4) * 2,
    width,
    height,
  }
}

function onFrame(us: number): number {
  return Math.round((Math.round((us * 30) / 1e6) * 1e6) / 30)
}
