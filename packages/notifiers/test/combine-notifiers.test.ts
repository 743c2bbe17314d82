import type { Notifier } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { combineNotifiers } from '../src/combine-notifiers.js'
import { eventOf } from './event-fixtures.js'

describe('combineNotifiers', () => {
  it('tells all of them, whatever one of them does', async () => {
    const told: string[] = []
    const good = (name: string): Notifier => ({
      name,
      notify: async ({ id }) => void told.push(`${name} ${id}`),
      close: async (options) => void told.push(`${name} closes ${options?.timeoutMs}`),
    })
    const bad: Notifier = {
      name: 'bad',
      notify: () => Promise.reject(new Error('fails')),
      close: () => {
        throw new Error('fails at once')
      },
    }
    const all = combineNotifiers([bad, good('one'), bad, good('two')])
    expect(all.name).toBe('bad, one, bad, two')
    await all.notify(eventOf('r', 1))
    await all.close({ timeoutMs: 5 })
    expect(told).toEqual(['one r:1', 'two r:1', 'one closes 5', 'two closes 5'])
  })

  it('resolves when the slowest is done', async () => {
    const done: string[] = []
    const after = (name: string, ms: number): Notifier => ({
      name,
      notify: () => new Promise((resolve) => setTimeout(() => resolve(void done.push(name)), ms)),
      close: async () => undefined,
    })
    await combineNotifiers([after('slow', 30), after('quick', 1)]).notify(eventOf('r', 1))
    expect(done).toEqual(['quick', 'slow'])
  })
})
