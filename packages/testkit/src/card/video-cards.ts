import { CardError } from './errors.js'
import { type FfmpegOptions, inputArguments, runFfmpeg } from './ffmpeg.js'
import { type Card, readCard } from './read-card.js'

/** One decoded picture. */
export interface CardFrame extends Card {
  /** Presentation time as the file says it, in microseconds; NaN where it says none. */
  readonly ptsUs: number
  /** Of the picture as decoded, before scaling and after cropping by `crop`. */
  readonly width: number
  readonly height: number
}

/** Which pictures to read. */
export interface VideoCardOptions extends FfmpegOptions {
  /** Part of the picture that holds the card, in pixels: a tile of a composite. @defaultValue the whole picture */
  readonly crop?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  /** Index among the video streams. @defaultValue 0 */
  readonly stream?: number
}

/** All pictures are scaled to this before they are read: large enough for 16 cells, small enough to be quick. */
const WIDTH = 320
const HEIGHT = 180

/** Decodes a file, or a playlist by path or URL, and reads the test card of every picture, in output order. */
export async function readVideoCards(input: string, options: VideoCardOptions = {}): Promise<CardFrame[]> {
  const crop = options.crop
  return decodeCards(
    [...inputArguments(input), ...['-map', `0:v:${options.stream ?? 0}`]],
    crop === undefined ? '' : `crop=${crop.width}:${crop.height}:${crop.x}:${crop.y}:exact=1,`,
    options,
  )
}

/** Decodes H.264 in Annex B, one picture for each access unit; the times mean nothing. */
export async function readAnnexBCards(bytes: Uint8Array, options: FfmpegOptions = {}): Promise<CardFrame[]> {
  return decodeCards(['-f', 'h264', '-i', 'pipe:0'], '', options, bytes)
}

async function decodeCards(
  inputArgs: readonly string[],
  filters: string,
  options: FfmpegOptions,
  stdin?: Uint8Array,
): Promise<CardFrame[]> {
  const cards: Card[] = []
  const times: { ptsUs: number; width: number; height: number }[] = []
  let usPerTick = Number.NaN
  let size = { width: 0, height: 0 }
  const frame = new Uint8Array(WIDTH * HEIGHT)
  let filled = 0
  // The first showinfo gives size and time as decoded; both come in the order of the pictures.
  const filter = `${filters}showinfo=checksum=0,scale=${WIDTH}:${HEIGHT}:flags=area,format=gray`
  await runFfmpeg({
    ...options,
    ...(stdin === undefined ? {} : { stdin }),
    args: [...inputArgs, '-an', '-sn', '-dn', '-vf', filter, '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
    onStdout(chunk) {
      for (let at = 0; at < chunk.byteLength; ) {
        const part = chunk.subarray(at, at + frame.byteLength - filled)
        frame.set(part, filled)
        filled += part.byteLength
        at += part.byteLength
        if (filled < frame.byteLength) break
        filled = 0
        cards.push(readCard(frame, WIDTH, HEIGHT))
      }
    },
    onLine(line) {
      if (!line.startsWith('[Parsed_showinfo')) return
      const timeBase = /config in time_base: (\d+)\/(\d+)/.exec(line)
      if (timeBase !== null) usPerTick = (Number(timeBase[1]) * 1_000_000) / Number(timeBase[2])
      const picture = / n: *\d+ pts: *(-?\d+|NOPTS) .* s:(\d+)x(\d+) /.exec(line)
      if (picture === null) return
      size = { width: Number(picture[2]), height: Number(picture[3]) }
      times.push({ ptsUs: Math.round(Number(picture[1]) * usPerTick), ...size })
    },
  })
  if (cards.length !== times.length) {
    throw new CardError('FFMPEG_FAILED', `${cards.length} pictures came with ${times.length} times`)
  }
  return cards.map((card, index) => ({ ...card, ...(times[index] as (typeof times)[number]) }))
}

/** The first picture of a flash. */
export type Flash<Frame> = Frame & {
  /** How long the box had been white when it was drawn, by its counter, in microseconds: 0 unless pictures are missing. */
  readonly sinceFlashUs: number
}

/** The first picture of each flash: the card's box turns white there. @param fps of the card's counter */
export function flashTimes<Frame extends Pick<Card, 'flash' | 'counter'>>(
  frames: readonly Frame[],
  fps = 30,
): Flash<Frame>[] {
  return frames.flatMap((frame, index) =>
    frame.flash && frame.counter !== undefined && frames[index - 1]?.flash === false
      ? [{ ...frame, sinceFlashUs: ((frame.counter % fps) * 1_000_000) / fps }]
      : [],
  )
}
