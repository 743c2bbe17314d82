import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FileBuffers } from '../src/file-buffers.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('everybody is served in turn, and no more is out than allowed', async () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 30 }), gives: fc.nat(3), aborts: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const buffers = new FileBuffers(20)
      const out: Buffer[] = []
      const served: number[] = []
      const aborted: number[] = []
      const giveOne = (): void => {
        const buffer = out.shift()
        if (buffer !== undefined) buffers.give(buffer)
      }
      const check = async (): Promise<void> => {
        await turn()
        const bytes = out.reduce((sum, { byteLength }) => sum + byteLength, 0)
        expect(buffers.takenBytes).toBe(bytes)
        if (out.filter(({ byteLength }) => byteLength > 0).length > 1) expect(bytes).toBeLessThanOrEqual(20)
      }
      for (const [index, { bytes, gives, aborts }] of steps.entries()) {
        const stop = new AbortController()
        buffers.take(bytes, stop.signal).then(
          (buffer) => {
            expect(buffer.byteLength).toBe(bytes)
            out.push(buffer)
            served.push(index)
          },
          () => void aborted.push(index),
        )
        await check()
        if (aborts) stop.abort()
        await check()
        for (let count = 0; count < gives; count += 1) giveOne()
        await check()
      }
      while (served.length + aborted.length < steps.length) {
        expect(out.length).toBeGreaterThan(0)
        giveOne()
        await check()
      }
      expect(served).toEqual([...served].sort((one, other) => one - other))
      while (out.length > 0) giveOne()
      expect(buffers.takenBytes).toBe(0)
    }),
    { numRuns: 300 },
  )
})
