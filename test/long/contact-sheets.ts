// Writes a picture of every layout, so that somebody can look at them:
//   npx tsx --conditions=@rushes/source test/long/contact-sheets.ts [--fonts FILE,FILE]
// Needs ffmpeg. The people are drawn.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { splitAnnexB } from '@rushes/bitstream'
import { Picture, type PictureCanvas, PictureDecoder } from '@rushes/codecs'
import { parseLayout } from '../../packages/compositor/src/layout/parse-layout.js'
import type { Scene, SceneSource } from '../../packages/compositor/src/layout/scene.js'
import { solveLayout } from '../../packages/compositor/src/layout/solve-layout.js'
import { DrawingLibrary } from '../../packages/compositor/src/picture/drawing-library.js'
import { Painter } from '../../packages/compositor/src/picture/painter.js'

const { values } = parseArgs({ options: { fonts: { type: 'string', default: '' } } })
const fonts = { files: values.fonts.split(',').filter((file) => file !== '') }
const target = fileURLToPath(new URL('../../packages/compositor/docs/contact-sheets/', import.meta.url))
const size = { width: 1280, height: 720 }
/** The regions of a lecture, which the first of the people holds. */
const lecture = readFileSync(
  new URL('../../packages/compositor/schemas/examples/lecture.json', import.meta.url),
  'utf8',
)
const layouts = ['grid', 'spotlight', 'presentation', 'single', 'pip', 'side-by-side', 'custom']
const withScreen = new Set(['presentation', 'custom'])
const counts = [1, 2, 3, 5, 9, 16, 25]
const names = [
  'Alice Martin',
  'Борис Иванов',
  'محمد العربي',
  '王小明',
  'Zoë 🌻',
  'José Núñez',
  '김민준',
  'Ελένη Παππά',
  '田中 さくら',
  'שרה לוי',
  'Priya नायर',
  'Łukasz Żak',
  'Owen 👨🏽‍💻',
  'Ngọc Trần',
  'Ana-Maria Popescu-Constantinescu of the north',
]

const library = await DrawingLibrary.load('contact sheets', fonts)
const painter = await Painter.create({ canvas: size, fonts })

/** Somebody before a wall, in soft light. */
async function personPicture(index: number, width: number, height: number): Promise<Picture> {
  const hue = (index * 137) % 360
  const skin = ['#f1c9a5', '#d9a066', '#8d5524', '#c68642', '#ffdbac', '#5c3a21'][index % 6] as string
  const hair = ['#2b1d12', '#5b3a1e', '#111111', '#a8682a', '#3d3d3d'][index % 5] as string
  return decoded(width, height, (context) => {
    const wall = context.createLinearGradient(0, 0, width, height)
    wall.addColorStop(0, `hsl(${hue}, 26%, 74%)`)
    wall.addColorStop(1, `hsl(${(hue + 30) % 360}, 24%, 46%)`)
    context.fillStyle = wall
    context.fillRect(0, 0, width, height)
    const unit = Math.min(height, width * 1.2)
    const x = width * (0.46 + ((index * 7) % 9) / 100)
    const y = height - unit * 0.62
    const window = context.createRadialGradient(width * 0.85, height * 0.2, 0, width * 0.85, height * 0.2, unit * 0.7)
    window.addColorStop(0, 'rgba(255, 250, 235, 0.75)')
    window.addColorStop(1, 'rgba(255, 250, 235, 0)')
    context.fillStyle = window
    context.fillRect(0, 0, width, height)
    const ellipse = (color: string, cx: number, cy: number, rx: number, ry: number): void => {
      context.fillStyle = color
      context.beginPath()
      context.ellipse(cx, cy, rx * unit, ry * unit, 0, 0, 2 * Math.PI)
      context.fill()
    }
    ellipse(hair, x, y - unit * 0.03, 0.15, 0.19)
    if (index % 2 === 0) ellipse(hair, x, y + unit * 0.13, 0.155, 0.2)
    ellipse(`hsl(${(hue + 180) % 360}, 35%, 34%)`, x, height + unit * 0.06, 0.36, 0.34)
    context.fillStyle = skin
    context.fillRect(x - unit * 0.052, y + unit * 0.1, unit * 0.104, unit * 0.26)
    ellipse(skin, x, height - unit * 0.28, 0.075, 0.05)
    ellipse(skin, x, y + unit * 0.02, 0.118, 0.155)
    context.fillStyle = hair
    context.beginPath()
    context.ellipse(x, y - unit * 0.075, unit * 0.128, unit * 0.085, 0, Math.PI, 2 * Math.PI)
    context.fill()
    for (const side of [-1, 1]) {
      ellipse('#ffffff', x + side * unit * 0.045, y + unit * 0.005, 0.018, 0.011)
      ellipse('#2a2420', x + side * unit * 0.045, y + unit * 0.006, 0.009, 0.009)
    }
    context.strokeStyle = '#8c3b34'
    context.lineWidth = unit * 0.009
    context.beginPath()
    context.arc(x, y + unit * 0.06, unit * 0.045, 0.5, Math.PI - 0.5)
    context.stroke()
  })
}

/** A page of a talk. */
async function screenPicture(): Promise<Picture> {
  return decoded(1280, 800, (context) => {
    context.fillStyle = '#ffffff'
    context.fillRect(0, 0, 1280, 800)
    context.fillStyle = '#1a2b49'
    context.fillRect(0, 0, 1280, 96)
    context.fillStyle = '#ffffff'
    context.font = `44px ${library.families}`
    context.fillText('Results of the third quarter', 60, 64)
    const heights = [180, 240, 210, 320, 290, 400, 380]
    for (const [index, height] of heights.entries()) {
      context.fillStyle = index === 5 ? '#e8710a' : '#4285f4'
      context.fillRect(100 + index * 110, 700 - height, 76, height)
    }
    context.fillStyle = '#3c4043'
    context.font = `26px ${library.families}`
    for (const [index, line] of ['Revenue up 14 %', 'Costs down 3 %', '1,204 customers', 'Churn below 2 %'].entries()) {
      context.fillText(`•  ${line}`, 920, 260 + index * 64)
    }
  })
}

async function decoded(width: number, height: number, draw: Parameters<DrawingLibrary['draw']>[2]): Promise<Picture> {
  const { data } = library.draw(width, height, draw)
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgba', '-s', `${width}x${height}`, '-i', '-']
  const colors = ['-vf', 'scale=out_color_matrix=bt709', '-colorspace', 'bt709', '-pix_fmt', 'yuv420p']
  const coder = ['-c:v', 'libx264', '-crf', '8', '-tune', 'zerolatency', '-f', 'h264', '-']
  const { stdout } = spawnSync('ffmpeg', ['-v', 'error', ...input, ...colors, ...coder], { input: data })
  const decoder = await PictureDecoder.open('h264', 90_000)
  const picture = await Picture.create()
  decoder.decode({ data: splitAnnexB(stdout) }, 0, (one) => picture.hold(one, 0))
  decoder.close()
  return picture
}

function writePicture(canvas: PictureCanvas, name: string): void {
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${canvas.width}x${canvas.height}`, '-i', '-']
  const filter = ['-vf', 'scale=640:-2:flags=area:in_color_matrix=bt709']
  const args = ['-v', 'error', '-y', ...raw, ...filter, join(target, name)]
  const { stderr } = spawnSync('ffmpeg', args, { input: Buffer.concat(canvas.planes) })
  if (stderr.length > 0) throw new Error(stderr.toString())
}

const people = await Promise.all(
  Array.from({ length: 25 }, async (_, index) => ({
    id: `person-${index}`,
    name: names[index % names.length] as string,
    // Some hold a telephone, some have turned their camera off.
    picture:
      index % 7 === 3
        ? undefined
        : await personPicture(index, index % 6 === 4 ? 360 : 640, index % 6 === 4 ? 640 : 360),
    muted: index % 3 === 1,
  })),
)
const screen = await screenPicture()

function sceneOf(count: number, sharing: boolean): Scene {
  const speaker = Math.min(2, count - 1)
  const sources: SceneSource[] = people.slice(0, count).map(({ id, name, picture, muted }, index) => ({
    participantId: id,
    name,
    kind: 'camera',
    trackId: `${id}-camera`,
    hasPicture: picture !== undefined,
    picture: picture === undefined ? undefined : { width: picture.width, height: picture.height },
    muted: muted && index !== speaker,
    speaking: index === speaker,
  }))
  if (sharing) {
    const { id, name } = people[0] as (typeof people)[number]
    const shown = { hasPicture: true, picture: { width: screen.width, height: screen.height } }
    sources.splice(1, 0, {
      participantId: id,
      name,
      kind: 'screen',
      trackId: 'screen',
      ...shown,
      muted: false,
      speaking: false,
    })
  }
  return { sources, activeSpeaker: people[speaker]?.id }
}

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
for (const name of layouts) {
  const layout = parseLayout(name === 'custom' ? JSON.parse(lecture.replace('lecturer', 'person-0')) : name)
  const files: string[] = []
  for (const count of counts) {
    const scene = sceneOf(count, withScreen.has(name))
    const tiles = solveLayout(layout, scene, size)
    const pictures = new Map(people.map(({ id, picture }) => [`${id}-camera`, picture]))
    pictures.set('screen', screen)
    painter.paint(tiles, layout.background ?? '#202124', ({ trackId }) => pictures.get(trackId ?? ''), 0)
    files.push(`${name}-${count}.png`)
    writePicture(painter.canvas, files.at(-1) as string)
  }
  // One sheet of each layout, two pictures wide.
  const inputs = files.flatMap((file) => ['-i', join(target, file)])
  const labels = files.map((_, index) => `[${index}]`).join('')
  const places = files.map((_, index) => `${(index % 2) * 648}_${Math.floor(index / 2) * 368}`).join('|')
  const graph = `${labels}xstack=inputs=${files.length}:layout=${places}:fill=white`
  const sheet = join(target, `${name}.png`)
  const { stderr } = spawnSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...inputs,
    '-filter_complex',
    graph,
    '-frames:v',
    '1',
    sheet,
  ])
  if (stderr.length > 0) throw new Error(stderr.toString())
  for (const file of files) rmSync(join(target, file))
}
painter.close()
