import { describe, expect, it } from 'vitest'
import { survey } from '../src/index.js'
import { derivedTake, fixture } from './fixtures.js'

describe('survey', () => {
  it('sees both tracks of solo, their sizes and their clocks', async () => {
    const { tracks, clockStates, clocks } = await survey(await fixture('solo'), { afterLoss: 'freeze' })
    expect([...clocks].map(([participantId, own]) => [participantId, own.settled])).toEqual([['alice', true]])
    expect(clockStates.map(({ trackId, basis }) => `${trackId} ${basis}`).sort()).toEqual([
      'alice-audio sender-reports',
      'alice-video sender-reports',
    ])
    const [video, audio] = tracks
    expect(video).toMatchObject({ participantId: 'alice', track: { id: 'alice-video' }, gaps: [] })
    expect(video?.sizes.map(({ width, height }) => `${width}x${height}`)).toEqual(['640x360', '960x540'])
    expect(video?.sizes[1]?.atUs).toBeGreaterThan(9_900_000)
    expect(video?.keyframes).toBeGreaterThanOrEqual(2)
    expect(audio?.keyframes).toBe(0)
    // 50 Opus packets a second, for as long as the track lasts.
    const seconds = ((audio?.endUs ?? 0) - (audio?.startUs ?? 0)) / 1e6
    expect(Math.abs((audio?.units ?? 0) - seconds * 50)).toBeLessThan(3)
  })

  it('finds the holes of mutes', async () => {
    const { tracks } = await survey(await fixture('mutes'), { afterLoss: 'freeze' })
    const video = tracks.find(({ track }) => track.kind === 'video')
    const hole = video?.gaps.find(({ startUs, endUs }) => endUs - startUs > 2_500_000)
    expect(hole, 'the track was replaced by null for three seconds').toBeDefined()
    expect(video?.sizes.map(({ width, height }) => `${width}x${height}`)).toContain('800x1000')
  })

  it('sees all tracks of somebody who came back', async () => {
    const { tracks } = await survey(await fixture('rejoin'), { afterLoss: 'freeze' })
    const bob = tracks.filter(({ participantId }) => participantId === 'bob')
    expect(bob).toHaveLength(4)
    for (const { track, startUs = 0 } of bob) expect(startUs > 9_000_000, track.id).toBe(track.id.endsWith('-2'))
  })

  it('says that a track has nothing', async () => {
    const take = await derivedTake(await fixture('solo'), (packet) => packet.trackId === 'alice-audio')
    const { tracks } = await survey(take, { afterLoss: 'freeze' })
    const video = tracks.find(({ track }) => track.kind === 'video')
    expect(video).toMatchObject({ units: 0, startUs: undefined, endUs: undefined })
  })

  it('is aborted', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(survey(await fixture('solo'), { afterLoss: 'freeze', signal })).rejects.toBe(reason)
  })
})
