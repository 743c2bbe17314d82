import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMemoryStore } from '@rushes/storage-adapters'
import { openTake } from '@rushes/take'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eraseFromOutputs } from '../src/erase.js'

const TAKE = fileURLToPath(new URL('../../../test/fixtures/meeting3', import.meta.url))

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rushes-erase-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('leaves nothing of the person beside the journal of a recording that has failed', async () => {
  cpSync(TAKE, dir, { recursive: true })
  for (const file of ['work/0123/segment-000001', 'scratch/.rushes-x/1.mp4']) {
    mkdirSync(join(dir, file, '..'), { recursive: true })
    writeFileSync(join(dir, file), 'everyone')
  }
  await eraseFromOutputs(dir, 'r', 'alice', createMemoryStore())
  expect((await openTake(dir)).session.participants.map(({ id }) => id)).toEqual(['bob', 'carol'])
  expect([existsSync(join(dir, 'work')), existsSync(join(dir, 'scratch'))]).toEqual([false, false])
})

it('touches nothing for somebody who was not there', async () => {
  cpSync(TAKE, dir, { recursive: true })
  mkdirSync(join(dir, 'work'))
  const erasing = eraseFromOutputs(dir, 'r', 'nobody', createMemoryStore())
  await expect(erasing).rejects.toMatchObject({ code: 'RECORDER_NOT_FOUND' })
  expect(existsSync(join(dir, 'work'))).toBe(true)
})
