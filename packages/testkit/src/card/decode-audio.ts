import { CardError } from './errors.js'
import { type FfmpegOptions, inputArguments, runFfmpeg } from './ffmpeg.js'

/** Everything that is heard is brought to this rate. */
export const SAMPLE_RATE_HZ = 48_000

/** Which sound to read. */
export interface AudioReadOptions extends FfmpegOptions {
  /** Index among the audio streams. @defaultValue 0 */
  readonly stream?: number
}

/** Takes samples that follow each other; `start` is the time of the first in samples of 48 kHz. */
export type OnSamples = (start: number, samples: Float32Array) => void

/**
 * Decodes to mono at 48 kHz, each frame at its own time: what the container leaves out (a gap, a late start) stays out.
 * Nothing is held: samples are handed on as soon as the time of their frame is known.
 */
export async function decodeAudio(input: string, options: AudioReadOptions, onSamples: OnSamples): Promise<void> {
  const frames: { start: number; count: number }[] = []
  let bytes: Buffer = Buffer.alloc(0)
  const drain = (): void => {
    for (let frame = frames[0]; frame !== undefined && bytes.byteLength >= frame.count * 4; frame = frames[0]) {
      frames.shift()
      // Copied, so that the samples are aligned.
      const samples = new Float32Array(new Uint8Array(bytes.subarray(0, frame.count * 4)).buffer)
      bytes = bytes.subarray(frame.count * 4)
      onSamples(frame.start, samples)
    }
  }
  await runFfmpeg({
    ...options,
    args: [
      ...inputArguments(input),
      ...['-map', `0:a:${options.stream ?? 0}`, '-vn', '-sn', '-dn'],
      ...[
        '-af',
        `aresample=${SAMPLE_RATE_HZ}:rematrix_maxval=1,aformat=sample_fmts=flt:channel_layouts=mono,ashowinfo`,
      ],
      ...['-f', 'f32le', 'pipe:1'],
    ],
    onStdout(chunk) {
      bytes = bytes.byteLength === 0 ? chunk : Buffer.concat([bytes, chunk])
      drain()
    },
    onLine(line) {
      const frame = /^\[Parsed_ashowinfo.* pts: *(-?\d+) .* nb_samples: *(\d+) /.exec(line)
      if (frame === null) return
      frames.push({ start: Number(frame[1]), count: Number(frame[2]) })
      drain()
    },
  })
  if (frames.length > 0 || bytes.byteLength > 0) {
    throw new CardError(
      'FFMPEG_FAILED',
      `${frames.length} frames without samples, ${bytes.byteLength} bytes without frame`,
    )
  }
}
