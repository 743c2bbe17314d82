import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TsMuxer } from '@rushes/h264-ts-muxer'
import { H264Depacketizer, Timeline } from '@rushes/rtp-depacketizer'
import { hasTool, timeWithoutStartUp } from './foreign-process.mjs'
import { lengthPrefixed, packetize } from './input.mjs'
import { stopwatch } from './stopwatch.mjs'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 }
const PACKETS_IN_A_SECOND = 480

/** RTP packets in memory -> H264 -> MPEG-TS, on one thread. */
export function rtpToRushes({ accessUnits }) {
  const packets = packetize(accessUnits)
  return () => {
    const elapsed = stopwatch()
    const depacketizer = new H264Depacketizer(camera)
    const timeline = new Timeline()
    const muxer = new TsMuxer([camera])
    let bytes = 0
    const onBytes = (chunk) => {
      bytes += chunk.byteLength
    }
    const onSample = (sample) => muxer.push(sample, onBytes)
    const onUnit = (unit) => timeline.push(unit, onSample)
    for (const packet of packets) depacketizer.push(packet, onUnit)
    depacketizer.flush(onUnit)
    timeline.flush(onSample)
    muxer.flush(onBytes)
    const times = elapsed()
    if (muxer.stats.samples !== accessUnits.length || bytes !== muxer.stats.bytes)
      throw new Error('a picture is missing')
    return times
  }
}

/** GStreamer on a file of the same packets behind their lengths (RFC 4571); `undefined` where it is not installed. */
export function rtpToGStreamer(dir, { accessUnits }) {
  if (!hasTool('gst-launch-1.0')) return undefined
  const packets = packetize(accessUnits)
  const whole = join(dir, 'whole.rtp')
  const tiny = join(dir, 'tiny.rtp')
  writeFileSync(whole, lengthPrefixed(packets))
  writeFileSync(tiny, lengthPrefixed(packets.slice(0, PACKETS_IN_A_SECOND)))
  return { run: () => timeWithoutStartUp('gst-launch-1.0', pipeline, whole, tiny), close() {} }
}

function pipeline(file) {
  const caps = 'application/x-rtp-stream,media=video,clock-rate=90000,encoding-name=H264,payload=96'
  const elements = ['rtpstreamdepay', 'rtph264depay', 'h264parse', 'mpegtsmux', 'fakesink']
  return ['-q', 'filesrc', `location=${file}`, '!', caps, ...elements.flatMap((element) => ['!', element])]
}
