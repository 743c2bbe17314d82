/** A pipeline by hand, from five packages: the RTP of one camera becomes an HLS recording on the local disk. */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { tsFormat } from '@rushes/h264-ts-muxer'
import { createHlsSegmenterStream } from '@rushes/hls-segmenter'
import { createDepacketizerStream, createTimelineStream } from '@rushes/rtp-depacketizer'
import { createStoreWritable } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const

/** `packets`: RTP and RTCP packets (Buffers), in any order. */
export async function recordCamera(packets: Readable, root: string): Promise<void> {
  await pipeline(
    packets,
    createDepacketizerStream(camera),
    createTimelineStream(),
    createHlsSegmenterStream({ format: tsFormat([camera]), segmentDuration: 6 }),
    createStoreWritable(createLocalStore({ root }), { prefix: 'room-1' }),
  )
}
