/** A host that taps access units above the time border, say for a thumbnailer or a moderator, while it records them. */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { tsFormat } from '@rushes/h264-ts-muxer'
import { createHlsSegmenterStream } from '@rushes/hls-segmenter'
import type { AccessUnit, SourceItem } from '@rushes/media'
import { createDepacketizerStream, createTimelineStream } from '@rushes/rtp-depacketizer'
import { createStoreWritable, type Store } from '@rushes/storage-adapters'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const

export async function recordAndTap(
  packets: Readable,
  store: Store,
  onKeyframe: (accessUnit: AccessUnit) => void,
): Promise<void> {
  await pipeline(
    packets,
    createDepacketizerStream(camera),
    async function* (items: AsyncIterable<SourceItem>) {
      for await (const item of items) {
        if (item.type === 'access-unit' && item.keyframe) onKeyframe(item)
        yield item
      }
    },
    createTimelineStream(),
    createHlsSegmenterStream({ format: tsFormat([camera]) }),
    createStoreWritable(store, { prefix: 'tapped' }),
  )
}
