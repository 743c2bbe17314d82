import type { Configuration, EncodedSample, TimedItem } from '@rushes/media'
import { nalPiecesOf, piecesLength } from '@rushes/media'

/** A sample without its bytes, which stand beside it. */
interface PackedSample extends Omit<EncodedSample, 'data' | 'pieces' | 'configuration'> {
  readonly configuration: Configuration | undefined
  /** Length of each unit; one number for a sample that is no list. */
  readonly lengths: readonly number[] | number
}

/** Items as they go from one thread to another: the bytes of all of them in one buffer, which can be given away. */
export interface PackedItems {
  readonly items: readonly (PackedSample | Exclude<TimedItem, EncodedSample>)[]
  readonly bytes: ArrayBuffer
}

/** Copies the bytes of all samples, once. */
export function packItems(items: readonly TimedItem[]): PackedItems {
  let length = 0
  for (const item of items) if (item.type === 'sample') length += lengthOf(item)
  const bytes = new Uint8Array(length)
  let offset = 0
  const packed = items.map((item) => {
    if (item.type !== 'sample') return item
    const lengths: number[] = []
    for (const unit of nalPiecesOf(item)) {
      const start = offset
      for (const piece of unit) {
        bytes.set(piece, offset)
        offset += piece.byteLength
      }
      lengths.push(offset - start)
    }
    const { trackId, pts, dts, duration, keyframe, configuration, discontinuity, lostPackets, arrivalUs } = item
    return {
      type: 'sample',
      trackId,
      pts,
      dts,
      keyframe,
      configuration,
      lengths: item.pieces === undefined && item.data instanceof Uint8Array ? (lengths[0] as number) : lengths,
      ...(duration === undefined ? undefined : { duration }),
      ...(discontinuity === undefined ? undefined : { discontinuity }),
      ...(lostPackets === undefined ? undefined : { lostPackets }),
      ...(arrivalUs === undefined ? undefined : { arrivalUs }),
    } satisfies PackedSample
  })
  return { items: packed, bytes: bytes.buffer }
}

/** The items again, as views of the one buffer. */
export function* unpackItems({ items, bytes }: PackedItems): Generator<TimedItem> {
  let offset = 0
  const next = (length: number): Uint8Array => {
    offset += length
    return new Uint8Array(bytes, offset - length, length)
  }
  for (const item of items) {
    if (item.type !== 'sample') {
      yield item
      continue
    }
    const { lengths, configuration, ...facts } = item
    yield {
      ...facts,
      data: typeof lengths === 'number' ? next(lengths) : lengths.map(next),
      ...(configuration === undefined ? undefined : { configuration }),
    }
  }
}

function lengthOf(sample: EncodedSample): number {
  let length = 0
  for (const unit of nalPiecesOf(sample)) length += piecesLength(unit)
  return length
}
