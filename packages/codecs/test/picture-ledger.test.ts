import type { EncodedSample } from '@rushes/media'
import { expect, test } from 'vitest'
import { PictureLedger } from '../src/picture-ledger.js'

const sample = (pts: number, facts: Partial<EncodedSample> = {}): EncodedSample => ({
  type: 'sample',
  trackId: 'camera',
  data: [],
  pts,
  dts: 0,
  keyframe: false,
  ...facts,
})
const nothing = { discontinuity: false, lostPackets: 0, arrivalUs: undefined }

test('pictures leave in their own order, each with what it told', () => {
  const ledger = new PictureLedger()
  ledger.enter(sample(0))
  ledger.enter(sample(300, { discontinuity: true, arrivalUs: 7 }))
  ledger.enter(sample(100))
  ledger.enter(sample(200, { lostPackets: 2, arrivalUs: 9 }))
  expect(ledger.earliest).toBe(0)
  expect(ledger.leave(0)).toEqual(nothing)
  expect(ledger.leave(100)).toEqual(nothing)
  expect(ledger.earliest).toBe(200)
  expect(ledger.leave(200)).toEqual({ ...nothing, lostPackets: 2, arrivalUs: 9 })
  expect(ledger.leave(300)).toEqual({ ...nothing, discontinuity: true, arrivalUs: 7 })
  expect(ledger.earliest).toBe(Number.POSITIVE_INFINITY)
})

test('what was told by pictures that never come out goes to the next', () => {
  const ledger = new PictureLedger()
  ledger.enter(sample(0, { discontinuity: true, lostPackets: 1, arrivalUs: 1 }))
  ledger.enter(sample(100, { lostPackets: 2 }))
  ledger.fail(100)
  ledger.enter(sample(200, { lostPackets: 4 }))
  ledger.giveUp(150)
  expect(ledger.earliest).toBe(200)
  ledger.skip(ledger.leave(200))
  ledger.enter(sample(300))
  expect(ledger.leave(300)).toEqual({ discontinuity: true, lostPackets: 7, arrivalUs: undefined })
  ledger.enter(sample(400))
  expect(ledger.leave(400)).toEqual(nothing)
})

test('a decoder that never gives anything out costs no memory, and no loss is forgotten', () => {
  const ledger = new PictureLedger()
  for (let index = 0; index < 10_000; index++) ledger.enter(sample(index, { lostPackets: 1 }))
  expect(ledger.earliest).toBe(10_000 - 64)
  expect(ledger.leave(20_000).lostPackets).toBe(10_000)
})
