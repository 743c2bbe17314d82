import type { Refusal } from '@rushes/take'
import { expect, test } from 'vitest'
import { RefusalWatch } from '../src/refusal-watch.js'

const refusal = (cause: Refusal['cause'], count: number, trackId: string | undefined = 'v'): Refusal => ({
  trackId,
  cause,
  count,
  bytes: count * 1000,
})

test('tells what is new in the journal, with the causes', () => {
  const watch = new RefusalWatch()
  expect(watch.look([], undefined)).toEqual([])
  const first = watch.look([refusal('buffer-full', 3), refusal('journal-full', 1)], undefined)
  expect(first).toMatchObject([
    { code: 'JOURNAL_REFUSED', message: '4 packets could not be journalled', causes: ['buffer-full', 'journal-full'] },
  ])
  expect(watch.look([refusal('buffer-full', 3), refusal('journal-full', 1)], undefined)).toEqual([])
  const second = watch.look([refusal('buffer-full', 5), refusal('journal-full', 1)], undefined)
  expect(second).toMatchObject([{ message: '2 packets could not be journalled' }])
})

test('tells once that the live outputs are behind', () => {
  const watch = new RefusalWatch()
  expect(watch.look([], [refusal('buffer-full', 3)])).toMatchObject([{ code: 'LIVE_BEHIND' }])
  expect(watch.look([], [refusal('buffer-full', 9)])).toEqual([])
})

test('what belongs to no track is no packet', () => {
  expect(new RefusalWatch().look([{ cause: 'too-many-events', count: 2, bytes: 80 }], undefined)).toEqual([])
})
