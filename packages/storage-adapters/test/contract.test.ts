import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { storeContract } from '../src/contract/index.js'
import { createMemoryStore } from '../src/index.js'
import { createLocalStore } from '../src/local/index.js'

const maxBodyBytes = Number(process.env['RUSHES_CONTRACT_BYTES'] ?? 32 * 1024 * 1024)

storeContract({ name: 'memory', describe, it, create: async () => ({ store: createMemoryStore() }), maxBodyBytes })

for (const fsync of [false, true]) {
  const roots: string[] = []
  storeContract({
    name: fsync ? 'local with fsync' : 'local',
    describe,
    it,
    maxBodyBytes,
    create: async () => {
      const root = await mkdtemp(join(tmpdir(), 'rushes-store-'))
      roots.push(root)
      // The folder need not be there.
      const store = createLocalStore({ root: join(root, 'deep', 'recordings'), fsync })
      return {
        store,
        dispose: async () => {
          const names = await readdir(root, { recursive: true })
          expect(names.filter((name) => name.includes('.rushes-'))).toEqual([])
          await rm(root, { recursive: true })
        },
      }
    },
  })
  afterEach(() => Promise.all(roots.map((root) => rm(root, { recursive: true, force: true }))))
}
