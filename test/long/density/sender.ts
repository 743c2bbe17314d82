// Sends the loop to many ports: stdin has one line of JSON, `{ ports, seconds, loop }`. Prints what it sent.
import { createSocket } from 'node:dgram'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { AUDIO, VIDEO } from './stream.js'

interface Order {
  readonly ports: readonly number[]
  readonly seconds: number
  readonly lengthUs: number
  readonly packets: readonly { kind: 'video' | 'audio'; bytes: string; ticks: number; atUs: number }[]
}

const order = JSON.parse(await text(process.stdin)) as Order
const packets = order.packets.map((packet) => ({ ...packet, bytes: Buffer.from(packet.bytes, 'base64') }))
const loopTicks = { video: (order.lengthUs * VIDEO.clockRate) / 1e6, audio: (order.lengthUs * AUDIO.clockRate) / 1e6 }
const perLoop = { video: 0, audio: 0 }
for (const { kind } of packets) perLoop[kind]++
const sockets = Array.from({ length: 8 }, () => createSocket({ type: 'udp4', sendBufferSize: 4_194_304 }))
/** Each participant is somewhere else in the loop, so that keyframes do not come all at once. */
const people = order.ports.map((port, index) => ({
  port,
  socket: sockets[index % sockets.length] as (typeof sockets)[number],
  shiftUs: Math.floor((index * order.lengthUs) / order.ports.length),
  next: 0,
  round: 0,
}))
const startUs = performance.now() * 1000
let sent = 0
let bytes = 0
let latestUs = 0

/** RTCP sender report: the NTP clock is the machine's. */
function report(ssrc: number, rtpTicks: number): Buffer {
  const packet = Buffer.alloc(28)
  packet.writeUInt32BE(0x80c80006, 0)
  packet.writeUInt32BE(ssrc, 4)
  const ms = Date.now()
  packet.writeUInt32BE(Math.floor(ms / 1000) + 2_208_988_800, 8)
  packet.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), 12)
  packet.writeUInt32BE(Math.floor(rtpTicks) >>> 0, 16)
  return packet
}

const nextReport = new Map<number, number>()
for (;;) {
  const nowUs = performance.now() * 1000 - startUs
  if (nowUs > order.seconds * 1e6) break
  for (const [index, person] of people.entries()) {
    for (;;) {
      const packet = packets[person.next]
      if (packet === undefined) break
      const dueUs = person.round * order.lengthUs + packet.atUs - person.shiftUs
      if (dueUs > nowUs) break
      if (dueUs >= 0) {
        latestUs = Math.max(latestUs, nowUs - dueUs)
        const ssrc = index * 2 + (packet.kind === 'video' ? 1 : 2)
        const ticks = packet.ticks + person.round * loopTicks[packet.kind]
        const own = Buffer.from(packet.bytes)
        const template = packet.bytes.readUInt16BE(2)
        own.writeUInt16BE((template + person.round * perLoop[packet.kind]) & 0xffff, 2)
        own.writeUInt32BE(ticks >>> 0, 4)
        own.writeUInt32BE(ssrc, 8)
        person.socket.send(own, person.port, '127.0.0.1')
        sent++
        bytes += own.byteLength
        if (nowUs >= (nextReport.get(ssrc) ?? 0)) {
          nextReport.set(ssrc, nowUs + 2_000_000 + (ssrc % 100) * 10_000)
          const rate = packet.kind === 'video' ? VIDEO.clockRate : AUDIO.clockRate
          person.socket.send(report(ssrc, ticks + ((nowUs - dueUs) * rate) / 1e6), person.port, '127.0.0.1')
        }
      }
      person.next++
      if (person.next === packets.length) {
        person.next = 0
        person.round++
      }
    }
  }
  await setTimeout(2)
}
await setTimeout(200)
for (const socket of sockets) socket.close()
process.stdout.write(`${JSON.stringify({ sent, bytes, latestMs: Math.round(latestUs / 1000) })}\n`)
