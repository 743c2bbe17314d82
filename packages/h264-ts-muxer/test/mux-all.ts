import type { TimedItem } from '@rushes/media'
import type { TsMuxer } from '../src/index.js'

/** Everything that a muxer writes of the items. */
export function muxAll(muxer: TsMuxer, items: Iterable<TimedItem>): Buffer {
  const out: Uint8Array[] = []
  for (const item of items) muxer.push(item, (bytes) => void out.push(bytes))
  muxer.flush((bytes) => void out.push(bytes))
  return Buffer.concat(out)
}
