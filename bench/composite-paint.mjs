// Cost of painting a composite against its parts alone: decoding, scaling, encoding. Build first:
// npx tsc -b packages/compositor
//   node bench/composite-paint.mjs [--seconds 10] [--rounds 5] [--preset veryfast] [--plain]
// Needs ffmpeg. Figures are milliseconds of processor time for a picture of the composite, medians over the rounds.
// `--plain` leaves names, rings and round corners away.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { splitAnnexB } from '@rushes/bitstream'
import { H264PictureEncoder, Picture, PictureCanvas, PictureDecoder, PictureScaler } from '@rushes/codecs'
import { Painter } from '../packages/compositor/dist/picture/painter.js'
import { PictureTrack } from '../packages/compositor/dist/picture/picture-track.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    preset: { type: 'string', default: 'veryfast' },
    plain: { type: 'boolean', default: false },
  },
})
const frames = Number(values.seconds) * 30
const canvasSize = { width: 1280, height: 720 }

/** H264 of ffmpeg's moving test picture, one access unit a picture, as a browser would code it. */
function coded(width, height) {
  const input = ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=30:duration=${values.seconds}`]
  const x264 = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-tune',
    'zerolatency',
    '-b:v',
    width > 640 ? '2500k' : '800k',
  ]
  const aud = ['-bsf:v', 'h264_metadata=aud=insert', '-pix_fmt', 'yuv420p', '-f', 'h264', '-']
  const { stdout } = spawnSync('ffmpeg', ['-v', 'error', ...input, ...x264, ...aud], { maxBuffer: 1 << 30 })
  const pictures = []
  for (const unit of splitAnnexB(stdout)) {
    if ((unit[0] & 31) === 9) pictures.push([])
    else pictures.at(-1).push(Uint8Array.from(unit))
  }
  return pictures.map((data, index) => ({
    type: 'sample',
    trackId: 'camera',
    data,
    pts: index * 3000,
    dts: index * 3000,
    keyframe: index === 0,
  }))
}

function tilesOf(columns) {
  const gap = 8
  const width = Math.floor((canvasSize.width - gap * (columns + 1)) / columns / 2) * 2
  const height = Math.floor((canvasSize.height - gap * (columns + 1)) / columns / 2) * 2
  return Array.from({ length: columns * columns }, (_, index) => ({
    participantId: `person-${index}`,
    trackId: String(index),
    kind: 'camera',
    rectangle: {
      x: gap + (index % columns) * (width + gap),
      y: gap + Math.floor(index / columns) * (height + gap),
      width,
      height,
    },
    z: 0,
    fit: 'cover',
    placeholder: false,
    opacity: 1,
    cornerRadius: values.plain ? 0 : 8,
    border: undefined,
    ring: values.plain || index > 0 ? undefined : { width: 4, color: '#8ab4f8' },
    background: '#303134',
    label: values.plain ? undefined : `Person ${index}`,
    name: `Person ${index}`,
    mutedMark: !values.plain && index % 2 === 1,
  }))
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]
const turn = () => new Promise((resolve) => setImmediate(resolve))
const drop = () => {}

async function decodeOnly(samples, tiles) {
  const decoders = await Promise.all(tiles.map(() => PictureDecoder.open('h264', 90_000)))
  const began = cpuMs()
  for (let frame = 0; frame < frames; frame++) {
    for (const decoder of decoders) decoder.decode(samples[frame], samples[frame].pts, drop)
    if (frame % 30 === 0) await turn()
  }
  const spent = cpuMs() - began
  for (const decoder of decoders) decoder.close()
  return spent
}

/** Pictures that were scaled just before are in the processor's cache: many take turns. */
async function scaleOnly(samples, tiles) {
  const decoder = await PictureDecoder.open('h264', 90_000)
  const scaler = await PictureScaler.create()
  const canvas = await PictureCanvas.create(canvasSize)
  const pictures = []
  for (const sample of samples.slice(0, 64)) {
    const picture = await Picture.create()
    decoder.decode(sample, sample.pts, (decoded) => picture.hold(decoded, 0))
    pictures.push(picture)
  }
  const { width, height } = pictures[0]
  const tile = tiles[0].rectangle
  const cut = Math.floor((width - (height * tile.width) / tile.height) / 4) * 2
  const crop =
    cut >= 0
      ? { x: cut, y: 0, width: width - 2 * cut, height }
      : { x: 0, y: 0, width, height: Math.floor((width * tile.height) / tile.width / 2) * 2 }
  const began = cpuMs()
  for (let frame = 0; frame < frames; frame++) {
    for (const [index, { rectangle }] of tiles.entries()) {
      scaler.draw(pictures[(frame * tiles.length + index) % pictures.length], crop, canvas, rectangle)
    }
    if (frame % 30 === 0) await turn()
  }
  const spent = cpuMs() - began
  for (const picture of pictures) picture.close()
  decoder.close()
  scaler.close()
  canvas.close()
  return spent
}

/** `seen` is called with the canvas of each picture; `encode` says whether it is encoded. */
async function compose(samples, tiles, seen, encode) {
  const tracks = await Promise.all(
    tiles.map((_, index) =>
      PictureTrack.open(
        { id: String(index), kind: 'video', codec: 'h264', clockRate: 90_000 },
        { holdUs: 1_500_000, frameIntervalUs: 33_333 },
      ),
    ),
  )
  const painter = await Painter.create({ canvas: canvasSize })
  const encoder = await H264PictureEncoder.open({ ...canvasSize, frameRate: 30, preset: values.preset })
  const pictureOf = ({ trackId }) => tracks[Number(trackId)].current()
  const began = cpuMs()
  for (let frame = 0; frame < frames; frame++) {
    const timeUs = Math.round((frame * 1_000_000) / 30)
    for (const track of tracks) {
      track.push(samples[frame])
      track.choose(timeUs)
    }
    painter.paint(tiles, '#202124', pictureOf, timeUs)
    if (encode) encoder.encode(painter.canvas, frame, frame % 60 === 0, drop)
    seen?.(painter.canvas, frame)
    if (frame % 30 === 0) await turn()
  }
  encoder.flush(drop)
  const spent = cpuMs() - began
  for (const track of tracks) track.close()
  painter.close()
  encoder.close()
  return spent
}

/** Encodes the pictures that a composite had: written down before, since easy pictures are coded faster. */
async function encodeOnly(pictures) {
  const canvas = await PictureCanvas.create(canvasSize)
  const encoder = await H264PictureEncoder.open({ ...canvasSize, frameRate: 30, preset: values.preset })
  let spent = 0
  for (let frame = 0; frame < frames; frame++) {
    for (const [index, plane] of canvas.planes.entries()) plane.set(pictures[frame % pictures.length][index])
    const began = cpuMs()
    encoder.encode(canvas, frame, frame % 60 === 0, drop)
    spent += cpuMs() - began
    if (frame % 30 === 0) await turn()
  }
  encoder.close()
  canvas.close()
  return spent
}

const rows = {}
for (const [name, columns, width, height] of [
  ['4 x 720p', 2, 1280, 720],
  ['9 x 360p', 3, 640, 360],
]) {
  const samples = coded(width, height)
  const tiles = tilesOf(columns)
  const pictures = []
  await compose(samples, tiles, (canvas) => pictures.push(canvas.planes.map((plane) => Uint8Array.from(plane))), false)
  const figures = { decode: [], scale: [], encode: [], whole: [], ratio: [] }
  for (let round = 0; round < Number(values.rounds); round++) {
    const decode = await decodeOnly(samples, tiles)
    const scale = await scaleOnly(samples, tiles)
    const encode = await encodeOnly(pictures)
    const whole = await compose(samples, tiles, undefined, true)
    for (const [key, value] of Object.entries({ decode, scale, encode, whole })) figures[key].push(value / frames)
    figures.ratio.push(whole / (decode + scale + encode))
  }
  rows[`${name} -> 720p`] = Object.fromEntries(
    Object.entries(figures).map(([key, list]) => [key, Number(median(list).toFixed(3))]),
  )
}
console.table(rows)
