/** The shortest of all: packets in, the bytes of a transport stream out. */
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createTsMuxerStream } from '@rushes/h264-ts-muxer'
import { createDepacketizerStream, createTimelineStream } from '@rushes/rtp-depacketizer'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const

export async function toTransportStream(packets: Readable, out: Writable): Promise<void> {
  await pipeline(packets, createDepacketizerStream(camera), createTimelineStream(), createTsMuxerStream([camera]), out)
}
