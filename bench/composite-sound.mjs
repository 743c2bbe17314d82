// Cost of mixing the sound of a call. Build first: npx tsc -b packages/compositor
//   node bench/composite-sound.mjs [--seconds 30]
// Figures are processor time as a share of one core: 1 % is 10 ms for each second of the call.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CompositeSound } from '../packages/compositor/dist/sound/composite-sound.js'
import { SoundMixer } from '../packages/compositor/dist/sound/sound-mixer.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } })
const seconds = Number(values.seconds)

/** Opus payloads of a capture: somebody who speaks all the time. */
function opusPayloads() {
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
  return payloads
}

function share(began, mediaSeconds) {
  const { user, system } = process.cpuUsage(began)
  return `${((user + system) / 1e4 / mediaSeconds).toFixed(2)} %`
}

/** Only the mixer: `speaking` of `people` write noise of this amplitude. */
function mixing(people, speaking, amplitude) {
  const mixer = new SoundMixer({ levelling: true, onLevel: () => {} })
  const noise = Float32Array.from({ length: 1024 }, (_, index) => amplitude * Math.sin(index * index))
  const silence = new Float32Array(1024)
  for (let index = 0; index < people; index++) mixer.addSource(`${index}`, `${index}`)
  const end = seconds * 48_000
  let began
  for (let at = 0; at < end; at += 1024) {
    if (at >= end / 10) began ??= process.cpuUsage()
    for (let index = 0; index < people; index++) {
      mixer.write(`${index}`, [index < speaking ? noise : silence], 1024, at)
    }
    mixer.mixTo(at + 1024, () => {})
  }
  return share(began, seconds * 0.9)
}

/** Everything: Opus in, AAC out. */
async function composing(people, speaking, sampleRate) {
  const payloads = opusPayloads()
  const sound = await CompositeSound.create({ sampleRate, onLevel: () => {} })
  for (let index = 0; index < people; index++) {
    await sound.addTrack({ id: `${index}`, kind: 'audio', codec: 'opus', clockRate: 48_000 }, `${index}`)
  }
  let began
  for (let packet = 0; packet < seconds * 50; packet++) {
    if (packet >= seconds * 5) began ??= process.cpuUsage()
    const pts = packet * 960
    for (let index = 0; index < people; index++) {
      const trackId = `${index}`
      const data = payloads[(packet + 50 * index) % payloads.length]
      const isSpeaking = index < speaking || packet < 5
      sound.push(
        isSpeaking
          ? { type: 'sample', trackId, data, pts, dts: pts, keyframe: true }
          : { type: 'watermark', trackId, dts: pts },
      )
    }
    sound.mixUntil(Math.min(sound.knownUntilUs, packet * 20_000), () => {})
  }
  const result = share(began, seconds * 0.9)
  sound.close()
  return result
}

for (const people of [4, 10, 25, 50]) {
  console.log(
    `${people} people, mixing alone: all speak ${mixing(people, people, 0.01)}, two speak ${mixing(people, 2, 0.01)}`,
  )
}
console.log(`10 people over the ceiling all the time: ${mixing(10, 10, 0.5)}`)
for (const people of [1, 4, 10, 25, 50]) {
  const all = await composing(people, people, 48_000)
  console.log(`${people} people, Opus to AAC: all speak ${all}, two speak ${await composing(people, 2, 48_000)}`)
}
console.log(`10 people at 44.1 kHz, all speak: ${await composing(10, 10, 44_100)}`)
