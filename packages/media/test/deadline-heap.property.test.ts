import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeadlineHeap } from '../src/deadline-heap.js'

describe('DeadlineHeap', () => {
  it('gives the earliest first, and of the same time the first that came, whatever comes in between', () => {
    const steps = fc.array(fc.option(fc.nat(20)), { maxLength: 200 })
    fc.assert(
      fc.property(steps, (script) => {
        const queue = new DeadlineHeap<number>()
        const model: { readyMs: number; order: number }[] = []
        for (const [order, readyMs] of script.entries()) {
          if (readyMs === null) {
            expect(queue.shift()).toBe(model.shift()?.order)
          } else {
            queue.push(order, readyMs)
            model.push({ readyMs, order })
            model.sort((a, b) => a.readyMs - b.readyMs || a.order - b.order)
          }
          expect(queue.peek()?.dueMs).toBe(model[0]?.readyMs)
        }
      }),
    )
  })
})
