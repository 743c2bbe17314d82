import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { presentationTimes } from './decoded-media.js'
import { filesBelow, fixtureFolder, temporaryFolder } from './fault-sites.js'
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

  it('with a composite: its playlist goes on behind what was public, frame after frame', async () => {
    const dir = temporaryFolder()
    const composite = { size: '320x180', fps: 15, video: { preset: 'ultrafast' }, lagSeconds: 1 } as const
    // Its beginning waits for the senders' reports, and then for the machine.
    const isMade = (): boolean => filesBelow(dir).some((name) => name.endsWith('segment-000004'))
    const killed = await killRecording(fixtureFolder('meeting3'), dir, isMade, 'SIGKILL', [{ composite }])
    expect(killed.outcome).toBe('ready')
    expect(killed.outputs).toBe(2)
    expect(killed.findings).toEqual([])
    expect(killed.goesOnAtUs, 'what was made live is not made again').toBeGreaterThanOrEqual(2_000_000)
    for (const file of ['composite/media.m3u8', 'composite.mp4']) {
      const frames = presentationTimes(join(dir, 'out/r', file), 'v:0').map((seconds) => Number(seconds) * 15)
      const first = frames[0] as number
      expect(frames.length).toBeGreaterThan(60)
      const strays = frames.filter((frame, index) => Math.abs(frame - first - index) > 0.01)
      expect(strays, `${file}: no picture twice, and none left out`).toEqual([])
    }
    expect(readdirSync(join(dir, 'takes/r'))).not.toContain('work')
  }, 60_000)

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
