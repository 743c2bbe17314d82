import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReadyQueue } from '../src/ready-queue.js'

describe('ReadyQueue', () => {
  it('gives the earliest first, and of the same time the first that came, whatever comes in between', () => {
    const steps = fc.array(fc.option(fc.nat(20)), { maxLength: 200 })
    fc.assert(
      fc.property(steps, (script) => {
        const queue = new ReadyQueue<number>()
        const model: { readyMs: number; order: number }[] = []
        for (const [order, readyMs] of script.entries()) {
          if (readyMs === null) {
            expect(queue.shift()).toBe(model.shift()?.order)
          } else {
            queue.push(order, readyMs)
            model.push({ readyMs, order })
            model.sort((a, b) => a.readyMs - b.readyMs || a.order - b.order)
          }
          expect(queue.readyMs).toBe(model[0]?.readyMs)
        }
      }),
    )
  })
})
