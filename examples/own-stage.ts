/** Your own stage in the middle: an async generator is a stage too. */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { tsFormat } from '@rushes/h264-ts-muxer'
import { createHlsSegmenterStream } from '@rushes/hls-segmenter'
import type { TimedItem } from '@rushes/media'
import { createDepacketizerStream, createTimelineStream } from '@rushes/rtp-depacketizer'
import { createStoreWritable, type Store } from '@rushes/storage-adapters'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const

/** Leaves out everything but the keyframes of the stretch in the middle: a preview that hurries. */
export async function recordKeyframes(packets: Readable, store: Store): Promise<number> {
  let kept = 0
  await pipeline(
    packets,
    createDepacketizerStream(camera),
    createTimelineStream(),
    async function* (items: AsyncIterable<TimedItem>) {
      for await (const item of items) {
        if (item.type === 'sample' && !item.keyframe) continue
        if (item.type === 'sample') kept++
        yield item
      }
    },
    createHlsSegmenterStream({ format: tsFormat([camera]) }),
    createStoreWritable(store, { prefix: 'preview' }),
  )
  return kept
}
