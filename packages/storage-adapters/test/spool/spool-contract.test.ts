import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { storeContract } from '../../src/contract/index.js'
import { createMemoryStore, type Store } from '../../src/index.js'
import { createLocalStore } from '../../src/local/index.js'
import { createSpool } from '../../src/spool/index.js'

const maxBodyBytes = Number(process.env['RUSHES_CONTRACT_BYTES'] ?? 8 * 1024 * 1024)

const roots: string[] = []
afterEach(() => Promise.all(roots.splice(0).map((root) => rm(root, { recursive: true, force: true }))))

const stores: readonly [string, (root: string) => Store, boolean][] = [
  ['memory', () => createMemoryStore(), false],
  ['local', (root) => createLocalStore({ root: join(root, 'store') }), false],
  ['local, with fsync', (root) => createLocalStore({ root: join(root, 'store') }), true],
]

for (const [name, createStore, fsync] of stores) {
  storeContract({
    name: `a spool before ${name}`,
    describe,
    it,
    maxBodyBytes,
    create: async () => {
      const root = await mkdtemp(join(tmpdir(), 'rushes-spool-'))
      roots.push(root)
      const dir = join(root, 'spool')
      const spool = await createSpool({ store: createStore(root), dir, fsync })
      return {
        store: spool,
        dispose: async () => {
          await spool.drain()
          expect(spool.stats).toMatchObject({ waiting: 0, givenUp: 0, failures: {} })
          await spool.close()
          expect(spool.stats.diskBytes).toBe(0)
          expect(await readdir(join(dir, 'objects'))).toEqual([])
        },
      }
    },
  })

  // What is read is what arrived in the store, and not the local copy.
  storeContract({
    name: `${name} behind a spool`,
    describe,
    it,
    maxBodyBytes,
    create: async () => {
      const root = await mkdtemp(join(tmpdir(), 'rushes-spool-'))
      roots.push(root)
      const store = createStore(root)
      const spool = await createSpool({ store, dir: join(root, 'spool'), fsync, free: 'never' })
      const chunks = async (key: string): Promise<Uint8Array | undefined> => {
        await spool.settled()
        try {
          const found: Uint8Array[] = []
          for await (const chunk of (await store.get?.(key)) ?? []) found.push(chunk as Uint8Array)
          return Buffer.concat(found)
        } catch (error) {
          if ((error as { code?: string }).code === 'STORE_NOT_FOUND') return undefined
          throw error
        }
      }
      return { store: spool, read: chunks, dispose: () => spool.close() }
    },
  })
}
