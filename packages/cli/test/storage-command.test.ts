import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createMemoryStore, type Store, StoreError } from '@rushes/storage-adapters'
import { createSpool } from '@rushes/storage-adapters/spool'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture, rushes } from './run.js'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-storage-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const url = (name: string): string => pathToFileURL(join(dir, name)).href

describe('rushes storage probe', () => {
  it('says that a store takes objects, and leaves nothing there', async () => {
    const { exitCode, stdout } = await rushes(dir, 'storage', 'probe', url('good'), '--name', 'a test/x.json')
    expect(stdout).toMatch(/^✓ a test\/x\.json could be written to local /)
    expect(exitCode).toBe(0)
    expect(await readdir(join(dir, 'good', 'a test'))).toEqual([])
  })

  it('says what is wrong, for people and for programs', async () => {
    await writeFile(join(dir, 'file'), '')
    const { exitCode, stdout } = await rushes(dir, 'storage', 'probe', url('file/below'))
    expect(stdout).toMatch(/^✗ STORE_\w+: .*\n {2}setting {2}root\n {2}to do {4}Check that /)
    expect(exitCode).toBe(1)
    const json = await rushes(dir, 'storage', 'probe', url('file/below'), '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, field: 'root' })
    expect(json.exitCode).toBe(1)
  })

  it('refuses a secret in the URL, without repeating it', async () => {
    const outcome = await rushes(dir, 'storage', 'probe', 's3://bucket/base?secretAccessKey=hunter2')
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('secretAccessKey')
    expect(outcome.stderr).not.toContain('hunter2')
  })
})

describe('rushes storage policy', () => {
  it('prints what a role needs, and who may assume it', async () => {
    const place = 's3://calls/recordings?externalId=tenant-1&roleArn=arn:aws:iam::123456789012:role/recorder'
    const { stdout, exitCode } = await rushes(
      dir,
      'storage',
      'policy',
      place,
      '--principal',
      '210987654321',
      '--no-abort',
    )
    expect(exitCode).toBe(0)
    const { permissions, trust } = JSON.parse(stdout)
    expect(permissions.Statement).toMatchObject([
      { Action: ['s3:PutObject'], Resource: 'arn:aws:s3:::calls/recordings/*' },
      { Action: 's3:GetBucketLocation', Resource: 'arn:aws:s3:::calls' },
    ])
    expect(trust.Statement[0].Condition).toEqual({ StringEquals: { 'sts:ExternalId': 'tenant-1' } })
  })

  it('knows none for other stores', async () => {
    expect(await rushes(dir, 'storage', 'policy', url('x'))).toMatchObject({ exitCode: 2, stdout: '' })
  })
})

describe('rushes spool', () => {
  it('shows what waits and what was given up, while a process has it open and afterwards', async () => {
    const memory = createMemoryStore()
    const store: Store = {
      name: 'refusing',
      capabilities: memory.capabilities,
      put: async (key) => {
        if (key.endsWith('.bad')) throw new StoreError('STORE_TOO_LARGE', 'too large', { key })
        throw new StoreError('STORE_UNAVAILABLE', 'down', { key })
      },
      locationOf: (key) => memory.locationOf(key),
      urlFor: (key) => memory.urlFor(key),
      probe: (options) => memory.probe(options),
    }
    const spool = await createSpool({ store, dir: join(dir, 'journal', '.spool') })
    await spool.put('room/0.ts', new Uint8Array(2_000_000))
    expect((await rushes(dir, 'spool', 'journal')).exitCode).toBe(0)
    await spool.put('room/1.bad', new Uint8Array(10))
    await new Promise<void>((resolve) => void spool.on(({ type }) => type === 'failed' && resolve()))
    const open = await rushes(dir, 'spool', 'journal')
    expect(open.stdout).toContain(`process ${process.pid} `)
    await spool.close()
    const closed = await rushes(dir, 'spool', join('journal', '.spool'))
    expect(closed.stdout).toContain('no process has it open')
    for (const { stdout, exitCode } of [open, closed]) {
      expect(exitCode).toBe(1)
      expect(stdout).toMatch(/room\/0\.ts +2\.0 MB/)
      expect(stdout).toMatch(/room\/1\.bad .*given up: STORE_TOO_LARGE/)
      expect(stdout).toContain('2 objects waiting')
    }
    const { stdout } = await rushes(dir, 'spool', 'journal', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ waiting: 2, waitingBytes: 2_000_010 })
  })

  it('is none', async () => {
    expect(await rushes(dir, 'spool', 'nowhere')).toMatchObject({ exitCode: 2 })
  })
})

describe('--out with a store', () => {
  it('render brings everything there at the end', async () => {
    const { exitCode, stdout } = await rushes(
      dir,
      'render',
      fixture('solo'),
      '--out',
      url('rendered'),
      '--format',
      'mp4',
    )
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`${url('rendered')}/solo/alice.mp4`)
    expect((await readdir(join(dir, 'rendered', 'solo'))).sort()).toEqual(['alice.mp4', 'manifest.json'])
  })

  it('record needs a journal of its own', async () => {
    const outcome = await rushes(dir, 'record', '--out', 's3://bucket', '--udp', 'audio/opus:0')
    expect(outcome).toMatchObject({ exitCode: 2 })
    expect(outcome.stderr).toContain('--journal')
  })
})
