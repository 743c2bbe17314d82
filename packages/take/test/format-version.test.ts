import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { eraseParticipant, openTake, recoverTake, tailTake } from '../src/index.js'
import { collect, packetsOf, temporaryFolder } from './fixtures.js'

/** Written by the first version of the format and kept since: whatever comes later has to read them. */
function committed(name: 'v1-finished' | 'v1-unfinished'): string {
  const dir = join(temporaryFolder(), 'take')
  cpSync(fileURLToPath(new URL(`takes/${name}`, import.meta.url)), dir, { recursive: true })
  return dir
}

function setVersion(dir: string, formatVersion: number | undefined): void {
  const path = join(dir, 'session.json')
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), formatVersion }))
}

const participants = [
  {
    id: 'alice',
    name: 'Alice',
    tracks: [
      {
        id: 'alice-camera',
        kind: 'video',
        mimeType: 'video/H264',
        ssrc: 7,
        payloadType: 96,
        fmtp: 'packetization-mode=1',
        headerExtensions: { 4: 'urn:3gpp:video-orientation' },
        joinedAtMs: 5,
      },
    ],
  },
  { id: 'bob', name: 'Bob', tracks: [{ id: 'bob-sound', channels: 2, joinedAtMs: 40, vendor: { key: 1 } }] },
]

describe('a take of format version 1', () => {
  it('that is finished is read as it was written', async () => {
    const take = await openTake(committed('v1-finished'), { strict: true })
    expect(take.session).toMatchObject({
      formatVersion: 1,
      recordingId: 'r1',
      roomId: 'room-1',
      name: 'v1',
      vendor: ['kept'],
      startedAt: '2026-11-21T11:36:26.977Z',
      durationMs: 250,
      finished: true,
      participants,
    })
    expect(take.session.events.map(({ type }) => type)).toEqual(['join', 'join', 'mute', 'track-removed'])
    const packets = packetsOf(await collect(take.items()))
    expect(packets).toHaveLength(21)
    expect(packets[0]).toMatchObject({ trackId: 'alice-camera', arrivalUs: 5000, rtcp: false })
    expect(packets.at(-1)).toMatchObject({ arrivalUs: 230_000, rtcp: true })
  })

  it('that a crash cut short is read, and recovered', async () => {
    const dir = committed('v1-unfinished')
    const lost = [
      { cause: 'torn', bytes: 20 },
      { trackId: 'bob-sound', cause: 'torn', bytes: 6 },
    ]
    const take = await openTake(dir)
    expect(take.session).toMatchObject({ finished: false, participants })
    expect(await collect(take.records())).toHaveLength(21)
    expect(take.damage).toEqual(lost)
    expect((await recoverTake(dir)).lost).toEqual(lost)
    expect((await openTake(dir, { strict: true })).session).toMatchObject({
      durationMs: 230,
      participants,
      vendor: ['kept'],
    })
  })

  it('need not say so', async () => {
    const dir = committed('v1-finished')
    setVersion(dir, undefined)
    expect(await collect((await openTake(dir, { strict: true })).records())).toHaveLength(21)
  })
})

describe('a take of a later version', () => {
  it('is refused by whatever would read or change it, and stays as it is', async () => {
    const dir = committed('v1-finished')
    setVersion(dir, 2)
    const before = readFileSync(join(dir, 'session.json'), 'utf8')
    const attempts = [openTake, tailTake, recoverTake, (path: string) => eraseParticipant(path, 'alice')]
    for (const refused of attempts) {
      const attempt: Promise<unknown> = refused(dir)
      await expect(attempt).rejects.toMatchObject({ code: 'TAKE_FORMAT_TOO_NEW', path: '$.formatVersion' })
      await expect(attempt).rejects.toThrow('format version 2, this version of Rushes reads up to 1')
    }
    expect(readFileSync(join(dir, 'session.json'), 'utf8')).toBe(before)
  })
})
