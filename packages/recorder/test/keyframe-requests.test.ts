import { describe, expect, it } from 'vitest'
import { KeyframeRequests } from '../src/keyframe-requests.js'

const need = (trackId: string) => ({ type: 'keyframe-needed', trackId, reason: 'loss' }) as const

function requests() {
  const asked: string[] = []
  let nowUs = 0
  const made = new KeyframeRequests(({ trackId }) => asked.push(`${trackId} ${nowUs / 1000}`))
  const at = (ms: number): number => {
    nowUs = ms * 1000
    return nowUs
  }
  /** As the recorder's timer does. */
  const pass = (untilMs: number): void => {
    for (let next = made.nextDeadline(); next !== undefined && next <= untilMs * 1000; next = made.nextDeadline()) {
      made.tick(at(next / 1000))
    }
  }
  return { made, asked, at, pass }
}

describe('KeyframeRequests', () => {
  it('asks at once, and again twice a second until one has come', () => {
    const { made, asked, at, pass } = requests()
    made.need(need('v'), at(0))
    made.need(need('v'), at(10))
    pass(1200)
    made.arrived('v')
    pass(5000)
    expect(asked).toEqual(['v 0', 'v 500', 'v 1000'])
    expect(made.nextDeadline()).toBeUndefined()
  })

  it('never asks more often, whatever is needed and comes', () => {
    const { made, asked, at, pass } = requests()
    for (let ms = 0; ms < 2000; ms += 10) {
      made.need(need('v'), at(ms))
      pass(ms)
      made.arrived('v')
    }
    expect(asked.length).toBeLessThanOrEqual(4)
    expect(asked[0]).toBe('v 0')
  })

  it('asks a sender that does not answer less and less often, each track by itself', () => {
    const { made, asked, at, pass } = requests()
    made.need(need('v'), at(0))
    pass(60_000)
    expect(asked.length).toBeLessThan(22)
    made.need(need('w'), at(60_001))
    expect(asked.at(-1)).toBe('w 60001')
    made.forget('v')
    made.forget('w')
    expect(made.nextDeadline()).toBeUndefined()
  })
})
