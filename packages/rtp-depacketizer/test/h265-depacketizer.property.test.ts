import type { AccessUnit } from '@rushes/media'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { H265Depacketizer, serializeRtpPacket, Timeline } from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import { type EncodedUnit, encode, type PictureSpec, packetize, type SentPacket } from './h265-stream.js'

const camera = { id: 'camera', kind: 'video', codec: 'h265', clockRate: 90_000 } as const

const KINDS = {
  plain: ['picture'],
  disposable: ['picture', 'disposable'],
  leading: ['picture', 'rasl', 'rasl', 'disposable'],
} as const

const picture = (kinds: keyof typeof KINDS): fc.Arbitrary<PictureSpec> =>
  fc.record({
    kind: fc
      .tuple(fc.nat(11), fc.constantFrom(...KINDS[kinds]))
      .map(([roll, other]) => (roll === 0 ? 'idr' : roll === 1 ? 'cra' : other)),
    temporalId: fc.constantFrom(0, 0, 0, 1, 2),
    used: fc.array(
      fc.nat(3).map((roll) => roll > 0),
      { minLength: 1, maxLength: 5 },
    ),
    dropped: fc.array(
      fc.nat(5).map((roll) => roll === 0),
      { minLength: 1, maxLength: 5 },
    ),
    toLongTerm: fc.nat(9).map((roll) => roll === 0),
    slices: fc.integer({ min: 1, max: 3 }),
    dataLength: fc.integer({ min: 0, max: 300 }),
    padding: fc.nat(12).map((roll) => Math.max(0, roll - 9)),
  })

const stream = fc.record({
  units: fc
    .tuple(
      fc
        .constantFrom<keyof typeof KINDS>('plain', 'disposable', 'leading')
        .chain((kinds) => fc.array(picture(kinds), { minLength: 1, maxLength: 50 })),
      fc.constantFrom(0, 2 ** 32 - 20_000, 1_234_567_890),
      fc.constantFrom(4, 8),
    )
    .map(([specs, firstTimestamp, log2MaxLsb]) => encode(specs, { firstTimestamp, log2MaxLsb })),
  firstSequenceNumber: fc.constantFrom(0, 65_520, 40_000),
  mtu: fc.integer({ min: 20, max: 400 }),
  aggregate: fc.boolean(),
})

function bytesOf(nalUnits: readonly Uint8Array[]): string[] {
  return nalUnits.map((nal) => Buffer.from(nal).toString('hex'))
}

/** Index of the sent unit that each emitted one is, which it must be to the byte. */
function identify(units: readonly EncodedUnit[], emitted: readonly AccessUnit[]): number[] {
  return emitted.map(({ rtpTimestamp, nalUnits, pieces }) => {
    const wire = ((rtpTimestamp % 2 ** 32) + 2 ** 32) % 2 ** 32
    const index = units.findIndex((unit) => unit.rtpTimestamp === wire)
    expect(bytesOf(nalUnits)).toEqual(bytesOf(units[index]!.nalUnits))
    expect(pieces!.map((parts) => Buffer.concat(parts).toString('hex'))).toEqual(bytesOf(nalUnits))
    return index
  })
}

test('reordered and duplicated within the window, a stream comes out as it was sent, with times that rise', () => {
  const property = fc.property(
    stream,
    fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 50 }),
    fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 50 }),
    fc.option(fc.constantFrom(0, 65_500), { nil: undefined }),
    ({ units, ...options }, delays, duplicates, firstDon) => {
      const sent = packetize(units, firstDon === undefined ? options : { ...options, firstDon })
      const arrivals = sent.flatMap((packet, index) => {
        const at = index + delays[index % delays.length]!
        const again = duplicates[index % duplicates.length] === 0 ? [{ packet, at: at + 7 }] : []
        return [{ packet, at }, ...again]
      })
      arrivals.sort((a, b) => a.at - b.at)
      const track = firstDon === undefined ? camera : { ...camera, fmtp: 'sprop-max-don-diff=32' }
      const depacketizer = new H265Depacketizer(track)
      const inputs = arrivals.map(({ packet }) => packet.bytes)
      const items = collect(depacketizer, inputs)
      const emitted = accessUnitsOf(items)
      expect(identify(units, emitted)).toEqual(units.map((_, index) => index))
      expect(emitted.some(({ lossBefore }) => lossBefore)).toBe(false)
      expect(emitted.map(({ keyframe }) => keyframe)).toEqual(units.map(({ kind }) => kind === 'idr' || kind === 'cra'))
      for (let i = 1; i < emitted.length; i++) {
        const step = (units[i]!.rtpTimestamp - units[i - 1]!.rtpTimestamp) | 0
        expect(emitted[i]!.rtpTimestamp - emitted[i - 1]!.rtpTimestamp).toBe(step)
      }
      expect(depacketizer.stats).toMatchObject({ lost: 0, late: 0, epochs: 1, accessUnits: units.length })
      expect(depacketizer.stats.duplicates).toBe(arrivals.length - sent.length)
      const timeline = new Timeline()
      let lastDts = Number.NEGATIVE_INFINITY
      for (const item of items) {
        timeline.push(item, (out) => {
          if (out.type !== 'sample') return
          expect(out.dts).toBeGreaterThan(lastDts)
          expect(out.dts).toBeLessThanOrEqual(out.pts)
          lastDts = out.dts
        })
      }
      expect(timeline.stats.clamped).toBe(0)
    },
  )
  fc.assert(property)
})

const lossy = fc.tuple(
  stream,
  fc.array(
    fc.integer({ min: 0, max: 14 }).map((roll) => roll === 0),
    { minLength: 5, maxLength: 80 },
  ),
)

/** Which units came with all of their packets; a VPS before a keyframe may be missing if it has come before. */
function wholeUnits(units: readonly EncodedUnit[], kept: readonly SentPacket[], all: readonly SentPacket[]): boolean[] {
  let vpsSeen = false
  return units.map((_, unit) => {
    const sent = all.filter((packet) => packet.unit === unit)
    const lost = sent.filter((packet) => !kept.includes(packet))
    const ofVps = sent.filter(isOfVps)
    const isVpsLost = vpsSeen && lost.length > 0 && lost.length === ofVps.length && lost.every(isOfVps)
    vpsSeen ||= sent.some(beginsWithVps) && !lost.some(beginsWithVps)
    return lost.length === 0 || isVpsLost
  })
}

/** A VPS alone, or a fragment of one. */
function isOfVps({ bytes }: SentPacket): boolean {
  const type = bytes[12]! >> 1
  return type === 32 || (type === 49 && (bytes[14]! & 0x3f) === 32)
}

function beginsWithVps(packet: SentPacket): boolean {
  return isOfVps(packet) || (packet.bytes[12]! >> 1 === 48 && packet.bytes[16]! >> 1 === 32)
}

function isKeyframe({ kind }: EncodedUnit): boolean {
  return kind === 'idr' || kind === 'cra'
}

test('under loss nothing broken comes out, and nothing without all that it is predicted from', () => {
  const property = fc.property(lossy, ([{ units, ...options }, drops]) => {
    const all = packetize(units, options)
    const kept = all.filter((_, index) => !drops[index % drops.length])
    const depacketizer = new H265Depacketizer(camera)
    const emitted = accessUnitsOf(
      collect(
        depacketizer,
        kept.map(({ bytes }) => bytes),
      ),
    )
    const indexes = identify(units, emitted)
    const whole = wholeUnits(units, kept, all)
    for (const [i, index] of indexes.entries()) {
      expect(whole[index]).toBe(true)
      for (const reference of units[index]!.references) expect(indexes.slice(0, i)).toContain(reference)
      if (i === 0) expect(emitted[i]!.keyframe).toBe(true)
      else {
        expect(index).toBeGreaterThan(indexes[i - 1]!)
        // Without lossBefore nothing is missing in between, but for pictures that a start at a CRA picture leaves out.
        const between = units.slice(indexes[i - 1]! + 1, index)
        if (!emitted[i]!.lossBefore) expect(between.every(({ kind }) => kind === 'rasl')).toBe(true)
      }
    }
    // Every whole keyframe is a way in, unless packets before it hide whether it is whole.
    for (const [index, unit] of units.entries()) {
      if (isKeyframe(unit) && whole[index]) expect(indexes).toContain(index)
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
    const depacketizer = new H265Depacketizer(camera, { afterLoss: 'continue' })
    const emitted = accessUnitsOf(
      collect(
        depacketizer,
        kept.map(({ bytes }) => bytes),
      ),
    )
    const indexes = identify(units, emitted)
    const whole = wholeUnits(units, kept, all)
    const first = indexes[0] ?? units.length
    // Decoders skip leading pictures behind an IDR picture, or behind the CRA picture at which they start.
    const expected = units
      .map((_, index) => index)
      .filter((index) => index >= first && whole[index])
      .filter((index, _, all) => {
        if (units[index]!.kind !== 'rasl') return true
        const keyframe = all.findLast((other) => other < index && isKeyframe(units[other]!))
        return keyframe !== first && units[keyframe!]!.kind === 'cra'
      })
    expect(indexes).toEqual(expected)
    for (const [i, index] of indexes.entries()) {
      const between = i === 0 ? [] : units.slice(indexes[i - 1]! + 1, index)
      if (!between.every(({ kind }) => kind === 'rasl')) expect(emitted[i]!.lossBefore).toBe(true)
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
    fc.constantFrom('', 'sprop-max-don-diff=1'),
    ({ units, ...options }, mutations, noise, afterLoss, acceptRecoveryPoint, fmtp) => {
      const inputs = packetize(units, options).map(({ bytes }) => bytes)
      for (const { packet, offset, value, cut } of mutations) {
        const index = packet % inputs.length
        const bytes = inputs[index]!
        if (bytes.byteLength > 0) bytes[offset % bytes.byteLength] = value
        if (cut === 0) inputs[index] = bytes.subarray(0, offset % (bytes.byteLength + 1))
      }
      for (const [i, bytes] of noise.entries()) inputs.splice((i * 7) % (inputs.length + 1), 0, bytes)
      for (const [i, bytes] of noise.entries()) {
        // Every form of payload there is, with anything in it.
        const payload = i % 2 === 0 ? bytes : Uint8Array.of(((i * 5) % 52) << 1, 1, ...bytes)
        inputs.push(
          serializeRtpPacket({ payloadType: 98, sequenceNumber: inputs.length, rtpTimestamp: 5, ssrc: 1, payload }),
        )
      }
      const depacketizer = new H265Depacketizer({ ...camera, fmtp }, { afterLoss, acceptRecoveryPoint })
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
