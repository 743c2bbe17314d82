import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OpusDepacketizer, serializeRtpPacket } from '../src/index.js'
import { audioFramesOf, collect } from './collect.js'

const microphone = { id: 'microphone', kind: 'audio', codec: 'opus', clockRate: 48_000 } as const

function packets(payloads: readonly Uint8Array[], steps: readonly number[] = []): Uint8Array[] {
  let rtpTimestamp = 0
  return payloads.map((payload, sequenceNumber) => {
    const bytes = serializeRtpPacket({ payloadType: 96, ssrc: 1, sequenceNumber, rtpTimestamp, payload })
    rtpTimestamp += steps[sequenceNumber] ?? 960
    return bytes
  })
}

test('the length comes from the TOC', () => {
  const toc = (config: number, code: number): number => (config << 3) | code
  const payloads = [
    [toc(16, 0), 1], // CELT 2.5 ms
    [toc(31, 0), 1], // CELT 20 ms
    [toc(3, 0), 1], // SILK 60 ms
    [toc(3, 1), 1, 1], // 2 of 60 ms
    [toc(1, 3), 3, 1, 1, 1], // 3 of 20 ms
  ].map((bytes) => Uint8Array.from(bytes))
  const frames = audioFramesOf(collect(new OpusDepacketizer(microphone), packets(payloads)))
  expect(frames.map(({ duration }) => duration)).toEqual([120, 960, 2880, 5760, 2880])
})

test('DTX: payloads of one byte are frames, and jumps in time are no loss', () => {
  const payloads = [Uint8Array.of(0xf8, 1), Uint8Array.of(0x08), Uint8Array.of(0x08), Uint8Array.of(0xf8, 1)]
  const frames = audioFramesOf(collect(new OpusDepacketizer(microphone), packets(payloads, [960, 19_200, 19_200])))
  expect(frames.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual([0, 960, 20_160, 39_360])
  expect(frames.some(({ lossBefore }) => lossBefore)).toBe(false)
})

test('a damaged packet is counted, and missing', () => {
  const depacketizer = new OpusDepacketizer(microphone)
  const payloads = [Uint8Array.of(0xf8, 1), Uint8Array.of(0xfb), Uint8Array.of(0xf8, 1)]
  const frames = audioFramesOf(collect(depacketizer, packets(payloads)))
  expect(frames.map(({ lostPackets }) => lostPackets)).toEqual([undefined, 1])
  expect(depacketizer.stats).toMatchObject({ frames: 2, lost: 0, malformed: { opus: 1 } })
})

test('padding is no frame and no loss', () => {
  const depacketizer = new OpusDepacketizer(microphone)
  const inputs = packets([Uint8Array.of(0xf8, 1), new Uint8Array(0), Uint8Array.of(0xf8, 1)])
  inputs[1] = serializeRtpPacket({
    payloadType: 96,
    ssrc: 1,
    sequenceNumber: 1,
    rtpTimestamp: 0,
    payload: new Uint8Array(0),
    paddingBytes: 255,
  })
  const frames = audioFramesOf(collect(depacketizer, inputs))
  expect(frames.map(({ lossBefore }) => lossBefore)).toEqual([false, false])
  expect(depacketizer.stats).toMatchObject({ paddingOnly: 1, lost: 0 })
})

test('channels are the track says, 2 otherwise, whatever the TOC says of one packet', () => {
  const stereo = [Uint8Array.of(0xfc, 1)]
  const channelsOf = (channels?: number) => {
    const track = channels === undefined ? microphone : { ...microphone, channels }
    return audioFramesOf(collect(new OpusDepacketizer(track), packets(stereo)))[0]?.configuration?.channels
  }
  expect([channelsOf(), channelsOf(1), channelsOf(2)]).toEqual([2, 1, 2])
})

test('reordered, duplicated and thinned out, what comes out is what came, in order, with every loss told', () => {
  const arrival = fc.record({ lost: fc.boolean(), delay: fc.nat({ max: 15 }), again: fc.boolean() })
  const property = fc.property(
    fc.array(arrival, { minLength: 2, maxLength: 120 }),
    fc.constantFrom(0, 65_500),
    fc.constantFrom(0, 2 ** 32 - 9600),
    (arrivals, firstSequence, firstTimestamp) => {
      const sent = arrivals.map(({ lost, delay, again }, index) => ({ lost: lost && delay < 4, delay, again, index }))
      const kept = sent.filter(({ lost }) => !lost)
      const copies = kept.flatMap(({ delay, again, index }) => [
        { index, at: index + delay },
        ...(again ? [{ index, at: index + delay + 3 }] : []),
      ])
      copies.sort((a, b) => a.at - b.at)
      const depacketizer = new OpusDepacketizer(microphone, { startPackets: 40 })
      const frames = audioFramesOf(
        collect(
          depacketizer,
          copies.map(({ index }) =>
            serializeRtpPacket({
              payloadType: 96,
              ssrc: 1,
              sequenceNumber: firstSequence + index,
              rtpTimestamp: firstTimestamp + index * 960,
              payload: Uint8Array.of(0xf8, index),
            }),
          ),
        ),
      )
      expect(frames.map(({ data }) => data[1])).toEqual(kept.map(({ index }) => index))
      for (const [i, frame] of frames.entries()) {
        const gap = i === 0 ? 0 : kept[i]!.index - kept[i - 1]!.index - 1
        expect([frame.lossBefore, frame.lostPackets ?? 0]).toEqual([gap > 0, gap])
        if (i > 0) expect(frame.rtpTimestamp - frames[i - 1]!.rtpTimestamp).toBe((gap + 1) * 960)
      }
      expect(depacketizer.stats).toMatchObject({
        duplicates: copies.length - kept.length,
        late: 0,
        epochs: kept.length > 0 ? 1 : 0,
      })
    },
  )
  fc.assert(property)
})

test('random packets never throw', () => {
  const property = fc.property(
    fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 }),
    fc.boolean(),
    (payloads, wrap) => {
      const depacketizer = new OpusDepacketizer(microphone)
      const inputs = wrap ? packets(payloads) : payloads
      const frames = audioFramesOf(collect(depacketizer, inputs))
      const { malformed, paddingOnly } = depacketizer.stats
      if (wrap) expect(frames.length + malformed['opus']! + paddingOnly).toBe(payloads.length)
      for (const { duration } of frames) expect(duration).toBeGreaterThan(0)
    },
  )
  fc.assert(property)
})
