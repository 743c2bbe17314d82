import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTakeWriter, listTakes, removeTake } from '../src/index.js'
import { startedAt, temporaryFolder } from './fixtures.js'

describe('a journal', () => {
  it('tells the state of its takes', async () => {
    const root = temporaryFolder()
    const dir = (name: string): string => join(root, name)
    const finished = await createTakeWriter(dir('finished'), { startedAt, roomId: 'room' })
    await finished.finish({ durationMs: 77 })
    const recording = await createTakeWriter(dir('recording'), { startedAt })
    const unfinished = await createTakeWriter(dir('unfinished'), { startedAt })
    await unfinished.abort()
    for (const name of ['broken', 'empty', '.hidden', 'later']) mkdirSync(dir(name))
    writeFileSync(join(dir('broken'), 'session.json'), '')
    writeFileSync(join(dir('.hidden'), 'session.json'), '{}')
    writeFileSync(join(dir('later'), 'session.json'), JSON.stringify({ startedAt, formatVersion: 2, participants: {} }))
    writeFileSync(dir('file'), '')
    expect(await listTakes(root)).toEqual([
      { dir: dir('broken'), state: 'broken', error: expect.objectContaining({ code: 'TAKE_BAD_SESSION' }) },
      {
        dir: dir('finished'),
        state: 'finished',
        session: { formatVersion: 1, finished: true, startedAt, roomId: 'room', durationMs: 77 },
      },
      { dir: dir('later'), state: 'broken', error: expect.objectContaining({ code: 'TAKE_FORMAT_TOO_NEW' }) },
      { dir: dir('recording'), state: 'recording', session: { formatVersion: 1, finished: false, startedAt } },
      { dir: dir('unfinished'), state: 'unfinished', session: { formatVersion: 1, finished: false, startedAt } },
    ])
    await recording.abort()
  })

  it('that is not there yet is empty', async () => {
    expect(await listTakes(join(temporaryFolder(), 'later'))).toEqual([])
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(listTakes(file)).rejects.toMatchObject({ code: 'TAKE_READ_FAILED' })
  })
})

describe('a take that is removed', () => {
  it('is gone as a whole, unless somebody writes it or it is none', async () => {
    const root = temporaryFolder()
    const writer = await createTakeWriter(join(root, 'one'), { startedAt })
    await expect(removeTake(writer.dir)).rejects.toMatchObject({ code: 'TAKE_LOCKED' })
    await writer.finish()
    await removeTake(writer.dir)
    expect(readdirSync(root)).toEqual([])
    await expect(removeTake(root)).rejects.toMatchObject({ code: 'TAKE_NO_SESSION' })
    mkdirSync(join(root, 'broken'))
    writeFileSync(join(root, 'broken', 'session.json'), '{')
    await removeTake(`${join(root, 'broken')}/`)
    expect(existsSync(join(root, 'broken'))).toBe(false)
  })
})
