import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PictureRate } from '../src/picture-rate.js'

test('a change is believed within a few seconds, a hiccup is not', () => {
  const rate = new PictureRate(30)
  let at = 0
  const changes: number[] = []
  const run = (pictures: number, interval: number): void => {
    for (let index = 0; index < pictures; index++) {
      at += interval
      if (rate.see(at)) changes.push(at)
    }
  }
  run(90, 1 / 30)
  run(1, 0.1)
  run(90, 1 / 30)
  expect(changes).toEqual([])
  run(60, 1 / 10)
  expect(Math.abs(rate.perSecond - 10)).toBeLessThan(1.5)
  run(200, 1 / 60)
  expect(Math.abs(rate.perSecond - 60)).toBeLessThan(9)
})

test('whatever the times are, the rate stays one that can be', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 100 }), (times) => {
      const rate = new PictureRate(30)
      for (const time of times) rate.see(time)
      expect(rate.perSecond).toBeGreaterThan(0.99)
      expect(rate.perSecond).toBeLessThan(1e6)
    }),
  )
})
