import type { AccessUnit, AudioFrame, SenderReport, SourceItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { StartHold, type StartHoldOptions } from '../../src/timeline/start-hold.js'

const audio = (trackId: string, ms: number, bytes = 100): AudioFrame => ({
  type: 'audio-frame',
  trackId,
  epoch: 0,
  clockRate: 48_000,
  data: new Uint8Array(bytes),
  rtpTimestamp: ms * 48,
  arrivalUs: ms * 1000,
  marker: false,
  duration: 960,
  lossBefore: false,
})

const picture = (trackId: string, ms: number, pieces: readonly (readonly Uint8Array[])[]): AccessUnit => ({
  type: 'access-unit',
  trackId,
  epoch: 0,
  clockRate: 90_000,
  pieces,
  get nalUnits(): readonly Uint8Array[] {
    throw new Error('nobody joins what only waits')
  },
  rtpTimestamp: ms * 90,
  arrivalUs: ms * 1000,
  marker: true,
  keyframe: true,
  lossBefore: false,
})

const report = (trackId: string, ms: number): SenderReport => ({
  type: 'sender-report',
  trackId,
  epoch: 0,
  clockRate: 48_000,
  ntpUs: ms * 1000,
  rtpTimestamp: ms * 48,
  arrivalUs: ms * 1000,
})

const end = (trackId: string): SourceItem => ({ type: 'track-end', trackId })

/** A hold as a timeline drives it, whose clocks are known by one report; what came out, as `a20` and `a.` for an end. */
function driven(more: Partial<StartHoldOptions> = {}) {
  const reported = new Set<string>()
  const hold = new StartHold({
    maxUs: 5_000_000,
    maxBytes: 1_000_000,
    isKnown: (trackId) => reported.has(trackId),
    isRemembered: () => true,
    ...more,
  })
  const out: string[] = []
  const emit = (item: SourceItem): void => {
    if (item.type === 'track-end') out.push(`${item.trackId}.`)
    else if (item.type !== 'sender-report') out.push(`${item.trackId}${(item.arrivalUs ?? 0) / 1000}`)
  }
  const push = (...items: readonly SourceItem[]): string => {
    for (const item of items) {
      if (item.type !== 'track-end' && item.arrivalUs !== undefined) hold.tick(item.arrivalUs, emit)
      if (item.type === 'sender-report') reported.add(item.trackId)
      hold.push(item, emit)
    }
    return out.splice(0).join(' ')
  }
  const tick = (ms: number): string => {
    hold.tick(ms * 1000, emit)
    return out.splice(0).join(' ')
  }
  return { hold, push, tick, emit, out }
}

describe('StartHold', () => {
  it('lets all tracks go, in their order, once the last of their clocks is known', () => {
    const { hold, push } = driven()
    expect(push(audio('v', 0), audio('a', 10), audio('v', 40), report('v', 500), audio('a', 600))).toBe('')
    expect(hold.stats).toMatchObject({ heldUnits: 4, known: 0 })
    expect(push(report('a', 3500))).toBe('v0 a10 v40 a600')
    expect(push(audio('a', 3600), audio('v', 3610)), 'and holds nothing from then on').toBe('a3600 v3610')
    expect(hold.stats).toEqual({ heldUnits: 0, heldBytes: 0, known: 1, overdue: 0, full: 0 })
  })

  it('waits no longer than it may, counted from the first unit', () => {
    const { hold, push, tick } = driven()
    push(audio('v', 1000), audio('a', 4000))
    expect(hold.nextDeadline()).toBe(6_000_000)
    expect(tick(5999)).toBe('')
    expect(tick(6000)).toBe('v1000 a4000')
    expect(hold.nextDeadline()).toBeUndefined()
    expect(hold.stats.overdue).toBe(1)
  })

  it('sees that the time is up by a packet as well', () => {
    const { push } = driven()
    push(audio('v', 0))
    expect(push(audio('v', 5000))).toBe('v0 v5000')
  })

  it('takes no more bytes than it may', () => {
    const { hold, push } = driven({ maxBytes: 2000 })
    expect(push(audio('a', 0), audio('a', 20), audio('v', 30))).toBe('')
    expect(hold.stats.heldBytes).toBe(3 * 612)
    expect(push(audio('v', 40))).toBe('a0 a20 v30 v40')
    expect(hold.stats).toMatchObject({ heldBytes: 0, full: 1 })
    const { push: pushHuge } = driven({ maxBytes: 2000 })
    expect(pushHuge(audio('a', 0, 3000)), 'nor one that is too large alone').toBe('a0')
  })

  it('counts the pieces of a picture without joining them', () => {
    const { hold, push } = driven()
    push(picture('v', 0, [[new Uint8Array(10)], [new Uint8Array(20), new Uint8Array(30)]]))
    expect(hold.stats.heldBytes).toBe(512 + 60)
  })

  it('lets go a source that restarts so often that the clocks forget it', () => {
    let sources = 0
    const { push } = driven({ isRemembered: () => ++sources < 4 })
    expect(push(audio('a', 0), audio('a', 20), audio('a', 40))).toBe('')
    expect(push(audio('a', 60))).toBe('a0 a20 a40 a60')
  })

  it('does not wait for one that has ended, and keeps its end behind its units', () => {
    const { push } = driven()
    expect(push(audio('v', 0), audio('a', 10), report('v', 20), end('v'))).toBe('')
    expect(push(end('a'))).toBe('v0 a10 v. a.')
    expect(push(end('nobody'))).toBe('nobody.')
  })

  it('holds a track that begins later, and only that one', () => {
    const { hold, push } = driven()
    expect(push(audio('a', 0), report('a', 500), audio('a', 600))).toBe('a0 a600')
    expect(push(audio('v', 9000), audio('a', 9010), audio('v', 9040))).toBe('a9010')
    expect(hold.stats.heldUnits).toBe(2)
    expect(push(report('v', 9500))).toBe('v9000 v9040')
  })

  it('does not wait again for somebody who has never reported anything', () => {
    const { push, tick } = driven()
    push(audio('a', 0))
    expect(tick(5000)).toBe('a0')
    expect(push(audio('v', 9000))).toBe('v9000')
  })

  it('holds nothing that says not when it came', () => {
    const { arrivalUs: _, ...timeless } = audio('a', 0)
    const { push } = driven()
    expect(push(timeless)).toBe('a0')
  })

  it('lets go what it has at the end', () => {
    const { hold, push, emit, out } = driven()
    push(audio('v', 0), audio('a', 10))
    hold.flush(emit)
    expect(out).toEqual(['v0', 'a10'])
  })
})
