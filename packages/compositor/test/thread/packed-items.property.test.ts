import type { EncodedSample, TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { packItems, unpackItems } from '../../src/thread/packed-items.js'

const bytes = fc.uint8Array({ maxLength: 40 })
const facts = fc.record(
  {
    trackId: fc.string(),
    pts: fc.integer(),
    dts: fc.integer(),
    keyframe: fc.boolean(),
    duration: fc.nat(),
    discontinuity: fc.constant(true),
    lostPackets: fc.nat(),
    arrivalUs: fc.nat(),
  },
  { requiredKeys: ['trackId', 'pts', 'dts', 'keyframe'] },
)
const sample = fc
  .tuple(facts, fc.oneof(bytes, fc.array(bytes, { maxLength: 4 })))
  .map(([some, data]): EncodedSample => ({ type: 'sample', ...some, data }))
/** The same units in pieces, as depacketizers give them. */
const inPieces = fc.tuple(facts, fc.array(fc.array(bytes, { minLength: 1, maxLength: 3 }), { maxLength: 3 })).map(
  ([some, pieces]): EncodedSample => ({
    type: 'sample',
    ...some,
    data: pieces.map((unit) => Uint8Array.from(unit.flatMap((piece) => [...piece]))),
    pieces,
  }),
)
const watermark = fc.record({ type: fc.constant('watermark' as const), trackId: fc.string(), dts: fc.integer() })
const end = fc.record({ type: fc.constant('track-end' as const), trackId: fc.string() })
const item: fc.Arbitrary<TimedItem> = fc.oneof(sample, inPieces, watermark, end)

it('items are the same on the other side of a thread, and their bytes are one buffer', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 12 }), (items) => {
      const packed = packItems(items)
      const sent = structuredClone(packed, { transfer: [packed.bytes] })
      const expected = items.map((one) => {
        if (one.type !== 'sample') return one
        const { pieces: _, ...rest } = one
        return rest
      })
      expect([...unpackItems(sent)]).toEqual(expected)
    }),
  )
})
