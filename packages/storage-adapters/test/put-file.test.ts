import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createMemoryStore, putFile, type Store, StoreError } from '../src/index.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rushes-put-file-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A store that never looks at what it is given. */
const refusing: Store = {
  ...createMemoryStore(),
  locationOf: (key: string) => key,
  put: () => Promise.reject(new StoreError('STORE_ACCESS_DENIED', 'no')),
}

it('puts a file into a store that takes streams only, and removes it where it is to be moved', async () => {
  const path = join(dir, 'file')
  writeFileSync(path, 'whole')
  const store = createMemoryStore()
  expect(await putFile(store, 'key', path, { move: true })).toMatchObject({ bytes: 5 })
  expect(Buffer.from(store.objects.get('key')?.data as Uint8Array).toString()).toBe('whole')
  expect(readdirSync(dir)).toEqual([])
})

it('survives a store that refuses without having looked, also when the file goes at once', async () => {
  for (let round = 0; round < 50; round++) {
    const path = join(dir, `file-${round}`)
    writeFileSync(path, 'whole')
    const put = putFile(refusing, 'key', path)
    // The order of a render that is given up: a file that is opened later would not be there any more.
    rmSync(path)
    await expect(put).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
  }
  // What nobody listens for would end the process, and this test, by now.
  for (let turn = 0; turn < 10; turn++) await setImmediate()
})

it.runIf(process.platform === 'linux')('leaves no file open behind a store that refuses', async () => {
  const path = join(dir, 'file')
  writeFileSync(path, 'whole')
  for (let round = 0; round < 20; round++) await putFile(refusing, 'key', path).catch(() => {})
  const open = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  })
  expect(open).toEqual([])
})

it('says so where there is no file', async () => {
  await expect(putFile(createMemoryStore(), 'key', join(dir, 'none'))).rejects.toThrow(/ENOENT/)
})
