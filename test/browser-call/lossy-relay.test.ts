import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { LossyRelay, type RelayCounters, type RelayOptions } from './lossy-relay.js'

async function socket(): Promise<Socket> {
  const bound = createSocket('udp4').bind(0, '127.0.0.1')
  await once(bound, 'listening')
  return bound
}

function packet(first: number, second: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt8(first, 0)
  bytes.writeUInt8(second, 1)
  bytes.writeUInt16BE(sequence, 2)
  bytes.writeUInt32BE(sequence * 3000, 4)
  bytes.writeUInt32BE(77, 8)
  return bytes
}

/** Sends media, RTCP and STUN through a relay to a server that sends everything back. */
async function exchange(options: Partial<RelayOptions>) {
  const [server, browser] = [await socket(), await socket()]
  const path = { lossRate: 0.05, delayMs: 0, jitterMs: 10, seed: 1, ...options }
  const relay = await LossyRelay.open({ ...path, serverPort: server.address().port })
  const [atServer, atBrowser]: [Buffer[], Buffer[]] = [[], []]
  server.on('message', (bytes, { port, address }) => {
    atServer.push(bytes)
    server.send(bytes, port, address)
  })
  browser.on('message', (bytes) => atBrowser.push(bytes))
  for (let i = 0; i < 400; i++) {
    for (const [first, second] of [
      [0x80, 96],
      [0x80, 200],
      [0, 1],
    ] as const) {
      browser.send(packet(first, second, i), relay.port, '127.0.0.1')
    }
    if (i % 10 === 9) await until(() => passed(relay.stats.toServer) === 3 * (i + 1))
  }
  await wait(300)
  const { stats, streams } = relay
  relay.close()
  server.close()
  browser.close()
  return { stats, streams, atServer, atBrowser }
}

/** Sending goes no faster than all is read: what the system drops would look like a loss of the relay. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(1)
}

const passed = ({ rtp, rtcp, control }: RelayCounters): number => rtp + rtcp + control
const isControl = (bytes: Buffer): boolean => bytes[0] === 0

describe('the path with losses', () => {
  test('loses and reorders media, and never what connects', async () => {
    const { stats, streams, atServer, atBrowser } = await exchange({})
    const { rtp, rtcp, control, rtpLost, rtcpLost, overtaken } = stats.toServer
    expect({ rtp, rtcp, control }).toEqual({ rtp: 400, rtcp: 400, control: 400 })
    expect(rtpLost).toBeGreaterThan(5)
    expect(rtpLost).toBeLessThan(45)
    expect(rtcpLost).toBeGreaterThan(5)
    expect(overtaken).toBeGreaterThan(100)
    expect(atServer).toHaveLength(1200 - rtpLost - rtcpLost)
    expect(atServer.filter(isControl)).toHaveLength(400)
    expect(atBrowser.filter(isControl)).toHaveLength(400)
    expect(atBrowser).toHaveLength(atServer.length - stats.toBrowser.rtpLost - stats.toBrowser.rtcpLost)
    const [stream] = streams
    expect(streams).toHaveLength(1)
    expect([stream?.ssrc, stream?.sent.size, stream?.timestamps.size]).toEqual([77, 400, 400])
    const arrived = new Set(atServer.filter((bytes) => bytes[1] === 96).map((bytes) => bytes.readUInt16BE(2)))
    expect([...(stream?.sent ?? [])].filter((sequence) => !arrived.has(sequence))).toEqual([...(stream?.lost ?? [])])
  })

  test('loses the same again, and others with another seed', async () => {
    const lost = async (seed: number): Promise<number[]> => [...((await exchange({ seed })).streams[0]?.lost ?? [])]
    const first = await lost(3)
    expect(await lost(3)).toEqual(first)
    expect(await lost(4)).not.toEqual(first)
  })

  test('without losses everything arrives', async () => {
    const { atBrowser } = await exchange({ lossRate: 0 })
    expect(atBrowser).toHaveLength(1200)
  })
})
