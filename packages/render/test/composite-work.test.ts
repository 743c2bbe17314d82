import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { CompositeSegment } from '../src/composite-segment.js'
import { CompositeWork } from '../src/composite-work.js'
import { filesBelow, temporaryFolder } from './fixtures.js'

const tracks = [{ id: 'composite-video', kind: 'video', codec: 'h264', clockRate: 90_000 }] as const
const identity = { fingerprint: 'one', session: undefined }
const segment = (number: number, participants: readonly string[] = []): CompositeSegment => ({
  ...{ frame: number * 15, nextFrame: number * 15 + 15, items: [], stills: [], loadChanges: [] },
  participants,
})

let dir: string
beforeEach(() => {
  dir = join(temporaryFolder(), 'work', 'one')
})

const inDir = (name: string): string => join(dir, name)
const everything = (): boolean => true

async function framesOf(work: CompositeWork, accepts: (one: CompositeSegment) => boolean = everything) {
  const frames: number[] = []
  for await (const { frame } of work.segments(accepts)) frames.push(frame)
  return frames
}

/** Some segments, as a process leaves them that ends without a word. */
async function left(count: number, own: typeof identity = identity): Promise<void> {
  const work = await CompositeWork.open(dir, own)
  expect(await framesOf(work)).toEqual([])
  await work.begin(tracks)
  for (let number = 0; number < count; number++) await work.write(segment(number))
  await work.close()
}

describe('what a composite keeps', () => {
  it('is found again, in order, and gone on with', async () => {
    await left(2)
    const work = await CompositeWork.open(dir, identity)
    expect(work.tracks).toEqual(tracks)
    expect(await framesOf(work)).toEqual([0, 15])
    await work.write(segment(2))
    await work.close()
    expect(filesBelow(dir)).toEqual(['composite.json', 'segment-000001', 'segment-000002', 'segment-000003'])
    expect(await framesOf(await CompositeWork.open(dir, identity))).toEqual([0, 15, 30])
  })

  it('ends at a file that is damaged, half-written, missing or of another place; the rest goes', async () => {
    const damages: readonly (() => void)[] = [
      () => truncateSync(inDir('segment-000003'), 60),
      () => writeFileSync(inDir('segment-000003'), ''),
      () => writeFileSync(inDir('segment-000003'), readFileSync(inDir('segment-000002'))),
      () => rmSync(inDir('segment-000003')),
    ]
    for (const damage of damages) {
      await left(4)
      damage()
      writeFileSync(inDir('segment-000005.new'), 'half')
      const work = await CompositeWork.open(dir, identity)
      expect(await framesOf(work)).toEqual([0, 15])
      expect(filesBelow(dir).filter((name) => !name.startsWith('take.lock'))).toEqual([
        'composite.json',
        'segment-000001',
        'segment-000002',
      ])
      await work.write(segment(2))
      await work.remove()
    }
  })

  it('is nothing where its first file is damaged', async () => {
    await left(2)
    truncateSync(inDir('segment-000001'), 10)
    const work = await CompositeWork.open(dir, identity)
    expect(await framesOf(work)).toEqual([])
    await work.begin(tracks)
    await work.write(segment(7))
    await work.close()
    expect(await framesOf(await CompositeWork.open(dir, identity))).toEqual([105])
  })

  it('of other settings, or of a take that was changed since, is removed', async () => {
    const finished = { ...identity, session: 'a' }
    for (const [before, after, isKept] of [
      [identity, { ...identity, fingerprint: 'two' }, false],
      [finished, { ...finished, session: 'b' }, false],
      [finished, identity, false],
      [finished, finished, true],
      // Live, and then of its take.
      [identity, finished, true],
    ] as const) {
      await left(2, before as typeof identity)
      const work = await CompositeWork.open(dir, after)
      expect(work.tracks !== undefined).toBe(isKept)
      expect(await framesOf(work)).toHaveLength(isKept ? 2 : 0)
      await work.remove()
    }
  })

  it('ends where somebody appears who is not to be shown', async () => {
    const work = await CompositeWork.open(dir, identity)
    expect(await framesOf(work)).toEqual([])
    await work.begin(tracks)
    await work.write(segment(0, ['ann']))
    await work.write(segment(1, ['ann', 'bob']))
    await work.close()
    const next = await CompositeWork.open(dir, identity)
    expect(await framesOf(next, ({ participants }) => !participants.includes('bob'))).toEqual([0])
    expect(filesBelow(dir)).not.toContain('segment-000002')
  })

  it('belongs to one at a time', async () => {
    const work = await CompositeWork.open(dir, identity)
    await expect(CompositeWork.open(dir, identity)).rejects.toMatchObject({ code: 'TAKE_LOCKED' })
    await work.close()
    await (await CompositeWork.open(dir, identity)).close()
  })

  it('leaves no folder behind where there is nothing, and none of others away', async () => {
    const parent = join(dir, '..')
    await (await CompositeWork.open(dir, identity)).close()
    expect(filesBelow(join(parent, '..'))).toEqual([])
    await left(1)
    mkdirSync(join(parent, 'other'))
    writeFileSync(join(parent, 'other', 'file'), '')
    await (await CompositeWork.open(dir, identity)).remove()
    expect(filesBelow(parent)).toEqual([join('other', 'file')])
  })

  it('has a place of its own for each composite of each recording', () => {
    const of = (...parts: (string | number | undefined)[]): string => CompositeWork.folderOf('w', parts)
    expect(of('r', 1, undefined)).toBe(of('r', 1, undefined))
    expect(new Set([of('r', 1, undefined), of('r', 1, 'a'), of('r', 2, 'a'), of('s', 1, 'a')]).size).toBe(4)
    expect(of('../..', 1, undefined)).toMatch(/^w[/\\][0-9a-f]{24}$/)
  })
})
