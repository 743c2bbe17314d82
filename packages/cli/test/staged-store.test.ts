import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { StagedStore } from '../src/staged-store.js'

let dir: string
let stageDir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-staged-'))
  stageDir = join(dir, '.stage')
})

afterEach(() => rm(dir, { recursive: true, force: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

it('shows nothing before all is whole, and then everything where it was said to be', async () => {
  const store = new StagedStore(createLocalStore({ root: dir }), stageDir)
  const file = join(dir, 'scratch')
  await writeFile(file, 'film')
  const stored = [
    await store.put('a b/segment.ts', bytes('one')),
    await store.putFile('a b/film.mp4', file),
    await store.put('a b/index.m3u8', bytes('list')),
  ]
  expect(existsSync(join(dir, 'a b'))).toBe(false)
  await store.commit()
  const contents = await Promise.all(stored.map(({ location }) => readFile(fileURLToPath(location), 'utf8')))
  expect(contents).toEqual(['one', 'film', 'list'])
  expect((await readdir(join(dir, 'a b'))).sort()).toEqual(['film.mp4', 'index.m3u8', 'segment.ts'])
})

it('moves nothing that was deleted, and what was put again as it was put last', async () => {
  const store = new StagedStore(createLocalStore({ root: dir }), stageDir)
  await store.put('list', bytes('early'))
  await store.put('gone', bytes('x'))
  await store.put('segment', bytes('s'))
  await store.put('list', bytes('late'))
  await store.delete('gone')
  await store.commit()
  expect(await readFile(join(dir, 'list'), 'utf8')).toBe('late')
  expect(existsSync(join(dir, 'gone'))).toBe(false)
})

it('takes its place over an earlier recording only at the end', async () => {
  await writeFile(join(dir, 'index.m3u8'), 'earlier')
  const store = new StagedStore(createLocalStore({ root: dir }), stageDir)
  await store.put('index.m3u8', bytes('new'))
  expect(await readFile(join(dir, 'index.m3u8'), 'utf8')).toBe('earlier')
  await store.commit()
  expect(await readFile(join(dir, 'index.m3u8'), 'utf8')).toBe('new')
})

it('confines keys as the store beneath does', async () => {
  const store = new StagedStore(createLocalStore({ root: dir }), stageDir)
  await expect(store.put('../out', bytes('x'))).rejects.toMatchObject({ code: 'STORE_KEY_OUTSIDE_BASE' })
})
