import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderTrack } from '../../src/card/dump-track.js'
import { assembleFrames } from '../../src/card/h264-frames.js'
import { readDump } from '../../src/card/rtpdump.js'
import { arbitraries, type RtpStream } from '../../src/index.js'

const small = { maxPictures: 6, maxPictureBytes: 3000 }

/** Reads delivered packets by the card reader's own reading of RTP. */
function ordered(stream: RtpStream<unknown>): ReturnType<typeof orderTrack> {
  const records = stream.packets.map((packet) => {
    const head = Buffer.alloc(8)
    head.writeUInt16BE(packet.byteLength + 8, 0)
    head.writeUInt16BE(packet.byteLength, 2)
    return Buffer.concat([head, packet])
  })
  const dump = readDump(Buffer.concat([Buffer.from('#!rtpplay1.0 0.0.0.0/0\n'), Buffer.alloc(16), ...records]))
  return orderTrack(dump, 0x12345678, 96, stream.track.clockRate)
}

function sequenceOf(packet: Uint8Array): number {
  return ((packet[2] as number) << 8) | (packet[3] as number)
}

describe.each([false, true])('rtpStream, wraps: %s', (wraps) => {
  it('without loss gives back every access unit', () => {
    fc.assert(
      fc.property(arbitraries.rtpStream({ codec: 'h264', loss: false, wraps, ...small }), (stream) => {
        const frames = assembleFrames(ordered(stream).packets)
        expect(stream.lost).toEqual([])
        expect(
          frames.map(({ nalUnits }) => nalUnits.map((nalUnit) => Buffer.from(nalUnit).toString('base64'))),
        ).toEqual(
          stream.units.map(({ nalUnits }) => nalUnits.map((nalUnit) => Buffer.from(nalUnit).toString('base64'))),
        )
        const first = stream.units[0]?.rtpTimestamp ?? 0
        expect(frames.map(({ extendedTimestamp }) => extendedTimestamp - (frames[0]?.extendedTimestamp ?? 0))).toEqual(
          stream.units.map(({ rtpTimestamp }) => rtpTimestamp - first),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('delivers what was not lost, within the window', () => {
    fc.assert(
      fc.property(arbitraries.rtpStream({ codec: 'h264', wraps, ...small }), (stream) => {
        const { sent, packets, lost, units, reorderWindow } = stream
        const place = new Map(sent.map(({ data }, index) => [data, index]))
        const delivered = packets.map((packet) => place.get(packet) as number)
        const expected = sent.filter(({ extendedSequence }) => !lost.includes(extendedSequence))
        expect([...new Set(delivered)].sort((a, b) => a - b)).toEqual(expected.map(({ data }) => place.get(data)))
        let newest = -1
        for (const at of delivered) {
          expect(newest - at).toBeLessThanOrEqual(reorderWindow)
          newest = Math.max(newest, at)
        }
        for (const [index, packet] of sent.entries()) {
          expect(sequenceOf(packet.data)).toBe(packet.extendedSequence % 65_536)
          expect(packet.extendedSequence).toBe((sent[0]?.extendedSequence ?? 0) + index)
        }
        for (const unit of units) {
          const gone = lost.filter((sequence) => sequence >= unit.firstSequence && sequence <= unit.lastSequence)
          expect(unit.lostPackets).toBe(gone.length)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('carries one Opus frame in each packet', () => {
    fc.assert(
      fc.property(arbitraries.rtpStream({ codec: 'opus', wraps, reorderWindow: 4 }), (stream) => {
        const came = ordered(stream).packets.filter(({ payload }) => payload.byteLength > 0)
        const expected = stream.units.filter(({ lostPackets }) => lostPackets === 0)
        expect(came.map(({ payload }) => Buffer.from(payload).toString('hex'))).toEqual(
          expected.map(({ data }) => Buffer.from(data).toString('hex')),
        )
      }),
      { numRuns: 300 },
    )
  })
})

it('loses, repeats and delays often enough to matter', () => {
  const streams = fc.sample(arbitraries.rtpStream({ codec: 'h264', wraps: true, ...small }), { numRuns: 300, seed: 1 })
  const share = (has: (stream: (typeof streams)[number]) => boolean): number => streams.filter(has).length / 300
  expect(share(({ lost }) => lost.length > 0)).toBeGreaterThan(0.3)
  expect(share(({ packets }) => new Set(packets).size < packets.length)).toBeGreaterThan(0.3)
  expect(share(({ sent }) => sent.some(({ unit }) => unit === -1))).toBeGreaterThan(0.3)
  expect(share(({ sent }) => sent.some(({ extendedSequence }) => extendedSequence > 65_535))).toBeGreaterThan(0.1)
})

it('shrinks to almost nothing', () => {
  const details = fc.check(
    fc.property(arbitraries.rtpStream({ codec: 'h264' }), ({ lost }) => lost.length === 0),
    { seed: 3 },
  )
  expect(details.failed).toBe(true)
  const [stream] = details.counterexample as [RtpStream<unknown>]
  expect(stream.units.length).toBe(1)
  expect(stream.lost.length).toBe(1)
})
