import { spawnSync } from 'node:child_process'
import type { AccessUnit } from '@rushes/media'

const FOURCC = { vp8: 'VP80', vp9: 'VP90', av1: 'AV01' } as const
/** An AV1 temporal unit in IVF begins with its delimiter. */
const TEMPORAL_DELIMITER = Uint8Array.of(0x12, 0)

/** Units as an IVF file: the simplest container there is, and none of ours. */
export function ivf(codec: keyof typeof FOURCC, units: readonly AccessUnit[]): Uint8Array {
  const header = Buffer.alloc(32)
  header.write('DKIF')
  header.writeUInt16LE(32, 6)
  header.write(FOURCC[codec], 8)
  header.writeUInt16LE(16, 12)
  header.writeUInt16LE(16, 14)
  header.writeUInt32LE(90_000, 16)
  header.writeUInt32LE(1, 20)
  header.writeUInt32LE(units.length, 24)
  const first = units[0]?.rtpTimestamp ?? 0
  const frames = units.flatMap(({ nalUnits, rtpTimestamp }) => {
    const parts = codec === 'av1' ? [TEMPORAL_DELIMITER, ...nalUnits] : nalUnits
    const frame = Buffer.alloc(12)
    frame.writeUInt32LE(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
    frame.writeBigUInt64LE(BigInt(rtpTimestamp - first), 4)
    return [frame, ...parts]
  })
  return Buffer.concat([header, ...frames])
}

export interface Decoded {
  readonly messages: string
  /** Checksum of each picture in output order. */
  readonly pictures: string[]
  /** Bytes of each picture: 1.5 times its pixels. */
  readonly sizes: number[]
}

/** What ffmpeg makes of a file, by its own decoder or another one. */
export function decode(file: Uint8Array, decoder?: string): Decoded {
  const args = ['-v', 'error', ...(decoder === undefined ? [] : ['-c:v', decoder]), '-i', 'pipe:0']
  // Without autoscale pictures keep their own sizes.
  args.push('-fps_mode', 'passthrough', '-autoscale', '0', '-f', 'framemd5', 'pipe:1')
  const { stderr, stdout } = spawnSync('ffmpeg', args, { input: file, maxBuffer: 1 << 26, timeout: 60_000 })
  const lines = stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => line.split(',').map((field) => field.trim()))
  return {
    messages: stderr.toString(),
    pictures: lines.map((fields) => fields[5] ?? ''),
    sizes: lines.map((fields) => Number(fields[4])),
  }
}
