import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PictureTime, PictureTimes } from '../../src/picture/picture-times.js'

const at = (ptsUs: number): PictureTime => ({ pts: ptsUs, ptsUs, width: 2, height: 2, rotation: 0 })
const options = { holdUs: 1_000_000, frameIntervalUs: 33_333 }
/** Milliseconds, so that pictures and frames often fall together. */
const times = fc.uniqueArray(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 30 })

/** The rule, said plainly over all pictures. */
function expected(all: readonly number[], timeUs: number): number | undefined {
  const before = all.filter((time) => time <= timeUs).at(-1)
  const after = all.find((time) => time > timeUs)
  const gap = before === undefined || after === undefined ? Number.POSITIVE_INFINITY : after - before
  const lead = after === undefined ? Number.POSITIVE_INFINITY : after - timeUs
  const isAllowed = lead <= 33_333 / 2 || (gap <= 500_000 && lead <= 100_000)
  if (after === undefined || !isAllowed) return before
  return before !== undefined && timeUs - before <= lead ? before : after
}

test('the nearest picture, of two as near the earlier, not long before its time', () => {
  fc.assert(
    fc.property(times, fc.array(fc.integer({ min: 0, max: 1600 }), { minLength: 1 }), (pictures, frames) => {
      const sorted = pictures.map((ms) => ms * 1000).sort((a, b) => a - b)
      const chooser = new PictureTimes(options)
      for (const time of sorted) chooser.add(at(time))
      chooser.end()
      for (const ms of frames.sort((a, b) => a - b)) {
        expect(chooser.choose(ms * 1000)?.ptsUs).toBe(expected(sorted, ms * 1000))
      }
    }),
  )
})

test('what is decided is not changed by what comes later, in whatever order', () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3 }), (pictures, stepMs, depth) => {
      const sorted = pictures.map((ms) => ms * 1000).sort((a, b) => a - b)
      // Decoding order: each group of pictures ends with its first, as with B-frames; none comes before its decoding time.
      const groups: number[][] = []
      for (let index = 0; index < sorted.length; index += depth + 1) groups.push(sorted.slice(index, index + depth + 1))
      const coded = groups.flatMap((group) => [group.at(-1)!, ...group.slice(0, -1)])
      const chooser = new PictureTimes(options)
      let frameUs = 0
      for (const [index, time] of coded.entries()) {
        chooser.add(at(time))
        chooser.advance(Math.min(...coded.slice(index)))
        for (; chooser.isDecidedAt(frameUs); frameUs += stepMs * 1000) {
          expect(chooser.choose(frameUs)?.ptsUs).toBe(expected(sorted, frameUs))
        }
      }
      chooser.end()
      expect(chooser.isDecidedAt(10_000_000)).toBe(true)
    }),
  )
})

test('a promise alone decides, and late pictures are not waited for longer than they may be early', () => {
  const chooser = new PictureTimes(options)
  expect(chooser.isDecidedAt(0)).toBe(false)
  chooser.advance(16_667)
  expect(chooser.isDecidedAt(0)).toBe(true)
  expect(chooser.choose(0)).toBeUndefined()
  chooser.add(at(20_000))
  chooser.advance(20_000)
  expect(chooser.choose(20_000)?.ptsUs).toBe(20_000)
  chooser.advance(60_000)
  expect(chooser.isDecidedAt(33_333)).toBe(true)
  expect(chooser.isDecidedAt(66_667)).toBe(false)
  chooser.advance(166_667)
  expect(chooser.isDecidedAt(66_667)).toBe(true)
})

test('an old picture is held for as long as it may be', () => {
  const chooser = new PictureTimes(options)
  const picture = at(100_000)
  expect(chooser.isHeld(picture, 1_100_000)).toBe(true)
  expect(chooser.isHeld(picture, 1_100_001)).toBe(false)
})
