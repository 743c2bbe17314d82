import type { EncodedSample, TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignLane, type Lane, LaneMerger } from '../src/lanes.js'
import { picture, video } from './samples.js'

const spans = fc
  .array(fc.record({ startUs: fc.nat(10_000_000), lengthUs: fc.nat(5_000_000) }), { minLength: 1, maxLength: 20 })
  .map((list) => list.sort((a, b) => a.startUs - b.startUs))

describe('assignLane', () => {
  it('gives each track one lane, and lanes whose tracks follow each other', () => {
    fc.assert(
      fc.property(spans, (list) => {
        const lanes: Lane[] = []
        for (const [i, { startUs, lengthUs }] of list.entries()) {
          assignLane(lanes, { track: { ...video, id: String(i) }, startUs, endUs: startUs + lengthUs })
        }
        expect(
          lanes
            .flatMap(({ trackIds }) => trackIds)
            .map(Number)
            .sort((a, b) => a - b),
        ).toEqual(list.map((_, i) => i))
        for (const { trackIds } of lanes) {
          for (const [i, id] of trackIds.entries()) {
            if (i === 0) continue
            const { startUs, lengthUs } = list[Number(trackIds[i - 1])] as (typeof list)[number]
            expect((list[Number(id)] as (typeof list)[number]).startUs).toBeGreaterThanOrEqual(
              startUs + lengthUs - 250_000,
            )
          }
        }
      }),
    )
  })
})

/** Per track honest items: rising decoding times, promises that are kept, an end. */
const trackItems = (trackId: string): fc.Arbitrary<TimedItem[]> =>
  fc
    .array(fc.record({ step: fc.integer({ min: 1, max: 50 }), promise: fc.boolean() }), { maxLength: 30 })
    .map((steps) => {
      let dts = 0
      const items: TimedItem[] = steps.map(({ step, promise }) => {
        dts += step
        return promise ? { type: 'watermark', trackId, dts } : { ...picture(0), trackId, dts, pts: dts }
      })
      return [...items, { type: 'track-end', trackId }]
    })

describe('LaneMerger', () => {
  it('has rising times and promises nothing past what comes, however its tracks are interleaved', () => {
    fc.assert(
      fc.property(
        trackItems('1'),
        trackItems('2'),
        fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }),
        fc.option(fc.nat(20_000_000), { nil: undefined }),
        (one, two, order, endUs) => {
          const merger = new LaneMerger({ track: { ...video, id: '1' }, trackIds: ['1', '2'], endUs })
          const out: TimedItem[] = []
          const queues: [TimedItem[], TimedItem[]] = [[...one], [...two]]
          for (const first of order) {
            const item = queues[first ? 0 : 1].shift() ?? queues[first ? 1 : 0].shift()
            if (item !== undefined) merger.push(item, (merged) => void out.push(merged))
          }
          expect(out.every(({ trackId }) => trackId === '1')).toBe(true)
          const samples = out.filter((item): item is EncodedSample => item.type === 'sample')
          for (const [i, { dts }] of samples.entries()) {
            if (i > 0) expect(dts).toBeGreaterThan((samples[i - 1] as EncodedSample).dts)
          }
          const sent = [...one, ...two].filter(({ type }) => type === 'sample').length
          expect(samples.length + merger.stats.overlapping).toBe(sent)
          let promised = Number.NEGATIVE_INFINITY
          for (const item of out) {
            if (item.type === 'watermark') {
              expect(item.dts).toBeGreaterThan(promised)
              promised = item.dts
            } else if (item.type === 'sample') expect(item.dts).toBeGreaterThanOrEqual(promised)
          }
        },
      ),
    )
  })
})
