import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RTCPeerConnection, useOPUS, useVideoOrientation, useVP8 } from 'werift'
import { type RecordedWeriftTrack, recordWeriftTrack } from '../../src/werift/index.js'
import { memoryTarget } from '../memory-target.js'
import { until } from '../udp/senders.js'
import { hasChromium, openChromium, openPublisher } from '../whip/chromium-publisher.js'
import { depacketize, readCards } from '../whip/pictures.js'
import { serveSignalling } from './signalling.js'

let browser: Browser

describe.skipIf(!hasChromium && !process.env['CI'])('a browser in a werift SFU', () => {
  beforeAll(async () => {
    browser = await openChromium()
  })
  afterAll(() => browser?.close())

  test('its tracks are recorded by one line', async () => {
    const target = memoryTarget()
    const recorded: RecordedWeriftTrack[] = []
    const peer = new RTCPeerConnection({
      codecs: { video: [useVP8()], audio: [useOPUS()] },
      headerExtensions: { video: [useVideoOrientation()] },
      iceUseIpv6: false,
    })
    peer.onTrack.subscribe((track) => recorded.push(recordWeriftTrack(target, track, { participantId: 'alice', peer })))
    const signalling = await serveSignalling(peer)
    const publisher = await openPublisher(browser)
    try {
      expect((await publisher.publish({ url: signalling.url, audio: true })).status).toBe(201)
      await until(() => target.tracks.length === 2 && target.tracks.every(({ rtp }) => rtp.length > 60), 40_000)
      const video = target.tracks.find(({ kind }) => kind === 'video')!
      expect(video).toMatchObject({ codec: 'vp8', participantId: 'alice' })
      expect(Object.values(video.headerExtensions ?? {})).toContain('urn:3gpp:video-orientation')
      const keyframes = (): number => depacketize(video).units.filter(({ keyframe }) => keyframe).length
      const before = keyframes()
      video.onKeyframeNeeded?.({ type: 'keyframe-needed', trackId: video.id, reason: 'start' })
      await until(() => keyframes() > before)
      await until(() => target.tracks.every(({ rtcp }) => rtcp.length > 0))
      const { units } = depacketize(video)
      const cards = await readCards('vp8', units)
      const counters = cards.flatMap(({ counter }) => counter ?? [])
      expect(counters.length).toBeGreaterThan(30)
      expect(counters).toEqual([...counters].sort((a, b) => a - b))
      const names = target.tracks.map((track) => depacketize(track).reports[0]?.cname)
      expect(names[0]).toBeTypeOf('string')
      expect(names[1]).toBe(names[0])
      await peer.close()
      expect(target.tracks.every(({ ended }) => ended)).toBe(true)
      expect(recorded.map(({ sink }) => sink)).toEqual([undefined, undefined])
    } finally {
      await publisher.page.close()
      await peer.close()
      await signalling.close()
    }
  })
})
