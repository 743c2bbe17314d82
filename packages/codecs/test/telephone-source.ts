import { spawnSync } from 'node:child_process'

/** A sound as packets of 20 ms, encoded by ffmpeg: 160 bytes each for all three. */
export function encodeTelephone(codec: 'pcmu' | 'pcma' | 'g722', plane: Float32Array): Uint8Array[] {
  const rate = codec === 'g722' ? '16000' : '8000'
  const format = { pcmu: 'mulaw', pcma: 'alaw', g722: 'g722' }[codec]
  const args = ['-v', 'error', '-f', 'f32le', '-ar', rate, '-ac', '1', '-i', '-', '-f', format, '-']
  const input = Buffer.from(plane.buffer, plane.byteOffset, plane.byteLength)
  const { stdout, stderr } = spawnSync('ffmpeg', args, { input, maxBuffer: 1 << 28 })
  if (stderr.length > 0) throw new Error(stderr.toString())
  return Array.from({ length: Math.floor(stdout.length / 160) }, (_, index) =>
    Uint8Array.from(stdout.subarray(index * 160, (index + 1) * 160)),
  )
}
