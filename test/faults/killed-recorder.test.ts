import { describe, expect, it } from 'vitest'
import { fixtureFolder, temporaryFolder } from './fault-sites.js'
import { killRecording } from './kill-recording.js'

// The long form (`pnpm long:kill`) does it at 50 random instants; its figures stand in docs/evidence.md.
describe('a recorder that is killed', () => {
  it('in the middle of a call of three: everything that had arrived is there, finished and told', async () => {
    const killed = await Promise.all(
      [1_700, 9_300].map((atMs) => killRecording(fixtureFolder('meeting3'), temporaryFolder(), atMs)),
    )
    for (const one of killed) {
      expect(one.outcome).toBe('ready')
      expect(one.findings).toEqual([])
      expect(one.webhookFaults).toEqual([])
      expect(one.missingMs).toBeLessThanOrEqual(250)
      expect(one.events.at(-1)).toBe('READY')
    }
    expect(killed.map(({ outputs }) => outputs)).toEqual([2, 6])
  })

  it('by SIGTERM: it finishes by itself, and leaves nothing to do', async () => {
    const ended = await killRecording(fixtureFolder('meeting3'), temporaryFolder(), 4_500, 'SIGTERM')
    expect(ended.outcome).toBe('nothing to recover')
    expect(ended.missingMs).toBe(0)
    expect(ended.keptPackets).toBe(ended.writtenPackets)
    expect(ended.findings).toEqual([])
    expect(ended.webhookFaults).toEqual([])
    expect(ended.events.at(-1)).toBe('READY')
    expect(ended.outputs).toBe(4)
  })
})
