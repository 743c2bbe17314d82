import { describe, expect, test } from 'vitest'
import { Placement } from '../src/index.js'

const nothing = { silence: 0, skip: 0, stretch: 0 }

describe('a packet of 960 samples after one that ended at 10,960', () => {
  test.each([
    ['in time', 10_960, false, nothing],
    ['a sample late: rounding', 10_961, false, nothing],
    ['a sample early: rounding', 10_959, false, nothing],
    ['2 samples late: stretched by 2', 10_962, false, { ...nothing, stretch: 2 }],
    ['2 samples early: shortened by 2', 10_958, false, { ...nothing, stretch: -2 }],
    ['10 ms late: as much longer as is not heard', 11_440, false, { ...nothing, stretch: 4 }],
    ['10 ms early: as much shorter as is not heard', 10_480, false, { ...nothing, stretch: -4 }],
    ['19.98 ms late: still drift', 11_919, false, { ...nothing, stretch: 4 }],
    ['20 ms late: a hole', 11_920, false, { ...nothing, silence: 960 }],
    ['a minute late: a hole', 2_890_960, false, { ...nothing, silence: 2_880_000 }],
    ['20 ms early: its time is taken', 10_000, false, { ...nothing, skip: 960 }],
    ['a minute early: its time is taken', -2_869_040, false, { ...nothing, skip: 960 }],
    ['2 samples late, but after a loss', 10_962, true, { ...nothing, silence: 2 }],
    ['a sample late, but after a loss: nothing is missing', 10_961, true, nothing],
    ['2 samples early, but of a new source', 10_958, true, { ...nothing, skip: 2 }],
  ])('%s', (_, position, broken, step) => {
    const placement = new Placement()
    expect(placement.place(10_000, 960)).toEqual(nothing)
    expect(placement.place(position, 960, broken)).toEqual(step)
  })
})

describe('short packets', () => {
  test('a lost packet of 2.5 ms is a hole, not drift', () => {
    const placement = new Placement()
    placement.place(0, 120)
    expect(placement.place(240, 120)).toEqual({ ...nothing, silence: 120 })
  })

  test('are stretched by a sample at a time', () => {
    const placement = new Placement()
    placement.place(0, 120)
    expect(placement.place(130, 120)).toEqual({ ...nothing, stretch: 1 })
  })
})

describe('what is known of the future', () => {
  test('fills a silence bit by bit, and the next packet fits in exactly', () => {
    const placement = new Placement()
    placement.place(0, 960)
    expect(placement.advance(900)).toBe(0)
    expect(placement.advance(1500)).toBe(0)
    expect(placement.advance(1920)).toBe(960)
    expect(placement.advance(2000)).toBe(80)
    expect(placement.place(2005, 960)).toEqual({ ...nothing, silence: 5 })
    expect(placement.next).toBe(2965)
  })

  test('a packet before a promise that was made loses what is taken', () => {
    const placement = new Placement()
    placement.place(0, 960)
    placement.advance(5000)
    expect(placement.place(4990, 960)).toEqual({ ...nothing, skip: 10 })
  })

  test('says nothing before the first packet', () => {
    const placement = new Placement()
    expect(placement.advance(48_000)).toBe(0)
    expect(placement.finish(48_000)).toBe(0)
    expect(placement.next).toBeUndefined()
    expect(placement.place(96_000, 960)).toEqual(nothing)
  })

  test('the end is filled however short it is', () => {
    const placement = new Placement()
    placement.place(0, 960)
    expect(placement.finish(970)).toBe(10)
    expect(placement.finish(960)).toBe(0)
  })
})
