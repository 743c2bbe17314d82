/** The same cores without streams: in a worker, another runtime, a property test. Nothing here waits for anything. */
import { TsMuxer } from '@rushes/h264-ts-muxer'
import { H264Depacketizer, Timeline } from '@rushes/rtp-depacketizer'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const

export function muxAll(packets: Iterable<Uint8Array>): Uint8Array[] {
  const out: Uint8Array[] = []
  const depacketizer = new H264Depacketizer(camera)
  const timeline = new Timeline()
  const muxer = new TsMuxer([camera])
  const write = (bytes: Uint8Array): void => void out.push(bytes)
  for (const packet of packets) {
    depacketizer.push(packet, (accessUnit) => timeline.push(accessUnit, (sample) => muxer.push(sample, write)))
  }
  depacketizer.flush((accessUnit) => timeline.push(accessUnit, (sample) => muxer.push(sample, write)))
  timeline.flush((sample) => muxer.push(sample, write))
  muxer.flush(write)
  return out
}
