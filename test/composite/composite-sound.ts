import { spawn, spawnSync } from 'node:child_process'
import { measureSilence } from '@rushes/testkit/card'

const RATE_HZ = 48_000

/** The sound of a file, decoded as it is: no mixing of its channels. */
export interface DecodedSound {
  /** Of the first sample, by the file's own timestamps. */
  readonly startUs: number
  /** Stretches without samples. */
  readonly holes: number
  readonly channels: number
  /** Interleaved, full scale 1, at 48 kHz. Floating point: what would be clipped in integers is above 1 here. */
  readonly samples: Float32Array
}

/** Decodes all of it into memory: 23 MB a minute. */
export async function decodeSound(path: string): Promise<DecodedSound> {
  const probe = spawnSync(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'a:0', '-show_entries', 'stream=channels', '-of', 'csv=p=0', path],
    { encoding: 'utf8' },
  )
  const channels = Number(probe.stdout.trim().split('\n')[0])
  if (!(channels >= 1)) throw new Error(`${path} has no sound: ${probe.stderr}`)
  const { startUs, gaps } = await measureSilence(path)
  const child = spawn(
    'ffmpeg',
    ['-nostdin', '-v', 'error', '-i', path, '-map', '0:a:0', '-ar', String(RATE_HZ), '-f', 'f32le', 'pipe:1'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`)
  const bytes = new Uint8Array(Buffer.concat(chunks))
  return { startUs, holes: gaps.length, channels, samples: new Float32Array(bytes.buffer, 0, bytes.byteLength >> 2) }
}

/** The largest amplitude from one time to another, by the file's own timestamps; 0 where it has no samples. */
export function peakBetween(sound: DecodedSound, fromUs: number, toUs: number): number {
  const [from, to] = range(sound, fromUs, toUs)
  let peak = 0
  for (let i = from * sound.channels; i < to * sound.channels; i++) {
    peak = Math.max(peak, Math.abs(sound.samples[i] as number))
  }
  return peak
}

/** How many samples lie at or above full scale. */
export function clippedSamples(sound: DecodedSound): number {
  let count = 0
  for (const sample of sound.samples) if (Math.abs(sample) >= 1) count++
  return count
}

/**
 * What of a stretch's energy lies at multiples of 100 Hz that are nobody's tone, in decibels below that of the tones:
 * what clipping makes of several tones at once.
 */
export function distortionDb(sound: DecodedSound, fromUs: number, toUs: number, tonesHz: readonly number[]): number {
  const [from, to] = range(sound, fromUs, toUs)
  // Whole periods of 100 Hz.
  const count = Math.floor((to - from) / (RATE_HZ / 100)) * (RATE_HZ / 100)
  if (count <= 0) return Number.NaN
  let wanted = 0
  let unwanted = 0
  for (let hz = 100; hz <= 4000; hz += 100) {
    let re = 0
    let im = 0
    for (let i = 0; i < count; i++) {
      let sample = 0
      for (let c = 0; c < sound.channels; c++) sample += sound.samples[(from + i) * sound.channels + c] as number
      const angle = (2 * Math.PI * hz * i) / RATE_HZ
      re += sample * Math.cos(angle)
      im += sample * Math.sin(angle)
    }
    const energy = re * re + im * im
    if (tonesHz.includes(hz)) wanted += energy
    else unwanted += energy
  }
  return 10 * Math.log10(unwanted / wanted)
}

export function decibels(amplitude: number): number {
  return 20 * Math.log10(amplitude)
}

function range(sound: DecodedSound, fromUs: number, toUs: number): [number, number] {
  const frames = sound.samples.length / sound.channels
  const at = (us: number): number =>
    Math.max(0, Math.min(frames, Math.round(((us - sound.startUs) * RATE_HZ) / 1_000_000)))
  return [at(fromUs), at(toUs)]
}
