import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type AudioFrame, ConfigurationError, type MonotonicClock, type TimedItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { createTimelineStream } from '../../src/timeline/timeline-stream.js'

const frame = (index: number): AudioFrame => ({
  type: 'audio-frame',
  trackId: 'microphone',
  epoch: 0,
  clockRate: 48_000,
  data: Uint8Array.of(0xf8),
  rtpTimestamp: index * 960,
  arrivalUs: index * 20_000,
  marker: false,
  duration: 960,
  lossBefore: false,
})

const samplesOf = (items: readonly TimedItem[]): number => items.filter(({ type }) => type === 'sample').length

/** A clock that stands still until it is moved. */
function stepped(): MonotonicClock & { to(us: number): void } {
  let nowUs = 0
  const wakes = new Set<{ readonly deadlineUs: number; readonly wake: () => void }>()
  return {
    nowUs: () => nowUs,
    schedule(deadlineUs, wake) {
      const one = { deadlineUs, wake }
      wakes.add(one)
      return () => void wakes.delete(one)
    },
    to(us) {
      nowUs = us
      for (const one of wakes) {
        if (one.deadlineUs > nowUs) continue
        wakes.delete(one)
        one.wake()
      }
    },
  }
}

describe('createTimelineStream, with what waits for the first reports', () => {
  it('lets it go when the time is up, though nothing more comes', async () => {
    const clock = stepped()
    const source = new PassThrough({ objectMode: true })
    const items: TimedItem[] = []
    const stream = createTimelineStream({ startHoldUs: 5_000_000, clock })
    const done = pipeline(source, stream, async (read: AsyncIterable<TimedItem>) => {
      for await (const item of read) items.push(item)
    })
    for (let index = 0; index < 3; index++) source.write(frame(index))
    await new Promise(setImmediate)
    for (let us = 0; us < 5_000_000; us += 100_000) clock.to(us)
    await new Promise(setImmediate)
    expect(samplesOf(items)).toBe(0)
    clock.to(5_000_000)
    await new Promise(setImmediate)
    expect(samplesOf(items)).toBe(3)
    source.end()
    await done
  })

  it('lets it go at the end, in a pipeline and for await', async () => {
    const items: TimedItem[] = []
    const read = Readable.from(Array.from({ length: 50 }, (_, index) => frame(index)))
    for await (const item of read.compose(createTimelineStream({ startHoldUs: 5_000_000 })))
      items.push(item as TimedItem)
    expect(items.map(({ type }) => type)).toEqual([...new Array<string>(50).fill('sample'), 'track-end'])
  })

  it('discards it on abort', async () => {
    const controller = new AbortController()
    const items: TimedItem[] = []
    const source = new PassThrough({ objectMode: true })
    const stream = createTimelineStream({ startHoldUs: 5_000_000, signal: controller.signal })
    const done = pipeline(source, stream, async (read: AsyncIterable<TimedItem>) => {
      for await (const item of read) items.push(item)
    })
    source.write(frame(0))
    await new Promise(setImmediate)
    controller.abort()
    await expect(done).rejects.toMatchObject({ code: 'ABORT_ERR' })
    expect(items).toEqual([])
  })

  it.each([
    ['startHoldUs', { startHoldUs: -1 }],
    ['startHoldUs', { startHoldUs: Number.NaN }],
    ['startHoldBytes', { startHoldBytes: 0 }],
  ])('names %s in %j', (field, options) => {
    expect(() => createTimelineStream(options)).toThrow(ConfigurationError)
    expect(() => createTimelineStream(options)).toThrow(expect.objectContaining({ field }))
  })
})
