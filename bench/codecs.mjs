// Cost of transcoding. Build first: npx tsc -b packages/codecs
//   node bench/codecs.mjs [--seconds 10]
// Needs ffmpeg. Figures are processor time of one thread, so that what else the machine does hardly counts.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createAacTranscoder, createVideoTranscoder } from '@rushes/codecs'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } })
const seconds = Number(values.seconds)

/** Milliseconds of processor time for each of `items`, of which the first tenth warms up. */
function perItem(stage, items) {
  const warm = Math.floor(items.length / 10)
  const take = () => {}
  for (const item of items.slice(0, warm)) stage.push(item, take)
  const began = process.cpuUsage()
  for (const item of items.slice(warm)) stage.push(item, take)
  stage.flush(take)
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000 / (items.length - warm)
}

/** Opus of a capture, looped, 20 ms a packet; every `lossEvery`-th is lost. */
function opusSamples(packets, lossEvery) {
  const payloads = []
  const bytes = readFileSync(new URL('../test/fixtures/solo/alice-audio.rtpdump', import.meta.url))
  for (let offset = bytes.indexOf(0x0a) + 17; offset + 8 <= bytes.length; ) {
    const length = bytes.readUInt16BE(offset)
    const packet = bytes.subarray(offset + 8, offset + length)
    const isRtp = bytes.readUInt16BE(offset + 2) > 0
    offset += length
    if (!isRtp) continue
    let header = 12 + 4 * (packet[0] & 0x0f)
    if ((packet[0] & 0x10) !== 0) header += 4 + 4 * packet.readUInt16BE(header + 2)
    if (packet.length > header) payloads.push(new Uint8Array(packet.subarray(header)))
  }
  const samples = []
  for (let index = 0; index < packets; index++) {
    if (index % lossEvery === lossEvery - 1) continue
    const isAfterLoss = index > 0 && index % lossEvery === 0
    samples.push({
      type: 'sample',
      trackId: 'voice',
      data: payloads[index % payloads.length],
      pts: index * 960,
      dts: index * 960,
      keyframe: true,
      ...(isAfterLoss ? { lostPackets: 1, discontinuity: true } : {}),
    })
  }
  return samples
}

/** Pictures of ffmpeg's moving test picture, by way of IVF. */
function videoSamples(codec, args) {
  const input = ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=30:duration=${seconds}`, '-pix_fmt', 'yuv420p']
  const options = { maxBuffer: 1 << 30 }
  const { stdout } = spawnSync('ffmpeg', ['-v', 'error', ...input, ...args, '-f', 'ivf', '-'], options)
  const samples = []
  for (let offset = 32; offset + 12 <= stdout.length; ) {
    const length = stdout.readUInt32LE(offset)
    const data = [Uint8Array.from(stdout.subarray(offset + 12, offset + 12 + length))]
    const pts = samples.length * 3000
    samples.push({ type: 'sample', trackId: codec, data, pts, dts: pts, keyframe: samples.length === 0 })
    offset += 12 + length
  }
  return samples
}

const rows = []
const voice = { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000 }
for (const [label, lossEvery] of [
  ['without loss', Number.POSITIVE_INFINITY],
  ['5 % lost', 20],
  ['20 % lost', 5],
]) {
  const ms = perItem(await createAacTranscoder({ track: voice }), opusSamples(seconds * 500, lossEvery))
  rows.push({ what: `Opus packet (mono, 20 ms) -> AAC, ${label}`, us: Math.round(ms * 1000) })
}
for (const codec of ['pcmu', 'g722']) {
  const track = { id: 'voice', kind: 'audio', codec, clockRate: 8_000 }
  const samples = Array.from({ length: seconds * 500 }, (_, index) => ({
    type: 'sample',
    trackId: 'voice',
    data: Uint8Array.from({ length: 160 }, (__, at) => (index * 31 + at * 7) & 0xff),
    pts: index * 160,
    dts: index * 160,
    keyframe: true,
  }))
  rows.push({
    what: `${codec} packet (20 ms) -> AAC`,
    us: Math.round(perItem(await createAacTranscoder({ track }), samples) * 1000),
  })
}
const coders = {
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2500k', '-auto-alt-ref', '0'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2500k', '-row-mt', '1'],
  av1: ['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-b:v', '2500k'],
}
for (const [codec, args] of Object.entries(coders)) {
  const samples = videoSamples(codec, args)
  const track = { id: codec, kind: 'video', codec, clockRate: 90_000 }
  for (const options of [
    { bitRate: 2_500_000, maxHeight: 720 },
    { bitRate: 800_000, maxHeight: 360 },
  ]) {
    const ms = perItem(await createVideoTranscoder({ track, ...options }), samples)
    rows.push({ what: `${codec} 720p picture -> H264 ${options.maxHeight}p, veryfast`, us: Math.round(ms * 1000) })
  }
}
console.table(rows)
