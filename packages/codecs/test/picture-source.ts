import type { Rotation } from '@rushes/media'
import { Picture, PictureDecoder } from '../src/index.js'
import { encodeVideo, run, type VideoSourceOptions } from './video-source.js'

/** A decoded picture, and the same one as ffmpeg decodes it. */
export interface PictureSource {
  readonly picture: Picture
  /** As coded, 4:2:0 in limited range. */
  readonly raw: Buffer
}

/** The tenth picture of ffmpeg's moving test picture. */
export async function pictureOf(options: VideoSourceOptions, rotation: Rotation = 0): Promise<PictureSource> {
  const { samples, pictures } = encodeVideo({ seconds: 0.4, ...options })
  const decoder = await PictureDecoder.open(options.codec, 90_000)
  const picture = await Picture.create()
  for (const sample of samples.slice(0, 10)) {
    decoder.decode(sample, sample.pts, (decoded) => picture.hold(decoded, rotation))
  }
  decoder.close()
  const raw = pictures[9]
  if (raw === undefined || picture.serial === 0) throw new Error('there is no tenth picture')
  return { picture, raw }
}

/** What ffmpeg makes of one raw picture of 4:2:0 by `filter`. */
export function filtered(raw: Buffer, width: number, height: number, filter: string, format = 'yuv420p'): Buffer {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-i', '-']
  return run([...input, '-vf', filter, '-pix_fmt', format, '-f', 'rawvideo', '-'], raw)
}
