import { spawn } from 'node:child_process'
import { packetTimesUs } from '../conformance/ffmpeg.js'

/** One decoded picture; `luma` is the reader's own only until the call returns. */
export interface GrayPicture {
  readonly index: number
  /** By the file's own timestamps. */
  readonly ptsUs: number
  readonly luma: Uint8Array
  readonly width: number
  readonly height: number
}

export interface GrayPictureOptions {
  readonly width: number
  readonly height: number
  /** Each so many pictures only. @defaultValue 1 */
  readonly every?: number
  /** Only a part, by the file's own timestamps in microseconds. @defaultValue all */
  readonly between?: readonly [number, number]
}

/** Decodes a file or playlist once and hands over the brightness of its pictures at their full size, in output order. */
export async function visitGrayPictures(
  input: string,
  options: GrayPictureOptions,
  visit: (picture: GrayPicture) => void,
): Promise<void> {
  const { width, height } = options
  const every = options.every ?? 1
  const [fromUs, toUs] = options.between ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const times = (await packetTimesUs(input, 'v:0')).map(({ ptsUs }) => ptsUs).sort((a, b) => a - b)
  const wanted = times.flatMap((ptsUs, index) =>
    index % every === 0 && ptsUs >= fromUs && ptsUs <= toUs ? [{ ptsUs, index }] : [],
  )
  if (wanted.length === 0) return
  const first = (wanted[0] as { index: number }).index
  const last = (wanted.at(-1) as { index: number }).index
  const select = `select='between(n,${first},${last})*not(mod(n,${every}))',`
  const child = spawn(
    'ffmpeg',
    [
      ...['-hide_banner', '-nostats', '-nostdin', '-v', 'error', '-copyts', '-i', input, '-map', '0:v:0'],
      ...['-vf', `${select}extractplanes=y`, '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  const luma = new Uint8Array(width * height)
  let filled = 0
  let seen = 0
  child.stdout.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + luma.byteLength - filled)
      luma.set(part, filled)
      filled += part.byteLength
      at += part.byteLength
      if (filled < luma.byteLength) return
      filled = 0
      const picture = wanted[seen++]
      if (picture !== undefined) visit({ ...picture, luma, width, height })
    }
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0 || seen !== wanted.length || filled !== 0) {
    throw new Error(
      `${seen} pictures of ${width}x${height} decoded of ${wanted.length}, ffmpeg ended with ${code}: ${said}`,
    )
  }
}
