import { describe, expect, it } from 'vitest'
import { Lifecycle, type LifecycleChange } from '../src/lifecycle.js'

function life(limits: ConstructorParameters<typeof Lifecycle>[0] = {}) {
  const changes: LifecycleChange[] = []
  const lifecycle = new Lifecycle(limits, 0, (change) => changes.push(change))
  return { lifecycle, changes, states: () => changes.map((c) => (c.type === 'state' ? c.state : `stop: ${c.reason}`)) }
}

const seconds = (s: number) => s * 1_000_000

/** Ticks at each deadline, as the recorder's timer does, up to `untilUs`. */
function pass(lifecycle: Lifecycle, untilUs: number): void {
  for (let deadline = lifecycle.nextDeadline(); deadline !== undefined && deadline <= untilUs; ) {
    lifecycle.tick(deadline)
    const next = lifecycle.nextDeadline()
    expect(next === undefined || next > deadline, 'a deadline that has been served does not come again').toBe(true)
    deadline = next
  }
}

describe('Lifecycle', () => {
  it('waits for media, and gives up after its own time', () => {
    const { lifecycle, states } = life({ noMediaMs: 5000 })
    lifecycle.join('alice')
    pass(lifecycle, seconds(4.9))
    expect(lifecycle.state).toBe('waiting')
    pass(lifecycle, seconds(5))
    expect(states()).toEqual(['processing', 'stop: no-media'])
  })

  it('ends 30 s after the last one has left, and not when somebody comes back', () => {
    const { lifecycle, states } = life()
    lifecycle.join('alice')
    lifecycle.media(seconds(1))
    lifecycle.leave('alice', seconds(10))
    pass(lifecycle, seconds(39.9))
    lifecycle.join('bob')
    lifecycle.media(seconds(40))
    lifecycle.leave('nobody', seconds(41))
    lifecycle.leave('bob', seconds(50))
    pass(lifecycle, seconds(79.9))
    expect(lifecycle.state).not.toBe('processing')
    pass(lifecycle, seconds(80))
    expect(states().at(-1)).toBe('stop: idle')
  })

  it('a short loss of connection never ends it; a long silence does', () => {
    const { lifecycle, states } = life({ silenceMs: 60_000 })
    lifecycle.join('alice')
    lifecycle.media(seconds(1))
    pass(lifecycle, seconds(20))
    expect(states()).toEqual(['recording', 'interrupted'])
    lifecycle.media(seconds(21))
    expect(lifecycle.state).toBe('recording')
    pass(lifecycle, seconds(80.9))
    expect(lifecycle.state).toBe('interrupted')
    pass(lifecycle, seconds(81))
    expect(states().slice(-2)).toEqual(['processing', 'stop: silence'])
  })

  it('a pause is no silence, and its time counts', () => {
    const { lifecycle, states } = life({ silenceMs: 10_000, maxDurationMs: 100_000 })
    lifecycle.join('alice')
    lifecycle.media(seconds(1))
    expect(lifecycle.pause()).toBe(true)
    expect(lifecycle.pause()).toBe(false)
    lifecycle.media(seconds(2))
    pass(lifecycle, seconds(60))
    expect(lifecycle.state).toBe('paused')
    expect(lifecycle.resume(seconds(60))).toBe(true)
    expect(lifecycle.resume(seconds(60))).toBe(false)
    expect(lifecycle.state).toBe('recording')
    for (let s = 61; s < 100; s++) lifecycle.media(seconds(s))
    pass(lifecycle, seconds(100))
    expect(states().at(-1)).toBe('stop: max-duration')
  })

  it('that is paused before any media waits again', () => {
    const { lifecycle } = life()
    lifecycle.pause()
    lifecycle.resume(seconds(1))
    expect(lifecycle.state).toBe('waiting')
  })

  it('ends at its size, once, for the first reason', () => {
    const { lifecycle, states } = life({ maxBytes: 1000 })
    lifecycle.media(0)
    lifecycle.grown(999)
    lifecycle.grown(1000)
    lifecycle.stop('requested')
    lifecycle.media(seconds(5))
    lifecycle.tick(seconds(1e6))
    expect(states()).toEqual(['recording', 'processing', 'stop: max-bytes'])
    expect(lifecycle.nextDeadline()).toBeUndefined()
    expect(lifecycle.pause()).toBe(false)
    lifecycle.finished('ready')
    lifecycle.finished('failed')
    expect(lifecycle.state).toBe('ready')
  })
})
