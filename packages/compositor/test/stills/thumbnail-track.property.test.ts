import fc from 'fast-check'
import { expect, it } from 'vitest'
import { thumbnailTrack } from '../../src/index.js'

const ms = (time: string): number => {
  const [hours, minutes, seconds] = time.split(':').map(Number) as [number, number, number]
  return Math.round((hours * 3600 + minutes * 60 + seconds) * 1000)
}

it('cues cover everything without holes, each with the place of its thumbnail', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 40_000_000 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: -1_000_000, max: 9_000_000_000 }),
      fc.integer({ min: 1000, max: 600_000_000 }),
      (steps, startUs, lengthUs) => {
        let atUs = startUs
        const thumbnails = steps.map((step, index) => {
          const thumbnail = { atUs, sheet: 1, x: index, y: 0, width: 2, height: 2 }
          atUs += step
          return thumbnail
        })
        const text = thumbnailTrack(thumbnails, startUs, startUs + lengthUs)
        const cues = [...text.matchAll(/\n\n(.*) --> (.*)\nthumbnails-1\.jpg#xywh=(\d+),0,2,2(?=\n)/g)]
        expect(cues.length).toBe(text.split('-->').length - 1)
        let untilMs = 0
        for (const [, from, to, index] of cues) {
          expect(ms(from as string)).toBe(untilMs)
          untilMs = ms(to as string)
          const own = thumbnails[Number(index)]?.atUs as number
          expect(Math.abs(ms(from as string) - (own - startUs) / 1000)).toBeLessThanOrEqual(0.5)
        }
        expect(untilMs).toBe(Math.round(lengthUs / 1000))
      },
    ),
  )
})
