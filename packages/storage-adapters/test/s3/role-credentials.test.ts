import { describe, expect, it } from 'vitest'
import { RenewedSession, type S3Session } from '../../src/s3/role-credentials.js'

const HOUR = 3_600_000

function start(): { session: RenewedSession; clock: { now: number }; loads: { count: number; failing: boolean } } {
  const clock = { now: 1_000_000 }
  const loads = { count: 0, failing: false }
  const load = async (): Promise<S3Session> => {
    loads.count += 1
    const number = loads.count
    await new Promise((resolve) => setImmediate(resolve))
    if (loads.failing) throw new Error('STS is down')
    return { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: `T${number}`, expiresAtMs: clock.now + HOUR }
  }
  return { session: new RenewedSession(load, () => clock.now), clock, loads }
}

describe('a session', () => {
  it('is asked for once, by however many at a time, and kept', async () => {
    const { session, clock, loads } = start()
    const all = await Promise.all(Array.from({ length: 50 }, () => session.get()))
    expect(new Set(all.map(({ sessionToken }) => sessionToken))).toEqual(new Set(['T1']))
    clock.now += HOUR - 300_001
    await session.get()
    expect(loads.count).toBe(1)
  })

  it('is renewed five minutes before its end, once', async () => {
    const { session, clock, loads } = start()
    await session.get()
    clock.now += HOUR - 300_000
    const all = await Promise.all(Array.from({ length: 50 }, () => session.get()))
    expect(new Set(all.map(({ sessionToken }) => sessionToken))).toEqual(new Set(['T2']))
    expect(loads.count).toBe(2)
  })

  it('goes on while it lives when it cannot be renewed, without asking each time', async () => {
    const { session, clock, loads } = start()
    await session.get()
    clock.now += HOUR - 200_000
    loads.failing = true
    for (let call = 0; call < 10; call += 1) expect((await session.get()).sessionToken).toBe('T1')
    expect(loads.count).toBe(2)
    clock.now += 15_000
    await session.get()
    expect(loads.count).toBe(3)
    clock.now += 200_000
    await expect(session.get()).rejects.toThrow('STS is down')
    loads.failing = false
    expect((await session.get()).sessionToken).toBe('T5')
  })

  it('is not renewed for a length that no session has', async () => {
    const { session, clock, loads } = start()
    await session.get()
    for (let call = 0; call < 10; call += 1) {
      clock.now += 60_000
      await session.get(12 * HOUR)
    }
    expect(loads.count).toBe(1)
    clock.now += HOUR / 2
    expect((await session.get(12 * HOUR)).sessionToken).toBe('T2')
  })

  it('that the service refuses is forgotten, but not the one after it', async () => {
    const { session, loads } = start()
    await session.get()
    session.drop('T1')
    expect((await session.get()).sessionToken).toBe('T2')
    session.drop('T1')
    expect((await session.get()).sessionToken).toBe('T2')
    expect(loads.count).toBe(2)
  })
})
