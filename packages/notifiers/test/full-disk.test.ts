import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { NotifierError } from '../src/errors.js'
import { createOutboxNotifier } from '../src/outbox-notifier.js'
import { eventOf, temporaryFolder, until } from './event-fixtures.js'
import { ManualClock } from './test-clocks.js'

function mount(dir: string): boolean {
  mkdirSync(dir, { recursive: true })
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status === 0
}

const probe = `/tmp/rushes-notifiers-mount-${process.pid}`
const canMount = mount(probe)
if (canMount) spawnSync('umount', [probe])
rmSync(probe, { recursive: true, force: true })

describe.skipIf(!canMount && !process.env['CI'])('a full disk', () => {
  it('loses no event, disturbs no recording, and is caught up with when there is room again', async () => {
    const journalDir = join(temporaryFolder(), 'disk')
    expect(mount(journalDir)).toBe(true)
    onTestFinished(() => void spawnSync('umount', [journalDir]))
    const clock = new ManualClock()
    const problems: NotifierError[] = []
    const told: string[] = []
    const common = { name: 'test', journalDir, clock, wallNowMs: clock.wallNowMs, random: () => 0 }
    let up = false
    const notifier = await createOutboxNotifier({
      ...common,
      onProblem: (problem) => problems.push(problem),
      async deliver({ id }) {
        if (!up) throw new Error('down')
        told.push(id)
        return { status: 'delivered' }
      },
    })
    await notifier.notify(eventOf('a', 1))
    writeFileSync(join(journalDir, 'filler'), Buffer.alloc(48 * 1024))
    const data = { text: 'x'.repeat(2000) }
    for (let sequence = 2; sequence <= 20; sequence += 1) await notifier.notify(eventOf('a', sequence, 'MARK', data))
    expect(problems.map(({ code }) => code)).toEqual(['NOTIFIER_JOURNAL_FAILED'])
    expect(problems[0]?.message).toContain('ENOSPC')
    rmSync(join(journalDir, 'filler'))
    await clock.advance(5000)
    const content = readFileSync(join(journalDir, readdirSync(journalDir)[0] ?? ''), 'utf8')
    const queued = content.split('\n').filter((line) => line.includes('"kind":"event"'))
    expect(queued.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(ids(20))
    await notifier.close()

    // What was written late is as good as any.
    up = true
    const second = await createOutboxNotifier({
      ...common,
      async deliver({ id }) {
        told.push(id)
        return { status: 'delivered' }
      },
    })
    await clock.advance(300_000)
    await until(() => told.length === 20, 'deliveries')
    expect(told).toEqual(ids(20))
    expect(second.stats.damagedLines).toBe(0)
    await second.close()
  })

  it('delivers from memory, and refuses what memory must not hold', async () => {
    const journalDir = join(temporaryFolder(), 'disk')
    expect(mount(journalDir)).toBe(true)
    onTestFinished(() => void spawnSync('umount', [journalDir]))
    writeFileSync(join(journalDir, 'filler'), Buffer.alloc(64 * 1024))
    const clock = new ManualClock()
    const problems: string[] = []
    const told: string[] = []
    let up = false
    const notifier = await createOutboxNotifier({
      name: 'test',
      journalDir,
      clock,
      wallNowMs: clock.wallNowMs,
      random: () => 0,
      maxMemoryBytes: 10_000,
      onProblem: ({ code }) => problems.push(code),
      async deliver({ id }) {
        if (!up) throw new Error('down')
        told.push(id)
        return { status: 'delivered' }
      },
    })
    const data = { text: 'x'.repeat(2000) }
    for (let sequence = 1; sequence <= 10; sequence += 1) await notifier.notify(eventOf('a', sequence, 'MARK', data))
    expect(problems[0]).toBe('NOTIFIER_JOURNAL_FAILED')
    expect(problems.slice(1)).toEqual(Array.from({ length: 5 }, () => 'NOTIFIER_OVERFLOW'))
    expect(notifier.stats).toMatchObject({ pending: 5, refused: 5 })
    up = true
    await clock.advance(10_000)
    expect(told).toEqual(ids(5))
    await notifier.close()
  })
})

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `a:${index + 1}`)
}
