import { describe, expect, it } from 'vitest'
import { TrackFacts } from '../src/track-facts.js'
import { audio, opus, picture, size, sound, video } from './samples.js'

describe('TrackFacts', () => {
  it('has the first codec and the largest picture', () => {
    const facts = new TrackFacts([video, audio])
    facts.see(picture(0, { configuration: size(640, 360) }))
    facts.see(picture(40, { configuration: { ...size(1280, 720), codecString: 'avc1.42c020' } }))
    facts.see(picture(80, { configuration: size(320, 180) }))
    facts.see(sound(0, { configuration: opus }))
    expect(facts.describe()).toEqual({
      video: { codec: 'avc1.42c01f', width: 1280, height: 720 },
      audio: { codec: 'opus', sampleRate: 48_000, channels: 1 },
    })
  })

  it('ends with the longest track; a picture lasts as long as the one before, at most 100 ms', () => {
    const facts = new TrackFacts([video, audio])
    expect(facts.endUs).toBeUndefined()
    expect(facts.describe()).toEqual({})
    facts.see(sound(0))
    expect(facts.endUs).toBe(20_000)
    facts.see(picture(0))
    facts.see(picture(40))
    expect(facts.endUs).toBe(80_000)
    facts.see(picture(3000))
    expect(facts.endUs).toBe(3_100_000)
  })

  it('knows only its tracks, and one that comes later', () => {
    const facts = new TrackFacts([audio])
    facts.see(picture(40, { configuration: size(2, 2) }))
    expect(facts.endUs).toBeUndefined()
    facts.addTrack(video)
    facts.see(picture(80, { configuration: size(2, 2) }))
    expect(facts.describe().video).toEqual({ codec: 'avc1.42c01f', width: 2, height: 2 })
  })
})
