import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFileSystem, type TakeFileSystem } from '../src/file-system.js'
import { createTakeWriter, openTake, type TakeError } from '../src/index.js'
import { troubledFileSystem, type WriteFault } from './faulty-file-system.js'
import { collect, plainRecords, rtp, startedAt, temporaryFolder, videoTrack } from './fixtures.js'
import { ManualClock } from './manual-clock.js'

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

async function until(condition: () => boolean, poke: () => void): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    expect(turn, 'it should have happened by now').toBeLessThan(20_000)
    poke()
    await turns(1)
  }
}

describe('a disk that stalls for five seconds', () => {
  it('loses nothing of ten participants, and holds no more than was allowed', async () => {
    const clock = new ManualClock()
    const dir = join(temporaryFolder(), 'take')
    let release = (): void => {}
    let stall: Promise<void> | undefined
    const fileSystem = troubledFileSystem(async (): Promise<WriteFault> => {
      await stall
      return 'none'
    })
    const writer = await createTakeWriter(dir, { startedAt }, { clock, fileSystem, sync: 'never' })
    for (let track = 0; track < 10; track += 1) writer.addTrack(`p${track}`, videoTrack(`t${track}`))
    await writer.flush()
    stall = new Promise((resolve) => {
      release = resolve
    })
    // 1.2 Mbit/s each: 125 packets of 1,200 bytes a second.
    let written = 0
    let peakBytes = 0
    for (let ms = 0; ms < 5000; ms += 8) {
      for (let track = 0; track < 10; track += 1) {
        expect(writer.write(`t${track}`, rtp(ms / 8, 1200), ms * 1000)).toBe(true)
        written += 1
      }
      clock.advance(8)
      if (ms % 400 === 0) await turns(1)
      peakBytes = Math.max(peakBytes, writer.stats.bufferedBytes)
    }
    expect(peakBytes).toBeGreaterThan(7_000_000)
    stall = undefined
    release()
    await writer.finish()
    expect(writer.stats.refused).toEqual([])
    expect(await collect((await openTake(dir, { strict: true })).records())).toHaveLength(written)
  })
})

describe('a disk that fails', () => {
  it('with no space is tried again until there is some, and told once', async () => {
    const clock = new ManualClock()
    const dir = join(temporaryFolder(), 'take')
    let fault: WriteFault = 'none'
    let writes = 0
    const errors: TakeError[] = []
    const fileSystem = troubledFileSystem(() => {
      writes += 1
      return fault
    })
    const onError = (error: TakeError): void => void errors.push(error)
    const writer = await createTakeWriter(dir, { startedAt }, { clock, fileSystem, onError })
    writer.addTrack('alice', videoTrack('camera'))
    for (const next of ['ENOSPC', 'half, then EIO', 'ENOSPC', 'short', 'ENOSPC', 'none'] as const) {
      fault = next
      const before = writes
      for (let index = 0; index < 10; index += 1) writer.write('camera', rtp(index, 500), index * 1000)
      const healthy = next === 'none' || next === 'short'
      await until(
        () => (healthy ? writer.stats.bufferedBytes === 0 : writes > before),
        () => clock.advance(1000),
      )
    }
    expect(errors.map(({ code }) => code)).toEqual(['TAKE_WRITE_FAILED', 'TAKE_WRITE_FAILED'])
    expect(errors[0]?.message).toContain('the disk is full')
    await writer.finish()
    expect(plainRecords(join(dir, 'camera.rtpdump'))).toHaveLength(60)
  })

  it('by taking nothing and giving no reason is not asked for ever', async () => {
    const dir = join(temporaryFolder(), 'take')
    let deaf = false
    const writer = await createTakeWriter(
      dir,
      { startedAt },
      {
        fileSystem: {
          ...nodeFileSystem,
          open: async (path, flags) => {
            const file = await nodeFileSystem.open(path, flags)
            const write: typeof file.write = (...given) =>
              deaf ? Promise.resolve({ bytesWritten: 0 }) : file.write(...given)
            return {
              read: (...given) => file.read(...given),
              write,
              truncate: (length) => file.truncate(length),
              sync: () => file.sync(),
              datasync: () => file.datasync(),
              close: () => file.close(),
            }
          },
        },
      },
    )
    deaf = true
    writer.addTrack('alice', videoTrack('camera'))
    await expect(writer.flush()).rejects.toMatchObject({ code: 'TAKE_WRITE_FAILED' })
    deaf = false
    await writer.finish()
  })
})

describe('a take that is deleted under its writer', () => {
  it('ends it, with an error, at the next sign of life', async () => {
    const dir = join(temporaryFolder(), 'take')
    const errors: TakeError[] = []
    let beat = (): void => {}
    const real = globalThis.setInterval
    // The sign of life is due every five seconds: the test does not wait for it.
    globalThis.setInterval = ((callback: () => void, ms: number) => {
      if (ms === 5000) beat = callback
      return real(callback, ms)
    }) as typeof setInterval
    const writer = await createTakeWriter(dir, { startedAt }, { onError: (error) => errors.push(error) })
    globalThis.setInterval = real
    beat()
    await turns()
    expect(errors).toEqual([])
    rmSync(dir, { recursive: true })
    beat()
    while (errors.length === 0) await turns(1)
    expect(errors).toMatchObject([{ code: 'TAKE_LOCKED' }])
    expect(() => writer.event({ type: 'join', atMs: 0 })).toThrow(expect.objectContaining({ code: 'TAKE_CLOSED' }))
  })
})

describe('a writer that has to survive a power failure', () => {
  /** What was brought to the disk, in order. */
  async function syncsOf(sync: 'never' | 'finish' | 'flush'): Promise<string[]> {
    const dir = join(temporaryFolder(), 'journal', 'take')
    const log: string[] = []
    const nameOf = (path: string): string => path.slice(dir.length - 'journal/take'.length)
    const fileSystem: TakeFileSystem = {
      ...nodeFileSystem,
      open: async (path, flags) => {
        const file = await nodeFileSystem.open(path, flags)
        const note = (done: Promise<void>): Promise<void> => {
          log.push(nameOf(path))
          return done
        }
        return {
          read: (...given) => file.read(...given),
          write: (...given) => file.write(...given),
          truncate: (length) => file.truncate(length),
          sync: () => note(file.sync()),
          datasync: () => note(file.datasync()),
          close: () => file.close(),
        }
      },
      rename: (from, to) => {
        log.push(`rename ${nameOf(to)}`)
        return nodeFileSystem.rename(from, to)
      },
    }
    const writer = await createTakeWriter(dir, { startedAt }, { fileSystem, sync })
    log.push('created')
    writer.addTrack('alice', videoTrack('camera'))
    writer.write('camera', rtp(1), 0)
    await writer.flush()
    log.push('flushed')
    await writer.finish()
    return log
  }

  it('brings names to the disk as well as bytes, in an order in which no name stands for nothing', async () => {
    const session = ['journal/take/.session.json.tmp', 'rename journal/take/session.json', 'journal/take']
    expect(await syncsOf('finish')).toEqual([
      'journal',
      '',
      ...session,
      'created',
      'flushed',
      'journal/take/camera.rtpdump',
      ...session,
    ])
    const each = ['journal/take/events.ndjson', 'journal/take/camera.rtpdump', 'journal/take']
    const flushed = await syncsOf('flush')
    expect(flushed.slice(flushed.indexOf('created'), flushed.indexOf('flushed'))).toEqual(['created', ...each])
    expect((await syncsOf('never')).filter((entry) => entry.startsWith('journal'))).toEqual([])
  })
})
