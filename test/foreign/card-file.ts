import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { flashTimes, readBeeps, readVideoCards } from '@rushes/testkit/card'
import { drawCard } from '../../packages/testkit/test/card/draw-card.js'

export const TONE_HZ = 1000
const FPS = 30
const SAMPLE_RATE_HZ = 48_000
/** The first flash comes half a second after the start: one at the start has no edge. */
const FIRST_COUNTER = 15

/** A film of the test card, which all senders send, and what its own flashes and beeps are. */
export interface CardFile {
  readonly path: string
  /** Of its pictures, in order. */
  readonly counters: readonly number[]
  /** Microseconds from the first picture. */
  readonly flashesUs: readonly number[]
  readonly beepsUs: readonly number[]
}

/** Draws the film: 100 ms of white and of a louder tone in each second, and the number of each picture. */
export async function makeCardFile(
  folder: string,
  seconds: number,
  size = { width: 400, height: 226 },
): Promise<CardFile> {
  const { width, height } = size
  const path = join(folder, 'card.mov')
  const raw = `-f rawvideo -pix_fmt gray -s ${width}x${height} -r ${FPS} -i pipe:0`
  const sound = `-f f32le -ar ${SAMPLE_RATE_HZ} -ac 1 -i pipe:3`
  // A little noise on the picture, so that encoders have something to do and pictures take several packets.
  const picture = '-vf noise=alls=12:allf=t+u,format=yuv420p -c:v libx264 -preset ultrafast -qp 12 -g 30'
  const args = `-nostdin -y -v error ${raw} ${sound} ${picture} -c:a pcm_s16le ${path}`
  const ffmpeg = spawn('ffmpeg', args.split(' '), { stdio: ['pipe', 'inherit', 'inherit', 'pipe'] })
  const closed = once(ffmpeg, 'close')
  const [pictures, , , tone] = ffmpeg.stdio as readonly (Writable | null)[]
  if (pictures === null || pictures === undefined || tone === null || tone === undefined)
    throw new Error('ffmpeg has no input')
  tone.end(Buffer.from(drawTone(seconds).buffer))
  const counters = Array.from({ length: seconds * FPS }, (_, i) => FIRST_COUNTER + i)
  for (const counter of counters) {
    if (!pictures.write(drawCard(width, height, { counter, cardId: 5 }))) await once(pictures, 'drain')
  }
  pictures.end()
  const [code] = (await closed) as [number]
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`)
  const cards = await readVideoCards(path)
  const zeroUs = cards[0]?.ptsUs ?? 0
  const beeps = await readBeeps(path, { toneHz: TONE_HZ })
  return {
    path,
    counters,
    flashesUs: flashTimes(cards).map(({ ptsUs }) => ptsUs - zeroUs),
    beepsUs: beeps.map(({ atUs }) => atUs - zeroUs),
  }
}

function drawTone(seconds: number): Float32Array {
  const samples = new Float32Array(seconds * SAMPLE_RATE_HZ)
  for (let i = 0; i < samples.length; i++) {
    const inSecond = (i + (FIRST_COUNTER * SAMPLE_RATE_HZ) / FPS) % SAMPLE_RATE_HZ
    const gain = inSecond < SAMPLE_RATE_HZ / 10 ? 0.5 : 0.02
    samples[i] = gain * Math.sin((2 * Math.PI * TONE_HZ * i) / SAMPLE_RATE_HZ)
  }
  return samples
}
