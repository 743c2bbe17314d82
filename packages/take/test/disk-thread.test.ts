import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createDiskThread, createTakeWriter, type DiskThread, openTake } from '../src/index.js'

function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-disk-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

let disk: DiskThread
afterEach(() => disk.close())

describe('a disk thread', () => {
  it('writes many files at a time, each in its order', async () => {
    disk = createDiskThread()
    const dir = temporaryFolder()
    const files = await Promise.all(Array.from({ length: 40 }, (_, n) => disk.open(join(dir, String(n)), 'wx')))
    const line = (n: number, round: number): Uint8Array => Buffer.from(`file ${n} round ${round}\n`)
    const positions = files.map(() => 0)
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(
        files.map((file, n) => {
          const bytes = Buffer.concat([Buffer.from('before'), line(n, round)])
          return file.write(bytes, 6, bytes.byteLength - 6, positions[n] as number)
        }),
      )
      for (const [n, { bytesWritten }] of results.entries()) {
        expect(bytesWritten).toBe(line(n, round).byteLength)
        positions[n] = (positions[n] as number) + bytesWritten
      }
    }
    await Promise.all(files.map((file) => file.close()))
    for (let n = 0; n < 40; n++) {
      const expected = Array.from({ length: 5 }, (_, round) => Buffer.from(line(n, round)).toString()).join('')
      expect(readFileSync(join(dir, String(n)), 'utf8')).toBe(expected)
    }
  })

  it('says why a write failed, and goes on with the others', async () => {
    disk = createDiskThread()
    const dir = temporaryFolder()
    const good = await disk.open(join(dir, 'good'), 'wx')
    const readOnly = await disk.open(join(dir, 'good'), 'r')
    const bytes = Buffer.from('abc')
    const [refused, written] = await Promise.allSettled([readOnly.write(bytes, 0, 3, 0), good.write(bytes, 0, 3, 0)])
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'EBADF' } })
    expect(written).toMatchObject({ status: 'fulfilled', value: { bytesWritten: 3 } })
    await Promise.all([good.close(), readOnly.close()])
  })

  it('can be closed twice, before anything was written and after', async () => {
    disk = createDiskThread()
    await disk.close()
    const file = await disk.open(join(temporaryFolder(), 'a'), 'wx')
    const writing = file.write(Buffer.from('abc'), 0, 3, 0)
    await Promise.all([writing, disk.close()])
    expect(await writing).toEqual({ bytesWritten: 3 })
    await file.close()
  })

  it('carries takes', async () => {
    disk = createDiskThread()
    const dir = join(temporaryFolder(), 'take')
    const take = await openTake(fileURLToPath(new URL('../../../test/fixtures/solo/', import.meta.url)))
    const { startedAt } = take.session
    const writer = await createTakeWriter(dir, { startedAt }, { fileSystem: disk, maxDelayMs: 5 })
    for (const { id, tracks } of take.session.participants) for (const track of tracks) writer.addTrack(id, track)
    let packets = 0
    for await (const batch of take.items()) {
      for (const item of batch) {
        if (item.type !== 'packet') continue
        writer.write(item.trackId, item.data, item.arrivalUs)
        packets++
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await writer.finish()
    let found = 0
    for await (const batch of (await openTake(dir)).items())
      found += batch.filter(({ type }) => type === 'packet').length
    expect(found).toBe(packets)
  })

  it('keeps a process alive while it has something to write, and no longer', () => {
    disk = createDiskThread()
    const path = join(temporaryFolder(), 'file')
    const source = fileURLToPath(new URL('../src/index.ts', import.meta.url))
    const program = `
      import { createDiskThread } from ${JSON.stringify(source)}
      const file = await createDiskThread().open(${JSON.stringify(path)}, 'wx')
      void file.write(Buffer.from('all of it'), 0, 9, 0)`
    const args = ['--import', 'tsx', '--conditions=@rushes/source', '--input-type=module', '--eval', program]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
    expect(status, stderr).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe('all of it')
  })
})
