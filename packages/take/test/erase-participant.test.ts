import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTakeWriter, eraseParticipant, listTakes, openTake, recoverTake } from '../src/index.js'
import { killOwner } from './dead-owner.js'
import { DyingFileSystem } from './faulty-file-system.js'
import { collect, fixture, rtp, startedAt, temporaryFolder, videoTrack } from './fixtures.js'

const now = (): number => Date.parse('2026-11-22T00:00:00Z')

async function meeting(dir: string): Promise<void> {
  const writer = await createTakeWriter(dir, { startedAt, recordingId: 'r1' }, { sync: 'never' })
  for (const [id, name] of [
    ['alice', 'Alice A.'],
    ['bob', 'Bob B.'],
  ] as const) {
    writer.event({ type: 'join', atMs: 1, participant: id, name })
    writer.addTrack(id, videoTrack(`${id}-camera`))
    writer.write(`${id}-camera`, rtp(1), 5000)
  }
  writer.event({ type: 'mute', atMs: 10, track: 'bob-camera' })
  writer.event({ type: 'mute', atMs: 10, track: 'alice-camera' })
  writer.event({ type: 'layout', atMs: 20, pinned: 'bob', order: ['alice', 'bob'], sizes: { bob: 2, alice: 1 } })
  writer.event({ type: 'chat', atMs: 30, participant: 'alice', to: { name: 'Bob B.' }, lines: 2 })
  writer.event({ type: 'leave', atMs: 40, participant: 'bob' })
  await writer.finish()
}

function everything(dir: string): string {
  return readdirSync(dir)
    .map((name) => `${name} ${readFileSync(join(dir, name), 'latin1')}`)
    .join('\n')
}

describe('a participant who is erased', () => {
  it('leaves no trace but a tombstone', async () => {
    const dir = join(temporaryFolder(), 'take')
    await meeting(dir)
    const session = await eraseParticipant(dir, 'bob', { now })
    expect(everything(dir)).not.toMatch(/bob/i)
    expect(session.erased).toEqual([
      { at: '2026-11-22T00:00:00.000Z', participantHash: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ])
    expect(session.participants.map(({ id }) => id)).toEqual(['alice'])
    expect(session.events).toEqual([
      { type: 'join', atMs: 1, participant: 'alice', name: 'Alice A.' },
      { type: 'mute', atMs: 10, track: 'alice-camera' },
      { type: 'layout', atMs: 20, order: ['alice'], sizes: { alice: 1 } },
      { type: 'chat', atMs: 30, participant: 'alice', to: {}, lines: 2 },
    ])
    const take = await openTake(dir, { strict: true })
    expect(take.session).toEqual(session)
    expect(await collect(take.records())).toHaveLength(1)
    expect(await eraseParticipant(dir, 'bob', { now: () => 0 })).toEqual(session)
    await expect(eraseParticipant(dir, 'carol')).rejects.toMatchObject({ code: 'TAKE_UNKNOWN_PARTICIPANT' })
    const nobody = await eraseParticipant(dir, 'alice', { now })
    expect(nobody.participants).toEqual([])
    expect(nobody.erased).toHaveLength(2)
    expect(readdirSync(dir)).toEqual(['session.json'])
  })

  it('is gone from a real call, whose others stay as they were', async () => {
    const dir = temporaryFolder()
    cpSync(fixture('meeting3'), dir, { recursive: true })
    await eraseParticipant(dir, 'bob')
    expect(readdirSync(dir).filter((name) => name.includes('bob'))).toEqual([])
    for (const file of ['alice-video.rtpdump', 'carol-audio.rtpdump']) {
      expect(readFileSync(join(dir, file)).equals(readFileSync(join(fixture('meeting3'), file)))).toBe(true)
    }
  })

  it('is not erased while the take is unfinished or somebody writes it', async () => {
    const dir = join(temporaryFolder(), 'take')
    const writer = await createTakeWriter(dir, { startedAt, participants: [{ id: 'bob', tracks: [] }] })
    await expect(eraseParticipant(dir, 'bob')).rejects.toMatchObject({ code: 'TAKE_NOT_FINISHED' })
    await writer.abort()
    await expect(eraseParticipant(dir, 'bob')).rejects.toMatchObject({ code: 'TAKE_NOT_FINISHED' })
    await recoverTake(dir)
    await eraseParticipant(dir, 'bob')
  })

  it('is erased completely by whoever comes after a crash', async () => {
    const root = temporaryFolder()
    const source = join(root, 'source')
    await meeting(source)
    const counting = new DyingFileSystem(Number.POSITIVE_INFINITY)
    cpSync(source, join(root, 'undisturbed'), { recursive: true })
    const expected = await eraseParticipant(join(root, 'undisturbed'), 'bob', { now, fileSystem: counting })
    for (let killAt = 0; killAt < counting.operations; killAt += 1) {
      for (const next of ['erase', 'recover'] as const) {
        const journal = join(root, `${next}-${killAt}`)
        const dir = join(journal, 'take')
        cpSync(source, dir, { recursive: true })
        const dying = eraseParticipant(dir, 'bob', { now, fileSystem: new DyingFileSystem(killAt) })
        await expect(dying, `killed at ${killAt}`).rejects.toThrow('the process is gone')
        killOwner(dir)
        const [listed] = await listTakes(journal)
        const begun = !JSON.stringify((await openTake(dir)).session.participants).includes('bob')
        if (next === 'erase') await eraseParticipant(dir, 'bob', { now })
        else await recoverTake(dir)
        if (next === 'erase' || begun) {
          expect(everything(dir), `killed at ${killAt}`).not.toMatch(/bob/i)
          expect((await openTake(dir)).session).toEqual(expected)
        } else {
          expect(listed?.state).toBe('finished')
          expect((await openTake(dir, { strict: true })).session.participants).toHaveLength(2)
        }
      }
    }
  })

  it('cannot make it remove files of others', async () => {
    const root = temporaryFolder()
    const dir = join(root, 'take')
    await meeting(dir)
    writeFileSync(join(root, 'precious'), 'x')
    const path = join(dir, 'session.json')
    const session = JSON.parse(readFileSync(path, 'utf8')) as object
    const erased = [{ at: '', participantHash: '', pendingFiles: ['../precious'] }]
    writeFileSync(path, JSON.stringify({ ...session, erased }))
    await expect(recoverTake(dir)).rejects.toMatchObject({ code: 'TAKE_BAD_SESSION' })
    expect(existsSync(join(root, 'precious'))).toBe(true)
  })
})
