import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError, type RecordingEvent } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import type { Deliver, DeliveryOutcome, DeliveryReport } from '../src/delivery.js'
import { NotifierError } from '../src/errors.js'
import { createOutboxNotifier, type OutboxNotifier, type OutboxNotifierOptions } from '../src/outbox-notifier.js'
import { journalFileName } from '../src/recording-journal.js'
import { eventOf, temporaryFolder } from './event-fixtures.js'
import { ManualClock, settle } from './test-clocks.js'

const unreachable = new NotifierError('WEBHOOK_UNREACHABLE', 'down')
const delivered: DeliveryOutcome = { status: 'delivered' }
const down: DeliveryOutcome = { status: 'retry', error: unreachable }

interface Call {
  readonly id: string
  readonly attempt: number
  readonly body: string
}

/** A receiver in memory, whose answers the test chooses. */
function receiver(answer: (call: Call) => DeliveryOutcome | Promise<DeliveryOutcome> = () => delivered): {
  calls: Call[]
  deliver: Deliver
} {
  const calls: Call[] = []
  return {
    calls,
    async deliver({ id, body }, attempt) {
      const call = { id, attempt, body }
      calls.push(call)
      return answer(call)
    },
  }
}

async function open(
  journalDir: string,
  clock: ManualClock,
  deliver: Deliver,
  options: Partial<OutboxNotifierOptions> = {},
): Promise<OutboxNotifier> {
  const { wallNowMs } = clock
  return createOutboxNotifier({ name: 'test', journalDir, deliver, clock, wallNowMs, random: () => 0, ...options })
}

describe('an outbox', () => {
  it('delivers the exact body, once, in order', async () => {
    const clock = new ManualClock()
    const { calls, deliver } = receiver()
    const notifier = await open(temporaryFolder(), clock, deliver)
    for (let sequence = 1; sequence <= 5; sequence += 1) await notifier.notify(eventOf('a', sequence))
    await clock.advance(0)
    expect(calls.map(({ id }) => id)).toEqual(['a:1', 'a:2', 'a:3', 'a:4', 'a:5'])
    expect(calls[0]?.body).toBe(
      '{"id":"a:1","recordingId":"a","roomId":"room-1","sequence":1,"type":"MARK","at":"2026-11-21T10:00:00.000Z","recordingTimeUs":1000000,"data":{}}',
    )
    expect(notifier.stats).toMatchObject({ queued: 5, delivered: 5, pending: 0, attempts: 5, memoryBytes: 0 })
    await notifier.close()
  })

  it('keeps the order of events that come at the same time', async () => {
    const clock = new ManualClock()
    const { calls, deliver } = receiver()
    const notifier = await open(temporaryFolder(), clock, deliver)
    await Promise.all(Array.from({ length: 50 }, (_, index) => notifier.notify(eventOf('a', index))))
    await clock.advance(0)
    await until(() => calls.length === 50)
    expect(calls.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, index) => `a:${index}`))
    await notifier.close()
  })

  it('tries again with growing waits, and holds back what comes after', async () => {
    const clock = new ManualClock()
    let up = false
    const { calls, deliver } = receiver(({ id }) => (up || id.startsWith('b') ? delivered : down))
    const notifier = await open(temporaryFolder(), clock, deliver)
    await notifier.notify(eventOf('a', 1))
    await notifier.notify(eventOf('a', 2))
    await notifier.notify(eventOf('b', 1))
    await clock.advance(999)
    expect(calls.map(({ id }) => id)).toEqual(['a:1', 'b:1'])
    await clock.advance(1)
    expect(calls).toHaveLength(3)
    await clock.advance(1999)
    expect(calls).toHaveLength(3)
    up = true
    await clock.advance(1)
    expect(calls.map(({ id, attempt }) => `${id} ${attempt}`)).toEqual(['a:1 1', 'b:1 1', 'a:1 2', 'a:1 3', 'a:2 1'])
    expect(new Set(calls.filter(({ id }) => id === 'a:1').map(({ body }) => body)).size).toBe(1)
    await notifier.close()
  })

  it('gives up what is refused for good, says so, and goes on', async () => {
    const clock = new ManualClock()
    const reports: DeliveryReport[] = []
    const { calls, deliver } = receiver(({ id }) =>
      id === 'a:1'
        ? { status: 'rejected', error: new NotifierError('WEBHOOK_STATUS', '410', { status: 410 }) }
        : delivered,
    )
    const notifier = await open(temporaryFolder(), clock, deliver, { onDelivery: (report) => reports.push(report) })
    await notifier.notify(eventOf('a', 1))
    await notifier.notify(eventOf('a', 2))
    await clock.advance(0)
    expect(calls.map(({ id }) => id)).toEqual(['a:1', 'a:2'])
    expect(reports).toMatchObject([
      { id: 'a:1', state: 'failed', because: 'rejected', attempt: 1, error: { status: 410 } },
      { id: 'a:2', state: 'delivered', attempt: 1 },
    ])
    await notifier.close()
  })

  it.each([
    { limit: { maxAttempts: 3 }, because: 'attempts', attempts: 3 },
    { limit: { maxAgeMs: 5000 }, because: 'age', attempts: 4 },
  ])('gives up by $because', async ({ limit, because, attempts }) => {
    const clock = new ManualClock()
    const reports: DeliveryReport[] = []
    const { calls, deliver } = receiver(() => down)
    const options = { ...limit, onDelivery: (report: DeliveryReport) => reports.push(report) }
    const notifier = await open(temporaryFolder(), clock, deliver, options)
    await notifier.notify(eventOf('a', 1))
    await clock.advance(60_000)
    expect(calls).toHaveLength(attempts)
    expect(reports.at(-1)).toMatchObject({ state: 'failed', because })
    expect(notifier.stats.pending).toBe(0)
    await notifier.close()
  })

  it('code that throws while it delivers is tried again', async () => {
    const clock = new ManualClock()
    let first = true
    const { calls, deliver } = receiver(() => {
      if (!first) return delivered
      first = false
      throw new Error('secret-in-a-message')
    })
    const reports: DeliveryReport[] = []
    const notifier = await open(temporaryFolder(), clock, deliver, { onDelivery: (report) => reports.push(report) })
    await notifier.notify(eventOf('a', 1))
    await clock.advance(1000)
    expect(calls).toHaveLength(2)
    expect(reports[0]?.error?.code).toBe('DELIVERY_UNEXPECTED')
    expect(JSON.stringify(reports)).not.toContain('secret')
    await notifier.close()
  })

  it('callbacks that throw stop nothing', async () => {
    const clock = new ManualClock()
    const { calls, deliver } = receiver(({ attempt }) => (attempt === 1 ? down : delivered))
    const fail = (): never => {
      throw new Error('from the host')
    }
    const notifier = await open(temporaryFolder(), clock, deliver, {
      onDelivery: fail,
      logger: { warn: fail, error: fail },
    })
    await notifier.notify(eventOf('a', 1))
    await clock.advance(1000)
    expect(calls).toHaveLength(2)
    expect(notifier.stats.callbackErrors).toBe(3)
    await notifier.close()
  })

  it('a recording whose receiver hangs holds back no other', async () => {
    const clock = new ManualClock()
    const { calls, deliver } = receiver(({ id }) => (id.startsWith('slow') ? new Promise(() => {}) : delivered))
    const notifier = await open(temporaryFolder(), clock, deliver, { maxConcurrent: 3 })
    await notifier.notify(eventOf('slow1', 1))
    await notifier.notify(eventOf('slow2', 1))
    for (let sequence = 0; sequence < 20; sequence += 1) await notifier.notify(eventOf('quick', sequence))
    await clock.advance(0)
    await until(() => calls.length === 22)
    expect(notifier.stats).toMatchObject({ delivered: 20, inFlight: 2 })
  })

  it('a storm of failures holds back no new event', async () => {
    const journalDir = temporaryFolder()
    const backoff = { firstMs: 1, maxMs: 1 }
    const notifier = await createOutboxNotifier({ name: 'test', journalDir, deliver: async () => down, backoff })
    for (let recording = 0; recording < 300; recording += 1) await notifier.notify(eventOf(`r${recording}`, 1))
    // Attempts wait for the disk as events do, so they cannot outrun them by much: 8 at a time, of a few steps each.
    expect(notifier.stats.attempts).toBeLessThan(300 * 40)
    await notifier.close()
  })

  it('goes on after a restart: order, attempts and age are kept, and so is what was seen', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const before = receiver(({ id }) => (id === 'a:1' ? delivered : down))
    const first = await open(journalDir, clock, before.deliver)
    for (let sequence = 1; sequence <= 3; sequence += 1) await first.notify(eventOf('a', sequence))
    await clock.advance(1500)
    await first.close()
    expect(before.calls.map(({ id, attempt }) => `${id} ${attempt}`)).toEqual(['a:1 1', 'a:2 1', 'a:2 2'])

    const after = receiver()
    const second = await open(journalDir, clock, after.deliver)
    for (const sequence of [1, 2, 3, 4]) await second.notify(eventOf('a', sequence, 'MARK', { other: 'content' }))
    await clock.advance(0)
    // The wait after the second attempt goes on, too.
    expect(after.calls).toEqual([])
    await clock.advance(2000)
    expect(after.calls.map(({ id, attempt }) => `${id} ${attempt}`)).toEqual(['a:2 3', 'a:3 1', 'a:4 1'])
    expect(after.calls[0]?.body).toBe(before.calls[1]?.body)
    expect(second.stats).toMatchObject({ resumed: 2, duplicates: 3, queued: 1 })
    await second.close()
  })

  it('what was under way at the end is delivered again', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const first = await open(
      journalDir,
      clock,
      (_delivery, _attempt, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(down))),
    )
    await first.notify(eventOf('a', 1))
    await clock.advance(0)
    expect(first.stats.inFlight).toBe(1)
    await first.close()
    const { calls, deliver } = receiver()
    const second = await open(journalDir, clock, deliver)
    await clock.advance(0)
    expect(calls).toMatchObject([{ id: 'a:1', attempt: 1 }])
    await second.close()
  })

  it('close delivers for as long as it may', async () => {
    const clock = new ManualClock()
    const { calls, deliver } = receiver(({ attempt }) => (attempt < 3 ? down : delivered))
    const notifier = await open(temporaryFolder(), clock, deliver)
    await notifier.notify(eventOf('a', 1))
    const closed = notifier.close({ timeoutMs: 60_000 })
    await clock.advance(3000)
    await closed
    expect(calls).toHaveLength(3)
    expect(notifier.stats.delivered).toBe(1)
  })

  it('close gives up waiting at its limit, and leaves the rest in the journal', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const notifier = await open(journalDir, clock, async () => down)
    await notifier.notify(eventOf('a', 1))
    const closed = notifier.close({ timeoutMs: 10_000 })
    await clock.advance(10_000)
    await closed
    const second = await open(journalDir, clock, async () => delivered)
    expect(second.stats.resumed).toBe(1)
    await second.close()
  })

  it('takes nothing after close', async () => {
    const notifier = await open(temporaryFolder(), new ManualClock(), async () => delivered)
    await notifier.close()
    await notifier.close()
    await expect(notifier.notify(eventOf('a', 1))).rejects.toMatchObject({ code: 'NOTIFIER_CLOSED' })
  })

  it('tells only chosen events, and makes no file for others', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const { calls, deliver } = receiver()
    const notifier = await open(journalDir, clock, deliver, { events: ['STOP'] })
    await notifier.notify(eventOf('a', 1, 'START'))
    await notifier.notify(eventOf('b', 1, 'READY'))
    expect(readdirSync(journalDir)).toEqual([])
    await notifier.notify(eventOf('a', 2, 'STOP'))
    await clock.advance(0)
    expect(calls.map(({ id }) => id)).toEqual(['a:2'])
    await notifier.close()
  })

  it('a bad event is the caller’s', async () => {
    const notifier = await open(temporaryFolder(), new ManualClock(), async () => delivered, { maxBodyBytes: 300 })
    const cyclic: Record<string, never> = {}
    Object.assign(cyclic, { cyclic })
    await expect(notifier.notify(eventOf('a', 1, 'MARK', cyclic))).rejects.toMatchObject({ code: 'NOTIFIER_BAD_EVENT' })
    await expect(notifier.notify(eventOf('a', 2, 'MARK', { text: 'x'.repeat(400) }))).rejects.toMatchObject({
      code: 'NOTIFIER_BAD_EVENT',
    })
    await notifier.close()
  })

  it('names the option that is wrong', async () => {
    const clock = new ManualClock()
    const { deliver } = receiver()
    const journalDir = temporaryFolder()
    const wrong: Partial<OutboxNotifierOptions>[] = [
      { maxAttempts: 0 },
      { maxAgeMs: -1 },
      { maxConcurrent: 1.5 },
      { maxConcurrent: Infinity },
      { keepMs: Number.NaN },
      { maxPending: 0 },
      { journalDir: '' },
      { journalDir: '/dev/null/journal' },
    ]
    for (const options of wrong) {
      const field = Object.keys(options)[0]
      await expect(open(journalDir, clock, deliver, options), field).rejects.toMatchObject({ field })
      await expect(open(journalDir, clock, deliver, options)).rejects.toBeInstanceOf(ConfigurationError)
    }
    const notifier = await open(journalDir, clock, deliver)
    await expect(open(`${journalDir}/.`, clock, deliver)).rejects.toMatchObject({ field: 'journalDir' })
    await notifier.notify(eventOf('a', 1))
    await notifier.close()
    await expect(open(journalDir, clock, deliver, { name: 'other' })).rejects.toMatchObject({ field: 'journalDir' })
    await (await open(journalDir, clock, deliver)).close()
  })
})

describe('the journal', () => {
  it('is readable by its owner only', async () => {
    const journalDir = join(temporaryFolder(), 'made')
    const notifier = await open(journalDir, new ManualClock(), async () => delivered)
    await notifier.notify(eventOf('a/../b', 1))
    const [name = ''] = readdirSync(journalDir)
    expect(name).toMatch(/^a_b-[0-9a-f]{16}\.ndjson$/)
    expect(statSync(journalDir).mode & 0o777).toBe(0o700)
    expect(statSync(join(journalDir, name)).mode & 0o777).toBe(0o600)
    await notifier.close()
  })

  it('cuts off a torn last line, and what is written then can be read', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const first = await open(journalDir, clock, async () => down)
    await first.notify(eventOf('a', 1))
    await first.close()
    const file = join(journalDir, readdirSync(journalDir)[0] ?? '')
    appendFileSync(file, '{"kind":"event","id":"a:2","type":"MARK","atMs":1,"body":"{}')
    const { calls, deliver } = receiver()
    const second = await open(journalDir, clock, deliver)
    expect(second.stats).toMatchObject({ tornTails: 1, resumed: 1 })
    await second.notify(eventOf('a', 2))
    await clock.advance(5000)
    expect(calls.map(({ id }) => id)).toEqual(['a:1', 'a:2'])
    await second.close()
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow()
  })

  it('after the end keeps ids and no bodies, also over restarts, and is removed when its time has come', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const { calls, deliver } = receiver()
    const events: RecordingEvent[] = [eventOf('a', 1, 'START'), eventOf('a', 2, 'STOP'), eventOf('a', 3, 'READY')]
    const first = await open(journalDir, clock, deliver, { keepMs: 100_000 })
    for (const event of events) await first.notify(event)
    await clock.advance(0)
    await settle()
    await first.close()
    expect(calls).toHaveLength(3)
    const file = join(journalDir, readdirSync(journalDir)[0] ?? '')
    expect(readFileSync(file, 'utf8')).not.toContain('room-1')

    const second = await open(journalDir, clock, deliver, { keepMs: 100_000 })
    for (const event of events) await second.notify(event)
    await clock.advance(50_000)
    expect(calls).toHaveLength(3)
    expect(second.stats.duplicates).toBe(3)
    expect(readdirSync(journalDir)).toHaveLength(1)
    await clock.advance(3_600_000)
    expect(readdirSync(journalDir)).toHaveLength(0)
    await second.close()
  })

  it('removes what never ended later, and never what is undelivered', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const deliver: Deliver = async ({ recordingId }) => (recordingId === 'never-taken' ? down : delivered)
    const first = await open(journalDir, clock, deliver, { keepMs: 3_600_000, maxAgeMs: 1e9 })
    await first.notify(eventOf('never-ended', 1))
    await first.notify(eventOf('never-taken', 1, 'READY'))
    await clock.advance(2 * 3_600_000)
    expect(readdirSync(journalDir)).toHaveLength(2)
    await clock.advance(4 * 3_600_000)
    expect(readdirSync(journalDir).map((name) => name.slice(0, 11))).toEqual(['never-taken'])
    await first.close()
  })

  it('a fatal error is an end, another is not', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const notifier = await open(journalDir, clock, async () => delivered, { keepMs: 1000 })
    await notifier.notify(eventOf('a', 1, 'ERROR', { fatal: true }))
    await notifier.notify(eventOf('b', 1, 'ERROR', { fatal: false }))
    await clock.advance(3_599_000)
    expect(readdirSync(journalDir)).toHaveLength(2)
    const kinds = readdirSync(journalDir)
      .sort()
      .map((name) => readFileSync(join(journalDir, name), 'utf8').includes('"kind":"end"'))
    expect(kinds).toEqual([true, false])
    await notifier.close()
  })

  it('keeps few bodies in memory, and delivers the others from the disk', async () => {
    const clock = new ManualClock()
    let up = false
    const { calls, deliver } = receiver(() => (up ? delivered : down))
    const notifier = await open(temporaryFolder(), clock, deliver, { maxMemoryBytes: 2000 })
    const data = { text: 'ü€😀\n'.repeat(50) }
    for (let sequence = 1; sequence <= 40; sequence += 1) await notifier.notify(eventOf('a', sequence, 'MARK', data))
    expect(notifier.stats.memoryBytes).toBeLessThanOrEqual(2000)
    expect(notifier.stats.memoryBytes).toBeGreaterThan(0)
    up = true
    await clock.advance(4000)
    await until(() => notifier.stats.delivered === 40)
    for (const { body } of calls) expect(JSON.parse(body)).toMatchObject({ data })
    expect(notifier.stats.memoryBytes).toBe(0)
    await notifier.close()
  })

  it('beyond the most that may be undelivered, events are refused and reported, and can come again', async () => {
    const clock = new ManualClock()
    const problems: string[] = []
    let up = false
    const { calls, deliver } = receiver(() => (up ? delivered : down))
    const notifier = await open(temporaryFolder(), clock, deliver, {
      maxPending: 2,
      onProblem: ({ code }) => problems.push(code),
    })
    for (let sequence = 1; sequence <= 3; sequence += 1) await notifier.notify(eventOf('a', sequence))
    expect(problems).toEqual(['NOTIFIER_OVERFLOW'])
    up = true
    await clock.advance(1000)
    await notifier.notify(eventOf('a', 3))
    await clock.advance(0)
    expect(calls.map(({ id }) => id)).toEqual(['a:1', 'a:1', 'a:2', 'a:3'])
    await notifier.close()
  })

  it('while it cannot be written, deliveries go on from memory; then it catches up', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const problems: string[] = []
    let up = true
    const { calls, deliver } = receiver(() => (up ? delivered : down))
    const onProblem = ({ code }: NotifierError): void => void problems.push(code)
    const notifier = await open(journalDir, clock, deliver, { onProblem })
    await notifier.notify(eventOf('a', 1))
    await clock.advance(0)
    // A folder where a file should be: nobody, root neither, can write there.
    const name = readdirSync(journalDir)[0] ?? ''
    mkdirSync(join(journalDir, journalFileName('b')))
    await notifier.notify(eventOf('b', 1))
    await notifier.notify(eventOf('b', 2))
    await notifier.notify(eventOf('a', 2))
    await clock.advance(0)
    expect(calls.map(({ id }) => id)).toEqual(['a:1', 'b:1', 'b:2', 'a:2'])
    expect(problems.length).toBeGreaterThan(0)
    expect(new Set(problems)).toEqual(new Set(['NOTIFIER_JOURNAL_FAILED']))
    expect(notifier.stats.journalFailures).toBeGreaterThan(0)
    expect(readFileSync(join(journalDir, name), 'utf8')).toContain('a:2')
    up = false
    await notifier.close()
  })

  it('a file that somebody removes is begun anew', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const first = await open(journalDir, clock, async () => down)
    await first.notify(eventOf('a', 1))
    rmSync(join(journalDir, journalFileName('a')))
    await first.notify(eventOf('a', 2))
    expect(first.stats.journalFailures).toBe(0)
    await first.close()
    const { calls, deliver } = receiver()
    const second = await open(journalDir, clock, deliver)
    await clock.advance(0)
    expect(calls.map(({ id }) => id)).toEqual(['a:2'])
    await second.close()
  })

  it('a file that is no journal stops nothing', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    writeFileSync(join(journalDir, 'notes.txt'), 'hello')
    writeFileSync(join(journalDir, `x-${'0'.repeat(16)}.ndjson`), 'no journal')
    writeFileSync(join(journalDir, `y-${'1'.repeat(16)}.ndjson`), '')
    mkdirSync(join(journalDir, `z-${'2'.repeat(16)}.ndjson`))
    const notifier = await open(journalDir, clock, async () => delivered)
    await notifier.notify(eventOf('a', 1))
    await clock.advance(0)
    expect(notifier.stats).toMatchObject({ delivered: 1, journalFailures: 1 })
    await notifier.close()
    expect(readFileSync(join(journalDir, 'notes.txt'), 'utf8')).toBe('hello')
  })

  it('survives more recordings than it keeps open', async () => {
    const clock = new ManualClock()
    const journalDir = temporaryFolder()
    const { calls, deliver } = receiver()
    const notifier = await open(journalDir, clock, deliver)
    for (let round = 0; round < 2; round += 1) {
      for (let recording = 0; recording < 150; recording += 1) await notifier.notify(eventOf(`r${recording}`, 1))
    }
    await until(() => calls.length >= 150)
    await clock.advance(0)
    expect(calls).toHaveLength(150)
    expect(notifier.stats.duplicates).toBe(150)
    expect(readdirSync(journalDir)).toHaveLength(150)
    await notifier.close()
  })

  it('with fsync, waits for the disk', async () => {
    const clock = new ManualClock()
    const { calls, deliver } = receiver()
    const notifier = await open(temporaryFolder(), clock, deliver, { fsync: true })
    await notifier.notify(eventOf('a', 1))
    await notifier.notify(eventOf('a', 2, 'READY'))
    await until(() => calls.length === 2)
    await notifier.close()
    expect(notifier.stats.journalFailures).toBe(0)
  })
})

async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; !holds(); round += 1) {
    if (round > 1000) throw new Error('did not happen')
    await settle()
  }
}
