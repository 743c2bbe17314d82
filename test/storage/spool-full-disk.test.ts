import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createMemoryStore, type MemoryStore, type Store, StoreError } from '@rushes/storage-adapters'
import { createSpool, readSpool, type Spool } from '@rushes/storage-adapters/spool'
import { describe, expect, it, onTestFinished } from 'vitest'
import { mountMemory, mountRefusal, temporaryFolder, unmount } from '../faults/fault-sites.js'

const refusal = process.platform === 'linux' ? mountRefusal() : 'tmpfs is Linux'
const withoutMount = refusal !== undefined && !process.env['CI']

describe.skipIf(withoutMount)(`a spool on a full disk${refusal === undefined ? '' : ` (skipped: ${refusal})`}`, () => {
  it('refuses, loses nothing, and gets free again when the store is back, though not a byte is left', async () => {
    const disk = join(temporaryFolder(), 'disk')
    const failure = mountMemory(disk, 'size=1m')
    if (failure !== undefined) throw new Error(`cannot mount: ${failure}`)
    const memory = createMemoryStore()
    let down = true
    const store: Store = {
      name: 'now and then',
      capabilities: memory.capabilities,
      put: async (key, body, options) => {
        if (down) throw new StoreError('STORE_UNAVAILABLE', 'down', { key })
        return memory.put(key, body, options)
      },
      locationOf: (key) => memory.locationOf(key),
      urlFor: (key) => memory.urlFor(key),
      probe: (options) => memory.probe(options),
    }
    const dir = join(disk, 'spool')
    const spool = await createSpool({ store, dir, backOff: { firstMs: 10, maxMs: 50 } })
    onTestFinished(() => unmount(disk))
    try {
      expect(spool.stats.waiting).toBe(0)
      await fill(spool, dir, disk, memory, () => {
        down = false
      })
    } finally {
      // Whoever still had a file open would keep the disk from being unmounted.
      await spool.close()
    }
  })
})

async function fill(spool: Spool, dir: string, disk: string, memory: MemoryStore, comeBack: () => void): Promise<void> {
  const taken: string[] = []
  const putUntilRefused = async (): Promise<never> => {
    for (;;) {
      const key = `room/${taken.length}.ts`
      await spool.put(key, Buffer.alloc(50_000, String(taken.length)))
      taken.push(key)
    }
  }
  await expect(putUntilRefused()).rejects.toMatchObject({ code: 'STORE_NO_SPACE', retryable: true })
  expect(taken.length).toBeGreaterThan(10)
  expect(spool.stats).toMatchObject({ refused: 1, waiting: taken.length, diskBytes: taken.length * 50_000 })
  // Somebody else takes the rest.
  const filler = join(disk, 'filler')
  expect(() => {
    for (;;) appendFileSync(filler, Buffer.alloc(4096))
  }).toThrow('ENOSPC')
  expect((await readSpool(dir)).waiting).toBe(taken.length)
  comeBack()
  await spool.drain()
  expect([...memory.objects.keys()].sort()).toEqual(taken.sort())
  expect(spool.stats).toMatchObject({ waiting: 0, diskBytes: 0 })
  await spool.put('room/after.ts', Buffer.alloc(50_000))
  await spool.drain()
  rmSync(filler)
}
