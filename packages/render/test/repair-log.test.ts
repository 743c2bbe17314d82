import { describe, expect, it } from 'vitest'
import { RepairLog } from '../src/repair-log.js'
import { audio, picture, sound, video } from './samples.js'

function logOf(afterLoss: 'freeze' | 'continue', audioCodec: 'aac' | 'opus'): RepairLog {
  const log = new RepairLog('p', afterLoss, audioCodec)
  log.addTrack(video)
  log.addTrack(audio)
  return log
}

describe('RepairLog', () => {
  it('tells from where to where packets were lost', () => {
    const log = logOf('freeze', 'aac')
    log.see(picture(0), 0)
    log.see(picture(40), 40_000)
    log.see(picture(500, { keyframe: true, lostPackets: 7 }), 500_000)
    log.see(sound(100), 100_000)
    log.see(sound(180, { lostPackets: 3 }), 180_000)
    const common = { participantId: 'p', cause: 'packet-loss' }
    expect(log.entries).toEqual([
      { ...common, trackId: 'v', startUs: 40_000, endUs: 500_000, packets: 7, action: 'held-picture' },
      { ...common, trackId: 'a', startUs: 120_000, endUs: 180_000, packets: 3, action: 'silence' },
    ])
  })

  it.each([
    ['continue', 'opus', 'continued', 'gap'],
    ['freeze', 'aac', 'held-picture', 'silence'],
  ] as const)('names what was done: %s, %s', (afterLoss, codec, videoAction, audioAction) => {
    const log = logOf(afterLoss, codec)
    log.see(picture(500, { lostPackets: 1 }), 500_000)
    log.see(sound(180, { lostPackets: 1 }), 180_000)
    expect(log.entries.map(({ action }) => action)).toEqual([videoAction, audioAction])
  })

  it('says nothing of padding that was lost, or of tracks that it does not know', () => {
    const log = logOf('freeze', 'aac')
    log.see(picture(0, { lostPackets: 0 }), 0)
    log.see({ ...picture(0, { lostPackets: 5 }), trackId: 'x' }, 0)
    expect(log.entries).toEqual([])
  })

  it('tells of what was lost after the last good sample', () => {
    const log = logOf('freeze', 'aac')
    log.see(picture(0, { lostPackets: 2 }), 40_000)
    log.end('v', 6, 900_000)
    expect(log.entries[1]).toMatchObject({ startUs: 40_000, endUs: 900_000, packets: 4, action: 'held-picture' })
    log.end('v', 6, 900_000)
    log.end('a', 3, 900_000)
    expect(log.entries).toHaveLength(2)
  })

  it('is bounded, and counts the rest', () => {
    const log = logOf('freeze', 'aac')
    for (let i = 0; i < 10_005; i++) log.see(sound(i * 40, { lostPackets: 1 }), i * 40_000)
    expect(log.entries).toHaveLength(10_000)
    expect(log.omitted).toBe(5)
  })
})
