import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { getWhole, type Store } from '../src/index.js'
import { createLocalStore } from '../src/local/index.js'
import { checkLocalKey } from '../src/local/local-path.js'
import { fromSystemError } from '../src/local/system-error.js'

const bytes = new TextEncoder().encode('some bytes')

function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-local-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list?.() ?? []) keys.push(key)
  return keys
}

/** The superuser may write everywhere: steps down while `body` runs. */
async function asNobody(body: () => Promise<void>): Promise<void> {
  const user = process.geteuid?.()
  if (user === 0) process.seteuid?.(65_534)
  try {
    await body()
  } finally {
    if (user === 0) process.seteuid?.(0)
  }
}

describe('symbolic links', () => {
  it('that lead out of the store are not followed, and nothing is made behind them', async () => {
    const outside = temporaryFolder()
    writeFileSync(join(outside, 'secret'), 'secret')
    const root = temporaryFolder()
    symlinkSync(outside, join(root, 'out'))
    symlinkSync(join(outside, 'secret'), join(root, 'file'))
    symlinkSync(join(outside, 'nowhere'), join(root, 'dangling'))
    symlinkSync('..', join(root, 'up'))
    const store = createLocalStore({ root })
    const outsideBase = { code: 'STORE_KEY_OUTSIDE_BASE' }
    for (const key of ['out/new', 'out/a/b', 'dangling/x', 'up/x']) {
      await expect(store.put(key, bytes)).rejects.toMatchObject(outsideBase)
      await expect(store.delete(key)).rejects.toMatchObject(outsideBase)
    }
    for (const key of ['out/secret', 'file', 'dangling']) {
      await expect(store.get(key)).rejects.toMatchObject(outsideBase)
    }
    expect(readdirSync(outside)).toEqual(['secret'])
    expect(await keysOf(store)).toEqual([])
  })

  it('are replaced and removed themselves, not what they name', async () => {
    const outside = temporaryFolder()
    writeFileSync(join(outside, 'secret'), 'secret')
    const root = temporaryFolder()
    const store = createLocalStore({ root })
    for (const name of ['one', 'two']) symlinkSync(join(outside, 'secret'), join(root, name))
    await store.put('one', bytes)
    await store.delete('two')
    expect(lstatSync(join(root, 'one')).isFile()).toBe(true)
    expect(readdirSync(root)).toEqual(['one'])
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret')
  })

  it('that stay inside, and one that is the root, are followed', async () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'real'))
    symlinkSync('real', join(root, 'alias'))
    symlinkSync(root, join(temporaryFolder(), 'root'))
    const link = join(temporaryFolder(), 'root')
    symlinkSync(root, link)
    const store = createLocalStore({ root: link })
    await store.put('alias/object', bytes)
    expect(await getWhole(store, 'real/object')).toEqual(bytes)
  })
})

describe('an object that is being written', () => {
  it('is seen by nobody, and leaves nothing when it fails', async () => {
    const root = temporaryFolder()
    const store = createLocalStore({ root })
    let proceed: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      proceed = resolve
    })
    let begun: () => void = () => {}
    const started = new Promise<void>((resolve) => {
      begun = resolve
    })
    const putting = store.put(
      'room/video.mp4',
      (async function* () {
        yield bytes
        begun()
        await gate
        throw new Error('no more')
      })(),
    )
    putting.catch(() => {})
    await started
    const [temporary] = readdirSync(join(root, 'room'))
    expect(temporary).toMatch(/^\.rushes-[0-9a-f]{24}$/)
    expect(await keysOf(store)).toEqual([])
    await expect(store.get(`room/${temporary}`)).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
    await expect(store.put(`room/${temporary}`, bytes)).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
    proceed()
    await expect(putting).rejects.toMatchObject({ code: 'STORE_BODY_FAILED' })
    expect(readdirSync(join(root, 'room'))).toEqual([])
  })
})

describe('putFile', () => {
  it('moves without copying on one file system, and keeps the file when it fails', async () => {
    const root = temporaryFolder()
    const store = createLocalStore({ root })
    const path = join(root, '.rushes-spool')
    writeFileSync(path, bytes)
    const { ino } = lstatSync(path)
    mkdirSync(join(root, 'taken'))
    writeFileSync(join(root, 'taken', 'x'), '')
    await expect(store.putFile('taken', path, { move: true })).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
    expect(readFileSync(path)).toEqual(Buffer.from(bytes))
    await store.putFile('moved', path, { move: true })
    expect(existsSync(path)).toBe(false)
    expect(lstatSync(join(root, 'moved')).ino).toBe(ino)
    expect(readdirSync(root).sort()).toEqual(['moved', 'taken'])
  })

  it('stores what a symbolic link names, not the link', async () => {
    const root = temporaryFolder()
    const path = join(temporaryFolder(), 'link')
    const target = join(temporaryFolder(), 'target')
    writeFileSync(target, bytes)
    symlinkSync(target, path)
    const store = createLocalStore({ root })
    await store.putFile('object', path)
    expect(lstatSync(join(root, 'object')).isFile()).toBe(true)
    expect(await getWhole(store, 'object')).toEqual(bytes)
  })
})

describe('errors of the system', () => {
  const cases: readonly [string, string, boolean, string][] = [
    ['ENOSPC', 'STORE_NO_SPACE', true, 'free some space'],
    ['EDQUOT', 'STORE_NO_SPACE', true, 'free some space'],
    ['EACCES', 'STORE_ACCESS_DENIED', false, 'check the owner and the rights of /root'],
    ['EPERM', 'STORE_ACCESS_DENIED', false, 'check the owner'],
    ['EROFS', 'STORE_ACCESS_DENIED', false, 'mounted read-only'],
    ['ENOTDIR', 'STORE_BAD_KEY', false, 'a file and a folder'],
    ['ENAMETOOLONG', 'STORE_BAD_KEY', false, 'too long'],
    ['EIO', 'STORE_UNAVAILABLE', true, 'EIO'],
    ['EMFILE', 'STORE_UNAVAILABLE', true, 'EMFILE'],
  ]
  for (const [code, expected, retryable, text] of cases) {
    it(`${code} is ${expected}`, () => {
      const error = fromSystemError(Object.assign(new Error(code), { code }), 'key', '/root')
      expect(error).toMatchObject({ code: expected, retryable, key: 'key' })
      expect(error.message).toContain(text)
    })
  }

  it.skipIf(process.seteuid === undefined)('are told by put and probe', async () => {
    const root = join(temporaryFolder(), 'root')
    mkdirSync(root, { mode: 0o555 })
    const store = createLocalStore({ root })
    await asNobody(async () => {
      await expect(store.put('key', bytes)).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
      expect(await store.probe({ name: 'test.json' })).toMatchObject({
        ok: false,
        cause: 'STORE_ACCESS_DENIED',
        field: 'root',
        hint: expect.stringContaining(root),
      })
    })
  })

  it('are told when a file stands where a folder should be', async () => {
    const root = temporaryFolder()
    const store = createLocalStore({ root })
    await store.put('a', bytes)
    await expect(store.put('a/b', bytes)).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
    await store.put('c/d', bytes)
    await expect(store.put('c', bytes)).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
    const nowhere = createLocalStore({ root: join(root, 'a', 'root') })
    expect(await nowhere.probe({ name: 'x' })).toMatchObject({ ok: false, field: 'root' })
  })
})

describe('keys on Windows', () => {
  for (const key of ['a:b', 'a\\b', 'CON', 'x/nul.txt', 'com1.mp4', 'trailing.', 'trailing /x', 'what?']) {
    it(`${key} is refused there and nowhere else`, () => {
      expect(() => checkLocalKey(key, 'win32')).toThrow(expect.objectContaining({ code: 'STORE_BAD_KEY' }))
      expect(() => checkLocalKey(key, 'linux')).not.toThrow()
    })
  }
})

describe('locations and URLs', () => {
  it('name the file', async () => {
    const root = join(temporaryFolder(), 'with space')
    const store = createLocalStore({ root })
    const { location } = await store.put('ü/a+b %.mp4', bytes)
    expect(readFileSync(fileURLToPath(location))).toEqual(Buffer.from(bytes))
    expect(await store.urlFor('ü/a+b %.mp4', { expiresIn: 5 })).toEqual({ url: location })
    const served = createLocalStore({ root, urlBase: 'https://example.org/r/' })
    expect(await served.urlFor('a b')).toEqual({ url: 'https://example.org/r/a%20b' })
  })

  it('options are checked', () => {
    expect(() => createLocalStore({ root: '' })).toThrow(expect.objectContaining({ field: 'root' }))
    const options = { root: 'x', urlBase: 'example.org' }
    expect(() => createLocalStore(options)).toThrow(expect.objectContaining({ field: 'urlBase' }))
  })
})
