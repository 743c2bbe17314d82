import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createTakeWriter, listTakes, openTake, recoverTake, type TakeWriter } from '../src/index.js'
import { killOwner } from './dead-owner.js'
import { DyingFileSystem, Killed } from './faulty-file-system.js'
import { collect, packetsOf, plainRecords, rtcp, rtp, startedAt, temporaryFolder, videoTrack } from './fixtures.js'

const now = (): number => Date.parse('2026-11-22T00:00:00Z')
const options = { now, sync: false }

/** A take whose process was killed: two tracks, events, nothing damaged yet. */
async function killedTake(dir: string): Promise<void> {
  const writer = await createTakeWriter(dir, { startedAt, roomId: 'room' }, { sync: 'never' })
  writer.event({ type: 'join', atMs: 1, participant: 'alice', name: 'Alice' })
  writer.addTrack('alice', videoTrack('camera', 2))
  writer.addTrack('alice', videoTrack('screen', 3))
  for (let index = 0; index < 20; index += 1) writer.write('camera', rtp(index), index * 20_000)
  writer.write('screen', rtcp, 999_000)
  await writer.flush()
  // What a kill leaves: everything that was flushed, and the lock of a process that is gone.
  const copy = `${dir}.killed`
  cpSync(dir, copy, { recursive: true })
  await writer.abort()
  rmSync(dir, { recursive: true })
  cpSync(copy, dir, { recursive: true })
  rmSync(copy, { recursive: true })
  killOwner(dir)
}

function damage(dir: string): void {
  appendFileSync(join(dir, 'camera.rtpdump'), Uint8Array.of(0, 48, 0, 40, 1, 2, 3))
  appendFileSync(join(dir, 'screen.rtpdump'), new Uint8Array(5000))
  appendFileSync(join(dir, 'events.ndjson'), '{"type":"mute","atMs":50,"tr')
}

const lostByDamage = [
  { cause: 'torn', bytes: 28 },
  { trackId: 'camera', cause: 'torn', bytes: 7 },
  { trackId: 'screen', cause: 'zero-filled', bytes: 5000 },
]

describe('a take that a crash cut short', () => {
  it('is finished: files cut, events folded, the duration that of the last arrival', async () => {
    const dir = join(temporaryFolder(), 'take')
    await killedTake(dir)
    damage(dir)
    const recovery = await recoverTake(dir, options)
    expect(recovery).toMatchObject({ repaired: true, lost: lostByDamage })
    expect(recovery.session).toMatchObject({
      finished: true,
      durationMs: 999,
      roomId: 'room',
      recovered: { at: '2026-11-22T00:00:00.000Z', lost: lostByDamage },
      participants: [
        {
          id: 'alice',
          name: 'Alice',
          tracks: [
            { id: 'camera', leftAtMs: 380 },
            { id: 'screen', leftAtMs: 999 },
          ],
        },
      ],
    })
    expect(readdirSync(dir).sort()).toEqual(['camera.rtpdump', 'screen.rtpdump', 'session.json'])
    expect(statSync(join(dir, 'camera.rtpdump')).size).toBe(44 + 20 * 48)
    expect(plainRecords(join(dir, 'camera.rtpdump'))).toHaveLength(20)
    const take = await openTake(dir, { strict: true })
    expect(packetsOf(await collect(take.items()))).toHaveLength(21)
    // Whoever renders it later learns what is missing.
    expect(take.damage).toEqual(lostByDamage)
  })

  it('may be recovered again', async () => {
    const dir = join(temporaryFolder(), 'take')
    await killedTake(dir)
    damage(dir)
    await recoverTake(dir, options)
    const files = contents(dir)
    const again = await recoverTake(dir, { ...options, now: () => 0 })
    expect(again).toMatchObject({ repaired: false, lost: lostByDamage })
    expect(contents(dir)).toEqual(files)
  })

  it('gets files for tracks that were announced and never written, and new headers', async () => {
    const dir = join(temporaryFolder(), 'take')
    await killedTake(dir)
    rmSync(join(dir, 'screen.rtpdump'))
    truncateSync(join(dir, 'camera.rtpdump'), 30)
    const { lost } = await recoverTake(dir, options)
    expect(lost).toEqual([
      { trackId: 'camera', cause: 'torn', bytes: 30 },
      { trackId: 'screen', cause: 'missing', bytes: 0 },
    ])
    expect(await collect((await openTake(dir, { strict: true })).records())).toEqual([])
  })

  it('gets a new header for a file of zeros', async () => {
    const dir = join(temporaryFolder(), 'take')
    await killedTake(dir)
    writeFileSync(join(dir, 'camera.rtpdump'), new Uint8Array(300_000))
    const { lost } = await recoverTake(dir, options)
    expect(lost).toEqual([{ trackId: 'camera', cause: 'zero-filled', bytes: 300_000 }])
    expect(await collect((await openTake(dir, { strict: true })).records())).toHaveLength(1)
  })

  it('keeps what is damaged otherwise as it is', async () => {
    const dir = join(temporaryFolder(), 'take')
    await killedTake(dir)
    const path = join(dir, 'camera.rtpdump')
    const bytes = readFileSync(path)
    // The length of the eleventh record is wrong.
    bytes.writeUInt16BE(9, 44 + 10 * 48)
    writeFileSync(path, bytes)
    const { lost } = await recoverTake(dir, options)
    expect(lost).toEqual([{ trackId: 'camera', cause: 'bad-record', bytes: 480 }])
    expect(readFileSync(path).equals(bytes)).toBe(true)
    expect(await collect((await openTake(dir)).records())).toHaveLength(11)
  })

  it('waits for the disk and takes longer, with the same result', async () => {
    const dir = join(temporaryFolder(), 'take')
    await killedTake(dir)
    damage(dir)
    expect((await recoverTake(dir, { now })).lost).toEqual(lostByDamage)
  })

  it('refuses a folder that is no take', async () => {
    await expect(recoverTake(temporaryFolder())).rejects.toMatchObject({ code: 'TAKE_NO_SESSION' })
  })
})

describe('a recovery that is itself killed', () => {
  it('between any two changes is completed by the next one, and nothing that was lost is forgotten', async () => {
    const root = temporaryFolder()
    const source = join(root, 'source')
    await killedTake(source)
    damage(source)
    const undisturbed = join(root, 'undisturbed')
    cpSync(source, undisturbed, { recursive: true })
    const counting = new DyingFileSystem(Number.POSITIVE_INFINITY)
    await recoverTake(undisturbed, { now, fileSystem: counting })
    expect(counting.operations).toBeGreaterThan(12)
    for (let killAt = 0; killAt < counting.operations; killAt += 1) {
      const dir = join(root, `killed-${killAt}`)
      cpSync(source, dir, { recursive: true })
      const dying = recoverTake(dir, { now, fileSystem: new DyingFileSystem(killAt) })
      const error: unknown = await dying.catch((thrown: unknown) => thrown)
      expect((error as Error).cause ?? error, `killed at ${killAt}`).toBeInstanceOf(Killed)
      // Whatever state it is in, it can be read.
      expect((await collect((await openTake(dir)).records())).length, `killed at ${killAt}`).toBe(21)
      killOwner(dir)
      const { session, lost } = await recoverTake(dir, options)
      expect(lost, `killed at ${killAt}`).toEqual(lostByDamage)
      expect(session.events).toHaveLength(1)
      expect(contents(dir), `killed at ${killAt}`).toEqual(contents(undisturbed))
    }
  })
})

describe('a take that somebody writes', () => {
  it('is not recovered, and not written by another one', async () => {
    const dir = join(temporaryFolder(), 'take')
    const writer = await createTakeWriter(dir, { startedAt })
    await expect(recoverTake(dir)).rejects.toMatchObject({ code: 'TAKE_LOCKED' })
    await writer.abort()
    expect(existsSync(join(dir, 'take.lock'))).toBe(false)
    expect((await recoverTake(dir)).repaired).toBe(true)
  })

  it('in another process is not recovered before that has ended', async () => {
    const root = temporaryFolder()
    const dir = join(root, 'take')
    const source = new URL('../src/index.ts', import.meta.url).href
    const script = `
      import { createTakeWriter } from ${JSON.stringify(source)}
      const writer = await createTakeWriter(${JSON.stringify(dir)}, { startedAt: ${JSON.stringify(startedAt)} })
      writer.addTrack('alice', ${JSON.stringify(videoTrack('camera'))})
      const packet = new Uint8Array(40).fill(1)
      packet[0] = 0x80
      let n = 0
      setInterval(() => { writer.write('camera', packet, n * 5000); n += 1; if (n === 60) console.log('going') }, 5)
    `
    const args = ['--import', 'tsx', '--conditions=@rushes/source', '--input-type=module', '-e', script]
    const cwd = fileURLToPath(new URL('../../..', import.meta.url))
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    await once(child.stdout, 'data')
    expect(await listTakes(root)).toMatchObject([{ dir, state: 'recording' }])
    await expect(recoverTake(dir)).rejects.toMatchObject({ code: 'TAKE_LOCKED' })
    // A process that is stopped is alive.
    child.kill('SIGSTOP')
    await expect(recoverTake(dir)).rejects.toMatchObject({ code: 'TAKE_LOCKED' })
    child.kill('SIGKILL')
    await exit
    expect(await listTakes(root)).toMatchObject([{ dir, state: 'unfinished' }])
    const recovery = await recoverTake(dir)
    expect(recovery.repaired).toBe(true)
    // At most the last 250 ms are missing: the longest stay in memory is 100.
    expect(recovery.session.durationMs).toBeGreaterThan(60 * 5 - 250)
    expect(await listTakes(root)).toMatchObject([{ state: 'finished' }])
  })

  it('is recovered by one of many who try at once', async () => {
    const dir = join(temporaryFolder(), 'take')
    await killedTake(dir)
    damage(dir)
    const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => recoverTake(dir, options)))
    const repaired = attempts.filter((attempt) => attempt.status === 'fulfilled' && attempt.value.repaired)
    expect(repaired.length).toBeLessThanOrEqual(1)
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'TAKE_LOCKED' })
    }
    const { lost } = await recoverTake(dir, options)
    expect(lost).toEqual(lostByDamage)
    expect(packetsOf(await collect((await openTake(dir, { strict: true })).items()))).toHaveLength(21)
  })
})

describe('a writer that is killed', () => {
  it('at any change leaves a take that can be recovered, or none', async () => {
    const root = temporaryFolder()
    const write = async (dir: string, fileSystem: DyingFileSystem): Promise<void> => {
      let writer: TakeWriter | undefined
      try {
        writer = await createTakeWriter(dir, { startedAt }, { fileSystem, sync: 'flush' })
        writer.addTrack('alice', videoTrack('camera'))
        for (let index = 0; index < 6; index += 1) {
          writer.write('camera', rtp(index), index * 1000)
          if (index % 2 === 1) await writer.flush()
        }
        await writer.finish()
      } finally {
        await writer?.abort()
      }
    }
    const counting = new DyingFileSystem(Number.POSITIVE_INFINITY)
    await write(join(root, 'undisturbed'), counting)
    let least = 0
    for (let killAt = 0; killAt < counting.operations; killAt += 1) {
      const dir = join(root, `killed-${killAt}`)
      await expect(write(dir, new DyingFileSystem(killAt))).rejects.toThrow('the process is gone')
      killOwner(dir)
      const [take] = (await listTakes(root)).filter((listed) => listed.dir === dir)
      if (take === undefined) {
        expect(existsSync(join(dir, 'session.json'))).toBe(false)
        continue
      }
      expect(take.state, `killed at ${killAt}`).toMatch(/^(unfinished|finished)$/)
      await recoverTake(dir, options)
      const sequenceNumbers = (await collect((await openTake(dir, { strict: true })).records())).map(
        ({ data }) => data[3],
      )
      // A prefix of what was written, and never less than at an earlier kill.
      expect(sequenceNumbers).toEqual([0, 1, 2, 3, 4, 5].slice(0, sequenceNumbers.length))
      expect(sequenceNumbers.length).toBeGreaterThanOrEqual(least)
      least = sequenceNumbers.length
    }
    expect(least).toBe(6)
  })
})

function contents(dir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(dir)
      .sort()
      .map((name) => [name, readFileSync(join(dir, name)).toString('hex')]),
  )
}
