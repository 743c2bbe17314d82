import type { AccessUnit, VideoTrack } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Av1Depacketizer, createDepacketizer, Vp8Depacketizer, Vp9Depacketizer } from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import {
  av1Frame,
  av1Payloads,
  av1SequenceHeader,
  packetize,
  type SentPacket,
  type SentPicture,
  vp8Frame,
  vp8Payloads,
  vp9Frame,
  vp9Payloads,
  withSize,
} from './frame-stream.js'

type Codec = 'vp8' | 'vp9' | 'av1'

function depacketizer(codec: Codec, afterLoss: 'freeze' | 'continue' = 'freeze'): Vp8Depacketizer {
  const track: VideoTrack = { id: 'camera', kind: 'video', codec, clockRate: 90_000 }
  return createDepacketizer(track, { afterLoss }) as Vp8Depacketizer
}

/** A picture, what it is made of, and which earlier ones it is predicted from. */
interface Sent extends SentPicture {
  readonly units: readonly Uint8Array[]
  readonly keyframe: boolean
  readonly references: readonly number[]
}

interface Spec {
  readonly keyframe: boolean
  readonly length: number
  readonly step: number
  readonly padding: number
  readonly references: readonly number[]
  readonly reference: boolean
}

const spec: fc.Arbitrary<Spec> = fc.record({
  keyframe: fc.integer({ min: 0, max: 12 }).map((roll) => roll === 0),
  length: fc.integer({ min: 1, max: 300 }),
  step: fc.integer({ min: 1, max: 9000 }),
  padding: fc.integer({ min: 0, max: 12 }).map((roll) => Math.max(0, roll - 10)),
  references: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
  reference: fc.boolean(),
})

type Encode = (specs: readonly Spec[], mtu: number, firstId: number, bits: 7 | 15) => Sent[]

function timed(
  specs: readonly Spec[],
  make: (spec: Spec, index: number) => Omit<Sent, 'rtpTimestamp' | 'padding'>,
): Sent[] {
  let rtpTimestamp = 2 ** 32 - 20_000
  return specs.map((one, index) => {
    if (index > 0) rtpTimestamp += one.step
    return { rtpTimestamp, padding: one.padding, ...make(one, index) }
  })
}

function dataOf({ length }: Spec, index: number): Uint8Array {
  return new Uint8Array(length).fill((index % 200) + 1)
}

/** Each frame from the one before that is a reference. */
const vp8: Encode = (specs, mtu, firstId, pictureIdBits) => {
  let reference = 0
  return timed(specs, (one, index) => {
    const keyframe = one.keyframe || index === 0
    const frame = vp8Frame(keyframe, dataOf(one, index))
    const isReference = keyframe || one.reference
    const payloads = vp8Payloads(frame, { pictureId: firstId + index, pictureIdBits, nonReference: !isReference }, mtu)
    const references = keyframe ? [] : [reference]
    if (isReference) reference = index
    return { units: [frame], payloads, keyframe, references }
  })
}

/** Three temporal layers as Chromium has them: 0 2 1 2, synchronised each time. */
const vp8Layers: Encode = (specs, mtu, firstId, pictureIdBits) => {
  let phase = 0
  let tl0PicIdx = 250
  let base = 0
  let middle = 0
  return timed(specs, (one, index) => {
    const keyframe = one.keyframe || index === 0
    if (keyframe) phase = 0
    const temporalId = [0, 2, 1, 2][phase]!
    const frame = vp8Frame(keyframe, dataOf(one, index))
    if (temporalId === 0) tl0PicIdx++
    const place = { temporalId, tl0PicIdx, layerSync: phase === 1 || phase === 2, nonReference: temporalId === 2 }
    const payloads = vp8Payloads(frame, { pictureId: firstId + index, pictureIdBits, ...place }, mtu)
    const references = keyframe ? [] : phase === 3 ? [base, middle] : [base]
    if (temporalId === 0) base = index
    if (temporalId === 1) middle = index
    phase = (phase + 1) % 4
    return { units: [frame], payloads, keyframe, references }
  })
}

/** Any references, which flexible mode names. */
const vp9Flexible: Encode = (specs, mtu, firstId, pictureIdBits) => {
  let key = 0
  return timed(specs, (one, index) => {
    const keyframe = one.keyframe || index === 0
    if (keyframe) key = index
    const frame = vp9Frame({ keyframe }, dataOf(one, index))
    const steps = one.references.filter((step) => index - step >= key)
    const references = keyframe ? [] : steps.length > 0 ? steps : [1]
    const place = { pictureId: firstId + index, pictureIdBits, interPicture: !keyframe, flexible: true, references }
    const payloads = vp9Payloads(frame, place, mtu)
    return { units: [frame], payloads, keyframe, references: references.map((step) => index - step) }
  })
}

const av1: Encode = (specs, mtu) => {
  let reference = 0
  return timed(specs, (one, index) => {
    const keyframe = one.keyframe || index === 0
    const isReference = keyframe || one.reference
    const frame = av1Frame(keyframe, dataOf(one, index), isReference)
    const obus = keyframe ? [av1SequenceHeader, frame] : [frame]
    // A decoder goes on from the last reference.
    const references = keyframe ? [] : [reference]
    if (isReference) reference = index
    const payloads = av1Payloads([Uint8Array.of(0x10), ...obus], mtu, index % 2 === 0)
    return { units: obus.map(withSize), payloads, keyframe, references }
  })
}

const codecs: readonly (readonly [string, Codec, Encode, boolean])[] = [
  // name, codec, encoder, whether everything that can be decoded must come out
  ['VP8', 'vp8', vp8, false],
  ['VP8 with temporal layers', 'vp8', vp8Layers, false],
  ['VP9 in flexible mode', 'vp9', vp9Flexible, true],
  ['AV1', 'av1', av1, false],
]

const stream = fc.record({
  specs: fc.array(spec, { minLength: 1, maxLength: 24 }),
  mtu: fc.integer({ min: 20, max: 400 }),
  firstId: fc.constantFrom(0, 120, 32_750),
  bits: fc.constantFrom(7 as const, 15 as const),
  firstSequenceNumber: fc.constantFrom(0, 65_520),
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Index of the sent picture that each emitted unit is, which it must be to the byte. */
function identify(pictures: readonly Sent[], emitted: readonly AccessUnit[]): number[] {
  return emitted.map(({ rtpTimestamp, nalUnits, keyframe }) => {
    const wire = ((rtpTimestamp % 2 ** 32) + 2 ** 32) % 2 ** 32
    const index = pictures.findIndex((picture) => picture.rtpTimestamp % 2 ** 32 === wire)
    expect(nalUnits.map(hex)).toEqual(pictures[index]!.units.map(hex))
    expect(keyframe).toBe(pictures[index]!.keyframe)
    return index
  })
}

describe.each(codecs)('%s', (_name, codec, encode, isExact) => {
  test('reordered and duplicated within the window, a stream comes out as it was sent', () => {
    const property = fc.property(
      stream,
      fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 50 }),
      fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 50 }),
      ({ specs, mtu, firstId, bits, firstSequenceNumber }, delays, duplicates) => {
        const pictures = encode(specs, mtu, firstId, bits)
        const arrivals = packetize(pictures, firstSequenceNumber).flatMap((packet, index) => {
          const at = index + delays[index % delays.length]!
          const again = duplicates[index % duplicates.length] === 0 ? [{ packet, at: at + 7 }] : []
          return [{ packet, at }, ...again]
        })
        arrivals.sort((a, b) => a.at - b.at)
        const stage = depacketizer(codec)
        const emitted = accessUnitsOf(
          collect(
            stage,
            arrivals.map(({ packet }) => packet.bytes),
          ),
        )
        expect(identify(pictures, emitted)).toEqual(pictures.map((_, index) => index))
        expect(emitted.some(({ lossBefore }) => lossBefore)).toBe(false)
        expect(emitted.filter(({ configuration }) => configuration !== undefined)).toEqual([emitted[0]])
        expect(stage.stats).toMatchObject({ lost: 0, late: 0, epochs: 1, accessUnits: pictures.length })
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

  function isWhole(index: number, kept: readonly SentPacket[], all: readonly SentPacket[]): boolean {
    const count = (packets: readonly SentPacket[]): number => packets.filter((p) => p.picture === index).length
    return count(kept) === count(all)
  }

  test('under loss nothing broken comes out, and nothing that cannot be decoded', () => {
    const property = fc.property(lossy, ([{ specs, mtu, firstId, bits, firstSequenceNumber }, drops]) => {
      const pictures = encode(specs, mtu, firstId, bits)
      const all = packetize(pictures, firstSequenceNumber)
      const kept = all.filter((_, index) => !drops[index % drops.length])
      const stage = depacketizer(codec)
      const emitted = accessUnitsOf(
        collect(
          stage,
          kept.map(({ bytes }) => bytes),
        ),
      )
      const indexes = identify(pictures, emitted)
      const can: boolean[] = []
      for (const [index, { references, keyframe }] of pictures.entries()) {
        const hasReferences = references.every((reference) => can[reference])
        can.push(isWhole(index, kept, all) && (keyframe || (references.length > 0 && hasReferences)))
      }
      for (const [i, index] of indexes.entries()) {
        expect(can[index]).toBe(true)
        if (i === 0) continue
        expect(index).toBeGreaterThan(indexes[i - 1]!)
        const missing = pictures.slice(indexes[i - 1]! + 1, index).some((_, at) => {
          const packets = all.filter(({ picture }) => picture === indexes[i - 1]! + 1 + at)
          return packets.some((packet) => !kept.includes(packet))
        })
        if (missing) expect(emitted[i]!.lossBefore).toBe(true)
      }
      for (const [index, { keyframe }] of pictures.entries()) {
        if (can[index] && (keyframe || isExact)) expect(indexes).toContain(index)
      }
      const { lost, lostHarmless } = stage.stats
      const reported = emitted.reduce((sum, { lostPackets }) => sum + (lostPackets ?? 0), 0)
      expect(reported + lostHarmless).toBeLessThanOrEqual(lost)
    })
    fc.assert(property)
  })

  test("afterLoss 'continue' emits every picture that came whole behind the first keyframe", () => {
    const property = fc.property(lossy, ([{ specs, mtu, firstId, bits, firstSequenceNumber }, drops]) => {
      const pictures = encode(specs, mtu, firstId, bits)
      const all = packetize(pictures, firstSequenceNumber)
      const kept = all.filter((_, index) => !drops[index % drops.length])
      const emitted = accessUnitsOf(
        collect(
          depacketizer(codec, 'continue'),
          kept.map(({ bytes }) => bytes),
        ),
      )
      const indexes = identify(pictures, emitted)
      const first = pictures.findIndex(({ keyframe }, index) => keyframe && isWhole(index, kept, all))
      const expected = pictures.map((_, index) => index).filter((index) => index >= first && isWhole(index, kept, all))
      expect(indexes).toEqual(first < 0 ? [] : expected)
    })
    fc.assert(property)
  })

  test('random and mutated packets neither throw nor come out as more than went in', () => {
    const property = fc.property(
      stream,
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat({ max: 255 })), { maxLength: 40 }),
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }),
      ({ specs, mtu, firstId, bits, firstSequenceNumber }, mutations, noise) => {
        const packets = packetize(encode(specs, mtu, firstId, bits), firstSequenceNumber).map(({ bytes }) => bytes)
        for (const [packet, offset, value] of mutations) {
          const bytes = packets[packet % packets.length]!
          // Behind the sequence number and timestamp, so that it is this source's still.
          if (bytes.byteLength > 12) bytes[12 + (offset % (bytes.byteLength - 12))] = value
        }
        const sent = packets.reduce((sum, { byteLength }) => sum + byteLength, 0)
        const emitted = accessUnitsOf(collect(depacketizer(codec), [...packets, ...noise]))
        const received = emitted.flatMap(({ nalUnits }) => nalUnits).reduce((sum, unit) => sum + unit.byteLength, 0)
        // AV1 keyframes may be given a sequence header that came before.
        expect(received).toBeLessThan(sent * 2 + 1)
      },
    )
    fc.assert(property)
  })
})

test('the classes by their codec', () => {
  expect([depacketizer('vp8'), depacketizer('vp9'), depacketizer('av1')].map((stage) => stage.constructor)).toEqual([
    Vp8Depacketizer,
    Vp9Depacketizer,
    Av1Depacketizer,
  ])
})
