import { describe, expect, it } from 'vitest'
import { Feed } from '../src/feed.js'

describe('Feed', () => {
  it('gives every reader everything from where it begins, and ends', async () => {
    const feed = new Feed<number>()
    const read = async (): Promise<number[]> => {
      const values: number[] = []
      for await (const value of feed) values.push(value)
      return values
    }
    feed.push(0)
    const first = read()
    feed.push(1)
    const second = read()
    feed.push(2)
    await new Promise(setImmediate)
    feed.push(3)
    feed.end()
    expect(await first).toEqual([1, 2, 3])
    expect(await second).toEqual([2, 3])
    expect(await read()).toEqual([])
  })

  it('drops the oldest for a reader that is far behind, and holds back nobody', async () => {
    const feed = new Feed<number>()
    const slow = feed[Symbol.asyncIterator]()
    for (let n = 0; n < 10_050; n++) feed.push(n)
    expect(feed.dropped).toBe(50)
    expect(await slow.next()).toEqual({ value: 50, done: false })
    await slow.return?.()
    expect(feed.dropped).toBe(0)
  })

  it('goes on when a listener throws, and when one has had enough', () => {
    const errors: unknown[] = []
    const feed = new Feed<number>((error) => errors.push(error))
    const heard: number[] = []
    feed.listen(() => {
      throw new Error('host')
    })
    const stop = feed.listen((value) => heard.push(value))
    feed.push(1)
    stop()
    feed.push(2)
    expect(heard).toEqual([1])
    expect(errors).toHaveLength(2)
  })
})
