import { describe, expect, it } from 'vitest'
import { StepHistory } from '../../src/scene/step-history.js'

describe('StepHistory', () => {
  it('knows what was at each step', () => {
    const history = new StepHistory('nobody')
    expect(history.take(5)).toBe('nobody')
    history.set(10, 'alice')
    history.set(12, 'alice')
    history.set(20, 'bob')
    history.set(30, 'nobody')
    expect([9, 10, 19, 20, 29, 30, 1000].map((step) => history.take(step))).toEqual([
      'nobody',
      'alice',
      'alice',
      'bob',
      'bob',
      'nobody',
      'nobody',
    ])
    expect(history.last).toBe('nobody')
  })
})
