import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { render } from '@rushes/render'
import { createMemoryStore } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { checkHls } from '@rushes/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { filesBelow, fixtureFolder, mountMemory, mountRefusal, temporaryFolder, unmount } from './fault-sites.js'

/** Mounting needs root, and a container may refuse it even then. CI has to run these: there they fail instead. */
const refusal = process.platform === 'linux' ? mountRefusal() : 'tmpfs is Linux'
const withoutMount = refusal !== undefined && !process.env['CI']
const why = refusal === undefined ? '' : ` (skipped outside CI: ${refusal})`

function mounted(options: string): string {
  const dir = join(temporaryFolder(), 'disk')
  const failure = mountMemory(dir, options)
  if (failure !== undefined) throw new Error(`cannot mount: ${failure}`)
  onTestFinished(() => unmount(dir))
  return dir
}

const solo = () => openTake(fixtureFolder('solo'))
/** Solo's outputs have 700 kB each. */
const plan = { recordingId: 'r', hls: { segmentDuration: 1 } }

describe.skipIf(withoutMount)(`a full disk${why}`, () => {
  it('of the store: nothing half-written stands under a final name', async () => {
    const root = mounted('size=300k')
    const scratchDir = temporaryFolder()
    await expect(render(await solo(), plan, { store: createLocalStore({ root }), scratchDir })).rejects.toMatchObject({
      code: 'STORE_NO_SPACE',
    })
    expect(filesBelow(root), 'the segments of a playlist that never came are gone').toEqual([])
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it('of the store and the scratch file together', async () => {
    const root = mounted('size=1m')
    const failure = await render(await solo(), plan, {
      store: createLocalStore({ root }),
      scratchDir: root,
    }).catch((error: unknown) => error)
    expect((failure as { code?: string }).code).toMatch(/^(STORE|MP4)_NO_SPACE$/)
    expect(filesBelow(root)).toEqual([])
    const { bavail, blocks } = statfsSync(root)
    expect(blocks - bavail, 'the space is free again').toBeLessThanOrEqual(2)
  })

  it('of the scratch file alone', async () => {
    const scratchDir = mounted('size=300k')
    const store = createMemoryStore()
    await expect(render(await solo(), { ...plan, formats: ['mp4'] }, { store, scratchDir })).rejects.toMatchObject({
      code: 'MP4_NO_SPACE',
    })
    expect(store.objects.size).toBe(0)
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it('that has room for the fragments, but not for the copy that puts the movie box first', async () => {
    const scratchDir = mounted('size=1m')
    const store = createMemoryStore()
    await expect(render(await solo(), { ...plan, formats: ['mp4'] }, { store, scratchDir })).rejects.toMatchObject({
      code: 'MP4_NO_SPACE',
    })
    expect(store.objects.size).toBe(0)
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it('that fills up after HLS is whole: it stays, and the MP4 does not come', async () => {
    const root = mounted('size=1200k')
    const scratchDir = temporaryFolder()
    await expect(render(await solo(), plan, { store: createLocalStore({ root }), scratchDir })).rejects.toMatchObject({
      code: 'STORE_NO_SPACE',
    })
    expect(filesBelow(root).filter((name) => name.endsWith('.mp4') || name.endsWith('manifest.json'))).toEqual([])
    const read = (uri: string): Uint8Array => readFileSync(join(root, 'r/alice', uri))
    expect(await checkHls({ entry: 'index.m3u8', read })).toEqual([])
    expect(readdirSync(scratchDir)).toEqual([])
  })
})

describe('a target that cannot be written', () => {
  it.skipIf(withoutMount)(`because it is mounted read-only${why}`, async () => {
    const root = mounted('size=1m')
    writeFileSync(join(root, 'here'), 'before')
    expect(spawnSync('mount', ['-o', 'remount,ro', root]).status).toBe(0)
    const scratchDir = temporaryFolder()
    const store = createLocalStore({ root })
    await expect(render(await solo(), plan, { store, scratchDir })).rejects.toMatchObject({
      code: 'STORE_ACCESS_DENIED',
      message: expect.stringContaining('read-only'),
    })
    expect(filesBelow(root)).toEqual(['here'])
    expect(readdirSync(scratchDir)).toEqual([])
    await expect(render(await solo(), plan, { store: createMemoryStore(), scratchDir: root })).rejects.toMatchObject({
      code: 'BAD_CONFIGURATION',
      field: 'scratchDir',
    })
  })

  const root = process.getuid?.() === 0
  it.skipIf(root)('because its mode says so (root ignores modes)', async () => {
    const dir = join(temporaryFolder(), 'locked')
    mkdirSync(dir, { mode: 0o555 })
    const scratchDir = temporaryFolder()
    await expect(
      render(await solo(), plan, { store: createLocalStore({ root: dir }), scratchDir }),
    ).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
    expect(filesBelow(dir)).toEqual([])
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it('because it is a file', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, 'before')
    const failure = render(await solo(), plan, { store: createLocalStore({ root: file }) })
    await expect(failure).rejects.toMatchObject({ name: 'StoreError' })
    expect(readFileSync(file, 'utf8')).toBe('before')
  })
})
