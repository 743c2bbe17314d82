import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordingEvent } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventJournal } from '../src/event-journal.js'
import { temporaryFolder } from './calls.js'

const identity = { recordingId: 'r', roomId: 'room' }
const at = '2026-01-01T00:00:00.000Z'

async function opened(path: string) {
  const told: RecordingEvent[] = []
  const failures: unknown[] = []
  const journal = await EventJournal.open(path, identity, {
    tell: (event) => void told.push(event),
    onFailure: (error) => void failures.push(error),
  })
  return { journal, told, failures }
}

describe('EventJournal', () => {
  it('writes before it tells, in order, and numbers on after a restart', async () => {
    const path = join(temporaryFolder(), 'events')
    const { journal, told } = await opened(path)
    const lines: number[] = []
    journal.add({ type: 'START', at })
    journal.add({ type: 'MARK', at, recordingTimeUs: 5, data: { label: 'ü' } })
    await journal.settled()
    lines.push(readFileSync(path, 'utf8').split('\n').length - 1)
    expect(lines).toEqual([2])
    expect(told.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['START', 1],
      ['MARK', 2],
    ])
    const again = await opened(path)
    expect(again.journal.known).toEqual(told)
    expect(again.told).toEqual([])
    again.journal.add({ type: 'STOP', at })
    await again.journal.settled()
    expect(again.told[0]?.sequence).toBe(3)
  })

  it('cut anywhere, keeps whole lines and gives no id twice', async () => {
    const path = join(temporaryFolder(), 'events')
    const { journal, told } = await opened(path)
    for (let n = 0; n < 5; n++) journal.add({ type: 'MARK', at, data: { label: `n ${n}` } })
    await journal.settled()
    const whole = readFileSync(path)
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), async (cut) => {
        writeFileSync(path, whole.subarray(0, cut))
        const next = await opened(path)
        const complete = whole.subarray(0, cut).toString('utf8').split('\n').length - 1
        expect(next.journal.known).toEqual(told.slice(0, complete))
        next.journal.add({ type: 'STOP', at })
        await next.journal.settled()
        expect(told.map(({ id }) => id)).not.toContain(next.told[0]?.id)
        expect((await opened(path)).journal.known).toHaveLength(complete + 1)
      }),
      { numRuns: 60 },
    )
  })

  it('tells although the disk refuses, and says so', async () => {
    const dir = temporaryFolder()
    const { journal, told, failures } = await opened(join(dir, 'events'))
    rmSync(dir, { recursive: true })
    journal.add({ type: 'START', at })
    await journal.settled()
    expect(told).toHaveLength(1)
    expect(failures).toHaveLength(1)
  })

  it('reads past a part of a line that a full disk left between whole ones', async () => {
    const path = join(temporaryFolder(), 'events')
    const first = await opened(path)
    first.journal.add({ type: 'START', at })
    await first.journal.settled()
    appendFileSync(path, '{"id":"r.2.\n')
    appendFileSync(path, `${JSON.stringify({ ...first.told[0], id: 'r.3.x', sequence: 3 })}\n`)
    const again = await opened(path)
    expect(again.journal.known.map(({ sequence }) => sequence)).toEqual([1, 3])
  })
})
