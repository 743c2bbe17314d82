import { delayMs } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { backOffOf } from '../../src/spool/back-off.js'
import { foldersOf, isIndexByDefault } from '../../src/spool/index-rule.js'
import { KeptCopies } from '../../src/spool/kept-copies.js'
import { Throughput } from '../../src/spool/throughput.js'
import { TokenBucket } from '../../src/spool/token-bucket.js'

it('a bucket lets a burst through, then the rate, in turn', () => {
  const bucket = new TokenBucket(1000, 500)
  expect(bucket.take(500, 0)).toBe(0)
  expect(bucket.take(100, 0)).toBe(100)
  expect(bucket.take(100, 0)).toBe(200)
  expect(bucket.take(100, 200)).toBe(100)
  // A long silence saves up no more than a burst.
  expect(bucket.take(600, 60_000)).toBe(100)
  // Time that steps back gives nothing.
  expect(bucket.take(0, 0)).toBe(100)
})

it('throughput is that of the last half minute', () => {
  const throughput = new Throughput()
  throughput.add(3000, 5_000)
  throughput.add(3000, 10_000)
  expect(throughput.bytesPerSecond(10_500)).toBe(200)
  expect(throughput.bytesPerSecond(36_000)).toBe(100)
  expect(throughput.bytesPerSecond(1e9)).toBe(0)
})

it('waits grow up to the longest, and chance spreads them', () => {
  const backOff = backOffOf({ firstMs: 100, maxMs: 1000, factor: 2 })
  expect([1, 2, 3, 4, 5, 5000].map((failures) => delayMs(backOff, failures, () => 0))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ])
  expect(delayMs(backOff, 3, () => 0.75)).toBe(100)
  expect(delayMs({ ...backOff, jitter: 0.5 }, 3, () => 0.999)).toBe(200)
})

describe('copies', () => {
  const copy = (id: number, key = `${id}`): { id: number; key: string; bytes: number; doneAtMs: number } => ({
    id,
    key,
    bytes: 100,
    doneAtMs: id * 10,
  })

  it('go by time, oldest first', () => {
    const copies = new KeptCopies({ afterMs: 50 })
    expect(copies.nextDeadline()).toBeUndefined()
    for (const id of [1, 2, 3]) copies.add(copy(id))
    expect(copies.nextDeadline()).toBe(60)
    expect(copies.takeDue(59, 300)).toEqual([])
    expect(copies.takeDue(70, 300).map(({ id }) => id)).toEqual([1, 2])
    expect(copies.bytes).toBe(100)
  })

  it('make room where the policy lets them', () => {
    for (const [policy, expected] of [
      [{ afterMs: 1e9 }, [1, 2]],
      [{ whenBytesAbove: 1e9 }, [1, 2]],
      ['never', []],
    ] as const) {
      const copies = new KeptCopies(policy)
      for (const id of [1, 2, 3]) copies.add(copy(id))
      expect(copies.takeForRoom(150).map(({ id }) => id)).toEqual(expected)
    }
  })

  it('are kept for the newest version only', () => {
    const copies = new KeptCopies('never')
    copies.add(copy(1, 'same'))
    expect(copies.add(copy(2, 'same'))?.id).toBe(1)
    expect([...copies.values()].map(({ id }) => id)).toEqual([2])
    expect(copies.bytes).toBe(100)
  })
})

it('indexes are told by type or ending', () => {
  const cases: readonly [string, string | undefined, boolean][] = [
    ['a/index.m3u8', undefined, true],
    ['a/INDEX.M3U', undefined, true],
    ['a/manifest.mpd', undefined, true],
    ['manifest.json', undefined, true],
    ['captions.vtt', undefined, true],
    ['playlist', 'Application/vnd.apple.mpegURL; charset=utf-8', true],
    ['playlist', 'application/x-mpegURL', true],
    ['a.ts', 'video/mp2t', false],
    ['m3u8', undefined, false],
    ['a.m3u8/1.ts', undefined, false],
  ]
  for (const [key, contentType, expected] of cases) {
    expect(isIndexByDefault(key, contentType === undefined ? {} : { contentType }), key).toBe(expected)
  }
  expect(foldersOf('a/b/c')).toEqual(['', 'a/', 'a/b/'])
  expect(foldersOf('c')).toEqual([''])
})
