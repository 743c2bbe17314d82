import type { AccessUnit } from '@rushes/media'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { H264Depacketizer, serializeRtpPacket } from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import { encode, packetize, type SentPacket, type SentUnit } from './h264-stream.js'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const

const picture = (disposable: boolean) =>
  fc.record({
    idr: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
    reference: disposable ? fc.integer({ min: 0, max: 2 }).map((roll) => roll > 0) : fc.constant(true),
    slices: fc.integer({ min: 1, max: 3 }),
    dataLength: fc.integer({ min: 0, max: 300 }),
    padding: fc.integer({ min: 0, max: 12 }).map((roll) => Math.max(0, roll - 9)),
    step: fc.integer({ min: 1, max: 9000 }),
  })

const stream = fc.record({
  units: fc
    .tuple(
      fc.boolean().chain((disposable) => fc.array(picture(disposable), { minLength: 1, maxLength: 40 })),
      fc.constantFrom(0, 2 ** 32 - 20_000, 1_234_567_890),
    )
    .map(([specs, firstTimestamp]) => encode(specs, firstTimestamp)),
  firstSequenceNumber: fc.constantFrom(0, 65_520, 40_000),
  mtu: fc.integer({ min: 20, max: 400 }),
  aggregate: fc.boolean(),
})

function bytesOf(nalUnits: readonly Uint8Array[]): string[] {
  return nalUnits.map((nal) => Buffer.from(nal).toString('hex'))
}

/** Index of the sent unit that each emitted one is, which it must be to the byte. */
function identify(units: readonly SentUnit[], emitted: readonly AccessUnit[]): number[] {
  return emitted.map(({ rtpTimestamp, nalUnits, pieces }) => {
    const wire = ((rtpTimestamp % 2 ** 32) + 2 ** 32) % 2 ** 32
    const index = units.findIndex((unit) => unit.rtpTimestamp === wire)
    expect(bytesOf(nalUnits)).toEqual(bytesOf(units[index]!.nalUnits))
    expect(pieces!.map((parts) => Buffer.concat(parts).toString('hex'))).toEqual(bytesOf(nalUnits))
    return index
  })
}

test('reordered and duplicated within the window, a stream comes out as it was sent', () => {
  const property = fc.property(
    stream,
    fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 50 }),
    fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 50 }),
    ({ units, ...options }, delays, duplicates) => {
      const arrivals = packetize(units, options).flatMap((packet, index) => {
        const at = index + delays[index % delays.length]!
        const again = duplicates[index % duplicates.length] === 0 ? [{ packet, at: at + 7 }] : []
        return [{ packet, at }, ...again]
      })
      arrivals.sort((a, b) => a.at - b.at)
      const depacketizer = new H264Depacketizer(camera)
      const emitted = accessUnitsOf(
        collect(
          depacketizer,
          arrivals.map(({ packet }) => packet.bytes),
        ),
      )
      expect(identify(units, emitted)).toEqual(units.map((_, index) => index))
      expect(emitted.some(({ lossBefore }) => lossBefore)).toBe(false)
      for (let i = 1; i < emitted.length; i++) {
        const step = (units[i]!.rtpTimestamp - units[i - 1]!.rtpTimestamp) >>> 0
        expect(emitted[i]!.rtpTimestamp - emitted[i - 1]!.rtpTimestamp).toBe(step)
      }
      expect(depacketizer.stats).toMatchObject({ lost: 0, late: 0, epochs: 1, accessUnits: units.length })
      expect(depacketizer.stats.duplicates).toBe(arrivals.length - packetize(units, options).length)
    },
  )
  fc.assert(property)
})

/** Which units a decoder that starts with the first whole IDR can decode, if it gets these packets only. */
function decodable(units: readonly SentUnit[], kept: readonly SentPacket[], all: readonly SentPacket[]): boolean[] {
  const count = (packets: readonly SentPacket[], unit: number): number => packets.filter((p) => p.unit === unit).length
  let intact = false
  return units.map(({ nalUnits }, index) => {
    const whole = count(kept, index) === count(all, index)
    const slice = nalUnits.at(-1)![0]!
    const isIdr = (slice & 0x1f) === 5
    if (isIdr) intact = whole
    else if (!whole && (slice & 0x60) !== 0) intact = false
    return whole && intact
  })
}

function isDisposable({ nalUnits }: SentUnit): boolean {
  return (nalUnits.at(-1)![0]! & 0x60) === 0
}

const lossy = fc.tuple(
  stream,
  fc.array(
    fc.integer({ min: 0, max: 14 }).map((roll) => roll === 0),
    { minLength: 5, maxLength: 80 },
  ),
)

test('under loss nothing broken comes out, and nothing that cannot be decoded', () => {
  const property = fc.property(lossy, ([{ units, ...options }, drops]) => {
    const all = packetize(units, options)
    const kept = all.filter((_, index) => !drops[index % drops.length])
    const depacketizer = new H264Depacketizer(camera)
    const items = collect(
      depacketizer,
      kept.map(({ bytes }) => bytes),
    )
    const emitted = accessUnitsOf(items)
    const indexes = identify(units, emitted)
    const can = decodable(units, kept, all)
    for (const [i, index] of indexes.entries()) {
      expect(can[index]).toBe(true)
      if (i > 0) {
        expect(index).toBeGreaterThan(indexes[i - 1]!)
        // Without lossBefore nothing that any picture depends on is missing in between.
        const between = units.slice(indexes[i - 1]! + 1, index)
        if (!emitted[i]!.lossBefore) expect(between.every(isDisposable)).toBe(true)
      }
    }
    // Every whole IDR with its parameter sets is a way in, unless packets before it hide whether it is whole.
    for (const [index, unit] of units.entries()) {
      const isIdr = (unit.nalUnits.at(-1)![0]! & 0x1f) === 5
      if (isIdr && can[index]) expect(indexes).toContain(index)
    }
    const { lost, lostHarmless } = depacketizer.stats
    const reported = emitted.reduce((sum, { lostPackets }) => sum + (lostPackets ?? 0), 0)
    expect(reported + lostHarmless).toBeLessThanOrEqual(lost)
  })
  fc.assert(property)
})

test("afterLoss 'continue' emits every unit that came whole behind the first keyframe", () => {
  const property = fc.property(lossy, ([{ units, ...options }, drops]) => {
    const all = packetize(units, options)
    const kept = all.filter((_, index) => !drops[index % drops.length])
    const depacketizer = new H264Depacketizer(camera, { afterLoss: 'continue' })
    const emitted = accessUnitsOf(
      collect(
        depacketizer,
        kept.map(({ bytes }) => bytes),
      ),
    )
    const indexes = identify(units, emitted)
    const whole = units.map((_, unit) => {
      const sent = all.filter((packet) => packet.unit === unit).length
      return kept.filter((packet) => packet.unit === unit).length === sent
    })
    const first = indexes[0] ?? units.length
    expect(indexes).toEqual(units.map((_, index) => index).filter((index) => index >= first && whole[index]))
    for (const [i, index] of indexes.entries()) {
      const between = i === 0 ? [] : units.slice(indexes[i - 1]! + 1, index)
      if (!between.every(isDisposable)) expect(emitted[i]!.lossBefore).toBe(true)
    }
  })
  fc.assert(property)
})

test('random and mutated packets neither throw nor come out as more than went in', () => {
  const mutation = fc.record({
    packet: fc.nat(),
    offset: fc.nat(),
    value: fc.nat({ max: 255 }),
    cut: fc.nat({ max: 9 }),
  })
  const property = fc.property(
    stream,
    fc.array(mutation, { maxLength: 30 }),
    fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }),
    fc.constantFrom('freeze' as const, 'continue' as const),
    fc.boolean(),
    ({ units, ...options }, mutations, noise, afterLoss, acceptRecoveryPoint) => {
      const inputs = packetize(units, options).map(({ bytes }) => bytes)
      for (const { packet, offset, value, cut } of mutations) {
        const index = packet % inputs.length
        const bytes = inputs[index]!
        if (bytes.byteLength > 0) bytes[offset % bytes.byteLength] = value
        if (cut === 0) inputs[index] = bytes.subarray(0, offset % (bytes.byteLength + 1))
      }
      for (const [i, bytes] of noise.entries()) inputs.splice((i * 7) % (inputs.length + 1), 0, bytes)
      for (const payload of noise) {
        inputs.push(
          serializeRtpPacket({ payloadType: 97, sequenceNumber: inputs.length, rtpTimestamp: 5, ssrc: 1, payload }),
        )
      }
      const depacketizer = new H264Depacketizer(camera, { afterLoss, acceptRecoveryPoint })
      const emitted = accessUnitsOf(collect(depacketizer, inputs))
      const bytesIn = inputs.reduce((sum, { byteLength }) => sum + byteLength, 0)
      // Parameter sets may be put in before keyframes; nothing else is added.
      const bytesOut = emitted
        .filter(({ keyframe }) => !keyframe)
        .reduce((sum, { nalUnits }) => sum + nalUnits.reduce((length, nal) => length + nal.byteLength, 0), 0)
      expect(bytesOut).toBeLessThanOrEqual(bytesIn)
      for (const unit of emitted) expect(unit.nalUnits.length).toBeGreaterThan(0)
    },
  )
  fc.assert(property)
})
