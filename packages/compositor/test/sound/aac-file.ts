import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AudioConfiguration, EncodedSample } from '@rushes/media'
import { adtsHeader } from '../../../bitstream/src/index.js'

export const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

function adts(samples: readonly EncodedSample[], configuration: AudioConfiguration): Buffer {
  const { sampleRate, channels } = configuration
  const parts: Uint8Array[] = []
  for (const { data } of samples) {
    const frame = data as Uint8Array
    parts.push(adtsHeader({ objectType: 2, sampleRate, channels }, frame.byteLength), frame)
  }
  return Buffer.concat(parts)
}

/** Writes AAC frames as a file whose time zero is the first one's, for as long as `use` takes. */
export async function withAacFile<T>(samples: readonly EncodedSample[], use: (file: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-sound-'))
  try {
    const file = join(dir, 'mix.aac')
    writeFileSync(file, adts(samples, samples[0]!.configuration as AudioConfiguration))
    return await use(file)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The AAC as ffmpeg decodes it: index 0 is the first frame's time. One plane per channel. */
export function decodeAac(samples: readonly EncodedSample[]): Float32Array[] {
  const configuration = samples[0]!.configuration as AudioConfiguration
  const args = ['-v', 'error', '-f', 'aac', '-i', '-', '-f', 'f32le', '-']
  const { stdout, stderr } = spawnSync('ffmpeg', args, { input: adts(samples, configuration), maxBuffer: 1 << 29 })
  if (stderr.length > 0) throw new Error(stderr.toString())
  const all = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength))
  const { channels } = configuration
  return Array.from({ length: channels }, (_, channel) => all.filter((__, index) => index % channels === channel))
}
