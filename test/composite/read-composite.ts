import { packetTimesUs } from '../conformance/ffmpeg.js'
import { type CompositeOutput, type LayoutSpan, type ShownTile, spanAt } from './composite-manifest.js'
import { visitGrayPictures } from './gray-pictures.js'
import { readTileCard, spreadOutside, type TileCard } from './tile-card.js'

/** A tile of a picture of the composite, and the card in it. */
export interface TileReading extends TileCard {
  readonly tile: ShownTile
}

/** One picture of a composite, read through the rectangles of the manifest. */
export interface CompositePicture {
  readonly index: number
  /** Recording time. */
  readonly atUs: number
  readonly span: LayoutSpan | undefined
  readonly tiles: readonly TileReading[]
  /** How uneven it is where no tile is. */
  readonly outside: number
}

export interface ReadCompositeOptions {
  /** Each so many pictures only. @defaultValue 1 */
  readonly every?: number
  /** Recording time. @defaultValue all */
  readonly between?: readonly [number, number]
}

/** Recording time at the file's own time zero. */
export async function zeroUsOf(path: string, output: CompositeOutput): Promise<number> {
  // Media time zero of an MP4 is at startUs; of HLS the earliest presentation time is.
  if (output.container === 'mp4') return output.startUs
  const first = await Promise.all((['v:0', 'a:0'] as const).map(async (stream) => packetTimesUs(path, stream)))
  return output.startUs - Math.min(...first.flatMap((times) => times.slice(0, 50).map((time) => time.ptsUs)))
}

/** Decodes a composite once, and reads the cards in all tiles of its pictures. */
export async function readComposite(
  path: string,
  output: CompositeOutput,
  layouts: readonly LayoutSpan[],
  options: ReadCompositeOptions = {},
): Promise<CompositePicture[]> {
  const zeroUs = await zeroUsOf(path, output)
  const canvas = (layouts[0] as LayoutSpan).canvas
  const pictures: CompositePicture[] = []
  const { every, between } = options
  await visitGrayPictures(
    path,
    {
      ...canvas,
      ...(every === undefined ? undefined : { every }),
      ...(between === undefined ? undefined : { between: [between[0] - zeroUs, between[1] - zeroUs] as const }),
    },
    ({ index, ptsUs, luma }) => {
      const atUs = ptsUs + zeroUs
      // A container's clock may round a picture to just before the border at which it stands.
      const span = spanAt(layouts, atUs + 500)
      const isMoving = span?.transition === true
      const shown = isMoving ? [] : (span?.tiles ?? [])
      pictures.push({
        index,
        atUs,
        span,
        tiles: shown.map((tile) => ({ tile, ...readTileCard(luma, canvas.width, tile, tile.picture ?? tile) })),
        outside: isMoving ? 0 : spreadOutside(luma, canvas.width, canvas.height, shown),
      })
    },
  )
  return pictures
}
