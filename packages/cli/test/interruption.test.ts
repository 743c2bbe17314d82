import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Interrupted, interruptible, stoppable } from '../src/interruption.js'

class FakeProcess extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gave up'))))

describe('interruptible', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s aborts the work; it ends with %d', async (signal, exitCode) => {
    const fake = new FakeProcess()
    let told = 0
    const work = interruptible(untilAborted, fake, () => told++)
    fake.emit(signal, signal)
    const error: unknown = await work.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Interrupted)
    expect((error as Interrupted).exitCode).toBe(exitCode)
    expect(told).toBe(1)
    expect(fake.exits).toEqual([])
    expect(fake.listenerCount('SIGINT') + fake.listenerCount('SIGTERM')).toBe(0)
  })

  it('a second signal ends the process at once', async () => {
    const fake = new FakeProcess()
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const work = interruptible(
      () => finished,
      fake,
      () => {},
    )
    fake.emit('SIGINT', 'SIGINT')
    fake.emit('SIGTERM', 'SIGTERM')
    expect(fake.exits).toEqual([143])
    finish()
    await work
  })

  it('work that is done by then has succeeded, and other failures stay what they are', async () => {
    const fake = new FakeProcess()
    const done = interruptible(
      async () => void fake.emit('SIGINT', 'SIGINT'),
      fake,
      () => {},
    )
    await expect(done).resolves.toBeUndefined()
    const failed = interruptible(
      () => Promise.reject(new Error('disk')),
      fake,
      () => {},
    )
    await expect(failed).rejects.toThrow('disk')
    expect(fake.listenerCount('SIGINT')).toBe(0)
  })
})

describe('stoppable', () => {
  it('a failure after the first signal is a failure, and the second has last words', async () => {
    const fake = new FakeProcess()
    const said: string[] = []
    const work = stoppable(
      untilAborted,
      fake,
      (signal) => said.push(signal),
      () => said.push('last words'),
    )
    fake.emit('SIGTERM', 'SIGTERM')
    fake.emit('SIGINT', 'SIGINT')
    await expect(work).rejects.toThrow('gave up')
    expect(said).toEqual(['SIGTERM', 'last words'])
    expect(fake.exits).toEqual([130])
    expect(fake.listenerCount('SIGINT') + fake.listenerCount('SIGTERM')).toBe(0)
  })
})
