import { describe, expect, it } from 'vitest'
import { LoadGovernor, type LoadStep } from '../src/load-governor.js'

const FRAME_US = 33_333

/** Frames for so long with the same backlog and share; returns the steps that were taken. */
function run(governor: LoadGovernor, from: number, seconds: number, backlogUs: number, busy: number): LoadStep[] {
  const steps: LoadStep[] = []
  for (let at = from * 1_000_000; at < (from + seconds) * 1_000_000; at += FRAME_US) {
    const step = governor.note(at, backlogUs, busy)
    if (step !== undefined) steps.push(step)
  }
  return steps
}

describe('a load governor', () => {
  it('gives up the encoder first, then pictures, then size, one step at a time', () => {
    const governor = new LoadGovernor('veryfast')
    expect(governor.step).toEqual({ preset: 'veryfast', frameStep: 1, sizeDivisor: 1 })
    expect(run(governor, 0, 60, 2_000_000, 1.3)).toEqual([
      { preset: 'superfast', frameStep: 1, sizeDivisor: 1 },
      { preset: 'ultrafast', frameStep: 1, sizeDivisor: 1 },
      { preset: 'ultrafast', frameStep: 2, sizeDivisor: 1 },
      { preset: 'ultrafast', frameStep: 2, sizeDivisor: 2 },
    ])
  })

  it('has fewer steps where the encoder is fast already', () => {
    expect(run(new LoadGovernor('ultrafast'), 0, 60, 2_000_000, 1.3)).toHaveLength(2)
  })

  it('waits to see what a step is good for', () => {
    const governor = new LoadGovernor('veryfast')
    expect(run(governor, 0, 4.9, 2_000_000, 1.3)).toHaveLength(1)
  })

  it('lets a call be behind that is replayed faster than it was', () => {
    expect(run(new LoadGovernor('veryfast'), 0, 60, 600_000_000, 0.3)).toEqual([])
  })

  it('lets a machine be busy that keeps up', () => {
    expect(run(new LoadGovernor('veryfast'), 0, 60, 300_000, 0.95)).toEqual([])
  })

  it('takes quality back after a while, and waits longer each time that this was too soon', () => {
    const governor = new LoadGovernor('superfast')
    const backAt: number[] = []
    let at = 0
    for (let round = 0; round < 3; round++) {
      while (run(governor, at, 1, 2_000_000, 1.3).length === 0) at++
      const since = at
      while (run(governor, at, 1, 0, 0.5).length === 0) at++
      backAt.push(at - since)
    }
    expect(backAt[0]).toBeGreaterThanOrEqual(29)
    expect(backAt[0]).toBeLessThan(33)
    expect(backAt[1]).toBeGreaterThan(55)
    expect(backAt[2]).toBeGreaterThan(110)
    expect(governor.step.preset).toBe('superfast')
  })
})
