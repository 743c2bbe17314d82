import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkStoreKey, createMemoryStore, encodeStoreKey, getWhole, joinStoreKey, StoreError } from '../src/index.js'
import { createLocalStore } from '../src/local/index.js'

const componentArbitrary = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '.', '..', '...', 'a', '~', 'C:', '%2e%2e', '\\', 'x'.repeat(255), 'я'.repeat(128)),
)
const keyArbitrary = fc.array(componentArbitrary, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))

function isAccepted(key: string): boolean {
  try {
    checkStoreKey(key)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError)
    return false
  }
}

describe('keys', () => {
  it('that are accepted stay inside and can be told from all others', () => {
    fc.assert(
      fc.property(keyArbitrary, (key) => {
        if (!isAccepted(key)) return
        const path = resolve('/root', key)
        expect(path.startsWith(`${resolve('/root')}${sep}`)).toBe(true)
        expect(path.slice('/root/'.length)).toBe(key)
        expect(decodeURIComponent(encodeStoreKey(key))).toBe(key)
        expect(new URL(`http://host/${encodeStoreKey(key)}`).pathname).toBe(`/${encodeStoreKey(key)}`)
      }),
    )
  })

  it('are taken alike by all stores', async () => {
    const root = mkdtempSync(join(tmpdir(), 'rushes-keys-'))
    onTestFinished(() => rmSync(root, { recursive: true, force: true }))
    let run = 0
    await fc.assert(
      fc.asyncProperty(keyArbitrary, async (key) => {
        run += 1
        const accepted = isAccepted(key)
        const body = new TextEncoder().encode(key)
        for (const store of [createMemoryStore(), createLocalStore({ root: join(root, String(run)) })]) {
          if (accepted) {
            await store.put(key, body)
            expect(await getWhole(store, key)).toEqual(body)
            const keys: string[] = []
            for await (const entry of store.list?.() ?? []) keys.push(entry.key)
            expect(keys).toEqual([key])
          } else await expect(store.put(key, body)).rejects.toBeInstanceOf(StoreError)
        }
      }),
    )
  })

  it('are joined with one slash', () => {
    expect(joinStoreKey(undefined, 'a')).toBe('a')
    expect(joinStoreKey('', 'a')).toBe('a')
    expect(joinStoreKey('p', 'a')).toBe('p/a')
    expect(joinStoreKey('p/q//', 'a')).toBe('p/q/a')
  })
})
