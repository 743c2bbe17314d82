import type { TimedItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { StartGate } from '../src/start-gate.js'
import { audio, picture, short, sound, video } from './samples.js'

function gateOf(...tracks: (typeof video | typeof audio)[]): StartGate {
  const gate = new StartGate()
  for (const track of tracks) gate.addTrack(track)
  return gate
}

function opened(gate: StartGate): TimedItem[] {
  const out: TimedItem[] = []
  gate.open((item) => void out.push(item))
  return out
}

describe('StartGate', () => {
  it('waits for every track, and says when the earliest starts', () => {
    const gate = gateOf(audio, video)
    gate.push(sound(40))
    expect(gate.ready).toBe(false)
    gate.push(picture(20, { keyframe: true }))
    expect(gate.ready).toBe(true)
    expect(gate.start).toMatchObject({ tracks: [video, audio], startUs: 20_000 })
    expect(short(opened(gate))).toBe('a40 v20K')
    expect(gate.ready).toBe(false)
  })

  it('takes the presentation time, not the decoding time', () => {
    const gate = gateOf(video)
    gate.push(picture(66, { dts: 0 }))
    expect(gate.start.startUs).toBe(66_000)
  })

  it('waits for a silent track for two seconds of media', () => {
    const gate = gateOf(video, audio)
    for (let ms = 0; ms <= 2000; ms += 40) gate.push(picture(ms))
    expect(gate.ready).toBe(false)
    gate.push(picture(2040))
    expect(gate.ready).toBe(true)
    expect(gate.hasSeen('v')).toBe(true)
    expect(gate.hasSeen('a')).toBe(false)
    expect(gate.start.tracks).toEqual([video, audio])
  })

  it('opens at the end with what there is, and stays shut without anything', () => {
    const gate = gateOf(video, audio)
    gate.push(sound(0))
    gate.end()
    expect(gate.ready).toBe(true)
    const empty = gateOf(video)
    empty.push({ type: 'watermark', trackId: 'v', dts: 1 })
    empty.end()
    expect(empty.ready).toBe(false)
  })

  it('lets everything through at once when it is open', () => {
    const gate = gateOf(video)
    gate.push(picture(0))
    const out = opened(gate)
    gate.push(picture(20))
    gate.push({ type: 'track-end', trackId: 'v' })
    expect(short(out)).toBe('v0 v20 v.')
  })
})
