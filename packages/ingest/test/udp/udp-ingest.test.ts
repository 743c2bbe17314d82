import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { afterEach, describe, expect, test } from 'vitest'
import type { IngestEvent } from '../../src/index.js'
import { createUdpIngest, type UdpIngest, type UdpIngestOptions } from '../../src/udp/index.js'
import { memoryTarget } from '../memory-target.js'
import { ffmpeg, hasTools, stopSenders, until } from './senders.js'

const open: UdpIngest[] = []
afterEach(async () => {
  stopSenders()
  for (const ingest of open.splice(0)) await ingest.close()
})

const stream = { kind: 'video', codec: 'h264', payloadType: 96 } as const

async function openIngest(options: Partial<UdpIngestOptions> = {}) {
  const target = memoryTarget()
  const events: IngestEvent[] = []
  const onEvent = (event: IngestEvent): void => void events.push(event)
  const described = options.sdp === undefined ? { streams: [stream] } : {}
  const ingest = await createUdpIngest({ target, participantId: 'alice', onEvent, ...described, ...options })
  open.push(ingest)
  return { ingest, target, events, endpoint: ingest.endpoints[0]! }
}

const packet = (sequenceNumber: number, ssrc = 7): Uint8Array =>
  serializeRtpPacket({ payloadType: 96, sequenceNumber, rtpTimestamp: 0, ssrc, payload: Uint8Array.of(0x61, 1) })

/** A socket at some loopback address, with what comes to it. */
async function peer(address = '127.0.0.1') {
  const socket = createSocket('udp4')
  const received: Buffer[] = []
  socket.on('message', (bytes) => received.push(bytes))
  socket.bind(0, address)
  await once(socket, 'listening')
  const send = (bytes: Uint8Array, port: number): Promise<void> =>
    new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()))
  return { socket, received, send, close: () => socket.close() }
}

describe('createUdpIngest', () => {
  test('free ports come in pairs, or alone with rtcp-mux', async () => {
    const { ingest } = await openIngest({ streams: [stream, { ...stream, rtcpMux: true }] })
    const [pair, single] = ingest.endpoints
    expect(pair!.port % 2).toBe(0)
    expect(pair!.rtcpPort).toBe(pair!.port + 1)
    expect(single!.rtcpPort).toBe(single!.port)
    expect(ingest.stats.receiveBufferBytes).toBeGreaterThan(0)
  })

  test('RTCP goes to the port after that of RTP, until RTCP shows another; with rtcp-mux to that of RTP', async () => {
    const { endpoint } = await openIngest()
    const muxed = await openIngest({ streams: [{ ...stream, rtcpMux: true }] })
    const [sender, reporter, both] = [await peer(), await peer(), await peer()]
    for (const number of [1, 2]) {
      await sender.send(packet(number), endpoint.port)
      await both.send(packet(number), muxed.endpoint.port)
    }
    await until(() => muxed.target.tracks.length === 1)
    await reporter.send(Buffer.from('80c9000100000007', 'hex'), endpoint.rtcpPort)
    await until(() => both.received.length > 0 && reporter.received.length > 0)
    expect(reporter.received[0]!.readUInt16BE(0)).toBe(0x81c9)
    expect(both.received[0]!.readUInt16BE(0)).toBe(0x81c9)
    for (const { close } of [sender, reporter, both]) close()
  })

  test('others than the sender are refused, counted and told', async () => {
    const { ingest, target, events, endpoint } = await openIngest()
    const [sender, stranger] = [await peer(), await peer('127.0.0.2')]
    // Nonsense takes nobody's place.
    await stranger.send(Buffer.from('hello'), endpoint.port)
    for (const number of [1, 2]) await sender.send(packet(number), endpoint.port)
    await until(() => target.tracks.length === 1)
    for (const number of [3, 4, 5]) await stranger.send(packet(number), endpoint.port)
    await until(() => ingest.stats.foreignAddress === 3)
    expect(target.tracks[0]?.rtp).toHaveLength(2)
    expect(events.filter(({ type }) => type === 'foreign-address')).toEqual([
      { type: 'foreign-address', address: '127.0.0.2', port: stranger.socket.address().port },
    ])
    expect(ingest.stats.malformed).toBe(1)
    for (const { close } of [sender, stranger]) close()
  })

  test('a pinned sender is the only one, from its first packet on', async () => {
    const sender = await peer()
    const { ingest, target, endpoint } = await openIngest({
      remote: { address: '127.0.0.1', port: sender.socket.address().port },
    })
    const stranger = await peer()
    for (const number of [1, 2]) await stranger.send(packet(number), endpoint.port)
    await until(() => ingest.stats.foreignAddress === 2)
    expect(target.tracks).toHaveLength(0)
    for (const number of [1, 2]) await sender.send(packet(number), endpoint.port)
    await until(() => target.tracks.length === 1)
    for (const { close } of [sender, stranger]) close()
  })

  test('tracks are announced at once where that is asked for, and end with the ingest', async () => {
    const { ingest, target } = await openIngest({ announce: 'at-once' })
    expect(target.tracks).toMatchObject([{ codec: 'h264', ended: false }])
    await ingest.close()
    await ingest.close()
    expect(target.tracks).toMatchObject([{ ended: true }])
  })

  test('silence ends a track by the real clock', async () => {
    const { target, endpoint, events } = await openIngest({ sourceTimeoutMs: 300 })
    const sender = await peer()
    for (const number of [1, 2]) await sender.send(packet(number), endpoint.port)
    await until(() => target.tracks[0]?.ended === true)
    expect(events.at(-1)).toMatchObject({ type: 'track-ended', reason: 'timeout' })
    sender.close()
  })

  test('a port that is taken is said by its name, and what was opened is closed', async () => {
    const { endpoint } = await openIngest()
    const other = createUdpIngest({
      target: memoryTarget(),
      participantId: 'bob',
      streams: [stream, { ...stream, port: endpoint.port }],
    })
    await expect(other).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field: 'port of section 1' })
  })

  test.each<[string, Partial<UdpIngestOptions>]>([
    ['participantId', { participantId: '' }],
    ['sdp', { sdp: 'hello' }],
    ['streams', { streams: [] }],
    ['streams[0].kind', { streams: [{ ...stream, kind: 'text' as 'video' }] }],
    ['streams[0].codec', { streams: [{ ...stream, codec: 'opus' }] }],
    ['streams[0].payloadType', { streams: [{ ...stream, payloadType: 128 }] }],
    ['streams[0].rtx.payloadType', { streams: [{ ...stream, rtx: { payloadType: -1 } }] }],
    ['streams[0].ssrc', { streams: [{ ...stream, ssrc: 2 ** 32 }] }],
    ['streams[0].port', { streams: [{ ...stream, port: 70_000 }] }],
    ['streams[0].clockRate', { streams: [{ kind: 'audio', codec: 'aac', payloadType: 97 }] }],
    [
      'streams[1].mid',
      {
        streams: [
          { ...stream, mid: 'x' },
          { ...stream, mid: 'x' },
        ],
      },
    ],
    ['ports', { ports: [1, 2] }],
    ['ports[0]', { ports: [-1] }],
    ['bindAddress', { bindAddress: 'localhost' }],
    ['remote.address', { remote: { address: 'sender.example' } }],
    ['remote.port', { remote: { port: 1.5 } }],
    ['sourceTimeoutMs', { sourceTimeoutMs: 0 }],
    ['maxBitrateBps', { maxBitrateBps: -5 }],
    ['nack.maxTries', { nack: { maxTries: 0 } }],
  ])('%s is checked', async (field, options) => {
    await expect(openIngest(options)).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field })
  })
})

describe.skipIf(!hasTools && !process.env['CI'])('ffmpeg as the sender', () => {
  test('two ports and the SDP file that it writes; a second run is a second track', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'udp-ingest-'))
    const file = join(folder, 'stream.sdp')
    try {
      // ffmpeg writes its description when it starts: a first run to the discard port is there for that.
      const encode = '-re -f lavfi -i testsrc=size=320x240:rate=30 -t 1.5 -c:v libx264 -tune zerolatency -g 15 -bf 0'
      const reserved = await openIngest()
      const { port } = reserved.endpoint
      await reserved.ingest.close()
      await ffmpeg(
        `-f lavfi -i testsrc=size=320x240:rate=30 -t 0.1 -c:v libx264 -f rtp -sdp_file ${file} rtp://127.0.0.1:9`,
      ).done
      const sdp = readFileSync(file, 'utf8')
        .replace(/^SDP:\r?\n/, '')
        .replace('m=video 9 ', `m=video ${port} `)
      writeFileSync(file, sdp)
      const { ingest, target, endpoint } = await openIngest({ sdp, sourceTimeoutMs: 1000 })
      expect(endpoint).toMatchObject({ port, rtcpPort: port + 1 })
      for (const run of [0, 1]) {
        await ffmpeg(`${encode} -f rtp rtp://127.0.0.1:${port}`).done
        await until(() => target.tracks[run]?.ended === true)
      }
      expect(target.tracks).toHaveLength(2)
      for (const track of target.tracks) {
        const markers = track.rtp.filter((bytes) => bytes[1]! >= 0x80)
        expect(markers).toHaveLength(45)
        // The report that comes before the first packet; ffmpeg 5.1 says no BYE.
        expect(track.rtcp.length).toBeGreaterThanOrEqual(1)
        expect(track.fmtp).toContain('packetization-mode=1')
      }
      expect(ingest.stats.media[0]).toMatchObject({ lost: 0, strays: 0 })
      expect(ingest.stats.sendErrors).toBe(0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
