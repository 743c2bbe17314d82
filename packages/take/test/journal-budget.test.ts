import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  createJournalBudget,
  createTakeWriter,
  type JournalBudget,
  type JournalBudgetOptions,
  type JournalPressure,
  openTake,
  type TakeWriter,
} from '../src/index.js'
import { collect, rtp, startedAt, temporaryFolder, videoTrack } from './fixtures.js'
import { ManualClock } from './manual-clock.js'

const steps = [
  { step: 'refuse-recordings', belowBytes: 40_000 },
  { step: 'delete-takes', belowBytes: 40_000 },
  { step: 'stop-video', belowBytes: 20_000 },
  { step: 'stop-media', belowBytes: 8000 },
] as const

interface Bench {
  readonly dir: string
  readonly budget: JournalBudget
  readonly told: JournalPressure[]
  readonly clock: ManualClock
  free: number
}

async function bench(options: Partial<JournalBudgetOptions> = {}): Promise<Bench> {
  const dir = options.dir ?? temporaryFolder()
  const told: JournalPressure[] = []
  const clock = new ManualClock()
  let wallMs = Date.parse('2026-11-22T00:00:00Z')
  const now = (): number => {
    wallMs += 1000
    return wallMs
  }
  const state = { dir, told, clock, free: 1_000_000 }
  const budget = await createJournalBudget({
    minFreeBytes: 0,
    steps,
    clock,
    now,
    freeBytes: () => Promise.resolve(state.free),
    onPressure: (pressure) => told.push(pressure),
    ...options,
    dir,
  })
  return Object.assign(state, { budget })
}

async function writerOf({ dir, budget, clock }: Bench, name: string): Promise<TakeWriter> {
  const writer = await createTakeWriter(join(dir, name), { startedAt }, { budget, clock, sync: 'never' })
  writer.addTrack('alice', videoTrack('camera'))
  writer.addTrack('alice', { ...videoTrack('sound'), kind: 'audio', mimeType: 'audio/opus' })
  await writer.flush()
  return writer
}

/** A finished take of `bytes`. */
async function kept(dir: string, name: string, start: string, bytes: number): Promise<string> {
  const path = join(dir, name)
  const writer = await createTakeWriter(path, { startedAt: start }, { sync: 'never' })
  await writer.finish()
  writeFileSync(join(path, 'more.bin'), new Uint8Array(bytes))
  return path
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

const summary = ({ type, step, cause }: JournalPressure): string => `${type} ${step} ${cause}`

describe('a budget of bytes', () => {
  it('is used up step by step, in order; what is refused stands in the take', async () => {
    const b = await bench({ maxBytes: 100_000 })
    const writer = await writerOf(b, 'one')
    expect(await b.budget.admit()).toMatchObject({ ok: true })
    let index = 0
    const write = (track: string): void => {
      writer.write(track, rtp(index, 992), index * 1000)
      index += 1
    }
    for (let turn = 0; turn < 120; turn += 1) {
      write('camera')
      write('sound')
    }
    await Promise.resolve()
    expect(b.told.map(summary)).toEqual([
      'begun refuse-recordings max-bytes',
      'begun delete-takes max-bytes',
      'begun stop-video max-bytes',
      'begun stop-media max-bytes',
    ])
    expect(b.budget.steps).toEqual(steps.map(({ step }) => step))
    expect(await b.budget.admit()).toMatchObject({ ok: false, leftBytes: b.budget.leftBytes })
    // Never more than the budget, and events go on.
    expect(b.budget.usedBytes).toBeLessThan(100_000)
    writer.event({ type: 'mute', atMs: index, participant: 'alice' })
    const { refused, packets } = writer.stats
    expect(refused.map(({ trackId, cause }) => `${trackId} ${cause}`)).toEqual([
      'camera journal-full',
      'sound journal-full',
    ])
    expect(packets + refused.reduce((sum, { count }) => sum + count, 0)).toBe(index)
    expect((refused[0]?.count ?? 0) > (refused[1]?.count ?? 0)).toBe(true)
    expect(b.budget.refused).toEqual(
      refused.map(({ trackId, count, bytes }) => ({ dir: writer.dir, trackId, packets: count, bytes })),
    )
    const session = await writer.finish()
    const notes = session.events.filter(({ type }) => type === 'not-journalled')
    expect(notes).toEqual(
      refused.map(({ trackId, count, bytes }) => {
        const toMs = trackId === 'camera' ? index - 2 : index - 1
        const fromMs = toMs - 2 * (count - 1)
        const cause = 'journal-full'
        return { type: 'not-journalled', atMs: toMs, track: trackId, cause, fromMs, toMs, packets: count, bytes }
      }),
    )
    expect(session.events.some(({ type }) => type === 'mute')).toBe(true)
    expect(await collect((await openTake(writer.dir, { strict: true })).records())).toHaveLength(packets)
  })

  it('counts what is there already, and what is gone after a refresh', async () => {
    const dir = temporaryFolder()
    await kept(dir, 'old', startedAt, 70_000)
    const b = await bench({ dir, maxBytes: 100_000 })
    expect(b.budget.usedBytes).toBeGreaterThan(70_000)
    expect(b.told.map(summary)).toEqual(['begun refuse-recordings max-bytes', 'begun delete-takes max-bytes'])
    writeFileSync(join(dir, 'old', 'more.bin'), '')
    await b.budget.refresh()
    expect(b.told.slice(2).map(summary)).toEqual(['ended refuse-recordings max-bytes', 'ended delete-takes max-bytes'])
    expect(await b.budget.admit({ bytesPerSecond: 100 })).toMatchObject({ ok: true })
    expect(await b.budget.admit({ bytesPerSecond: 200 })).toMatchObject({ ok: false, neededBytes: 120_000 })
  })
})

describe('a disk that fills', () => {
  it('gives up video first, and takes it back when there is room: reported with what was refused', async () => {
    const b = await bench()
    const writer = await writerOf(b, 'one')
    b.free = 15_000
    b.clock.advance(1000)
    writer.write('camera', rtp(1), 1_000_000)
    await writer.flush()
    await until(() => b.told.length === 3)
    expect(b.told.map(summary)).toEqual([
      'begun refuse-recordings free-space',
      'begun delete-takes free-space',
      'begun stop-video free-space',
    ])
    for (let index = 0; index < 5; index += 1) writer.write('camera', rtp(index), 1_100_000 + index * 1000)
    expect(writer.write('sound', rtp(1), 1_105_000)).toBe(true)
    b.free = 24_000
    b.clock.advance(1000)
    await writer.flush()
    await b.budget.admit()
    expect(b.budget.steps, 'not before a quarter more is there').toContain('stop-video')
    b.free = 30_000
    b.clock.advance(1000)
    await writer.flush()
    await until(() => b.told.length === 4)
    expect(b.told[3]).toMatchObject({
      type: 'ended',
      step: 'stop-video',
      cause: 'free-space',
      since: b.told[2]?.since,
      refused: [{ dir: writer.dir, trackId: 'camera', packets: 5, bytes: 200 }],
    })
    expect(Date.parse(b.told[3]?.at ?? '')).toBeGreaterThan(Date.parse(b.told[3]?.since ?? ''))
    writer.write('camera', rtp(9), 2_000_000)
    await writer.flush()
    // It is noted while the recording goes on, not only at its end.
    const unfinished = await openTake(writer.dir)
    expect(unfinished.session.events).toMatchObject([
      {
        type: 'not-journalled',
        track: 'camera',
        cause: 'journal-full',
        fromMs: 1100,
        toMs: 1104,
        packets: 5,
        bytes: 200,
      },
    ])
    await writer.finish()
    expect(await collect((await openTake(writer.dir)).records())).toHaveLength(3)
  })

  it('is looked at once a second at most', async () => {
    let looks = 0
    const b = await bench({
      freeBytes: () => {
        looks += 1
        return Promise.resolve(1_000_000)
      },
    })
    const writer = await writerOf(b, 'one')
    for (let index = 0; index < 50; index += 1) {
      writer.write('camera', rtp(index), index)
      b.clock.advance(100)
      await writer.flush()
    }
    expect(looks).toBeGreaterThanOrEqual(4)
    expect(looks).toBeLessThanOrEqual(6)
    await writer.finish()
  })

  it('that cannot be looked at any more is believed to be as full as it was, and fuller by what was written', async () => {
    let fails = false
    const b = await bench({
      freeBytes: () => (fails ? Promise.reject(new Error('EIO')) : Promise.resolve(60_000)),
    })
    const writer = await writerOf(b, 'one')
    fails = true
    b.clock.advance(5000)
    for (let index = 0; index < 30; index += 1) writer.write('camera', rtp(index, 992), index)
    await writer.flush()
    expect(b.budget.steps).toEqual(['refuse-recordings', 'delete-takes'])
    await writer.finish()
  })

  it('is asked for where nobody says otherwise', async () => {
    const budget = await createJournalBudget({ dir: join(temporaryFolder(), 'new'), minFreeBytes: 0 })
    expect(budget.leftBytes).toBeGreaterThan(0)
    expect(budget.leftBytes).toBeLessThan(Number.POSITIVE_INFINITY)
  })
})

describe('takes whose outputs are done', () => {
  it('are deleted, the oldest first, until there is room; others are not', async () => {
    const dir = temporaryFolder()
    const outside = await kept(temporaryFolder(), 'outside', '2020-01-01T00:00:00Z', 1)
    await kept(dir, 'new', '2026-03-01T00:00:00Z', 20_000)
    await kept(dir, 'old', '2026-01-01T00:00:00Z', 20_000)
    await kept(dir, 'middle', '2026-02-01T00:00:00Z', 20_000)
    await kept(dir, 'not-done', '2025-01-01T00:00:00Z', 1000)
    const live = await createTakeWriter(join(dir, 'live'), { startedAt: '2019-01-01T00:00:00Z' })
    const told: JournalPressure[] = []
    const budget = await createJournalBudget({
      dir,
      maxBytes: 80_000,
      minFreeBytes: 0,
      steps,
      freeBytes: () => Promise.resolve(1_000_000),
      deletable: () => ['new', 'old', 'middle', 'live', 'nothing', '../..', outside].map((name) => join(dir, name)),
      onPressure: (pressure) => told.push(pressure),
    })
    await until(() => told.some(({ type, step }) => type === 'ended' && step === 'delete-takes'))
    const deleted = told.filter(({ type }) => type === 'take-deleted').map(({ take }) => take)
    expect(deleted).toEqual([join(dir, 'old'), join(dir, 'middle')])
    expect(readdirSync(dir).sort()).toEqual(['live', 'new', 'not-done'])
    expect(existsSync(outside)).toBe(true)
    expect(await budget.admit()).toMatchObject({ ok: true })
    await live.abort()
  })

  it('are not deleted where nobody names them; what a crash left of a removal is swept', async () => {
    const dir = temporaryFolder()
    await kept(dir, 'old', startedAt, 90_000)
    mkdirSync(join(dir, '.gone.removed'))
    const b = await bench({ dir, maxBytes: 100_000 })
    expect(b.budget.steps).toContain('delete-takes')
    expect(readdirSync(dir)).toEqual(['old'])
  })

  it('are reported when they cannot be deleted', async () => {
    const dir = temporaryFolder()
    await kept(dir, 'old', startedAt, 90_000)
    const b = await bench({
      dir,
      maxBytes: 100_000,
      deletable: () => {
        throw new Error('the host is at a loss')
      },
    })
    await until(() => b.told.some(({ type }) => type === 'delete-failed'))
    expect(b.told.at(-1)?.error?.message).toBe('the host is at a loss')
  })
})

describe('options of a budget', () => {
  it.each([
    ['maxBytes', { maxBytes: 0 }],
    ['minFreeBytes', { minFreeBytes: -1 }],
    ['pollMs', { pollMs: 0 }],
    ['steps[0].step', { steps: [{ step: 'panic' as 'stop-media', belowBytes: 1 }] }],
    [
      'steps[1].belowBytes',
      { steps: [{ step: 'stop-video', belowBytes: 1 } as const, { step: 'stop-media', belowBytes: 2 } as const] },
    ],
    [
      'steps[1].step',
      { steps: [{ step: 'stop-video', belowBytes: 1 } as const, { step: 'stop-video', belowBytes: 1 } as const] },
    ],
  ])('%s is checked', async (field, options) => {
    await expect(createJournalBudget({ dir: temporaryFolder(), ...options })).rejects.toMatchObject({ field })
  })

  it('name a folder that can be one', async () => {
    const dir = temporaryFolder()
    symlinkSync(join(dir, 'loop'), join(dir, 'loop'))
    await expect(createJournalBudget({ dir: join(dir, 'loop') })).rejects.toMatchObject({ code: 'TAKE_READ_FAILED' })
  })
})
