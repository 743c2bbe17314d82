import { expect, test } from 'vitest'
import { RecentlyUsed } from '../src/recently-used.js'

test('makes a thing once, and gives back the one that was not asked for the longest', () => {
  const closed: string[] = []
  const things = new RecentlyUsed<string>(2, (thing) => closed.push(thing))
  const made: string[] = []
  const of = (key: string): string =>
    things.of(key, () => {
      made.push(key)
      return key.toUpperCase()
    })
  expect([of('a'), of('b'), of('a'), of('c'), of('a')]).toEqual(['A', 'B', 'A', 'C', 'A'])
  expect(made).toEqual(['a', 'b', 'c'])
  expect(closed).toEqual(['B'])
  things.clear()
  expect(closed.sort()).toEqual(['A', 'B', 'C'])
})

test('what cannot be made is not kept, and is tried again', () => {
  const things = new RecentlyUsed<number>(1, () => {})
  expect(() =>
    things.of('a', () => {
      throw new Error('no memory')
    }),
  ).toThrow('no memory')
  expect(things.of('a', () => 1)).toBe(1)
})
