import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  startWhipServer,
  type WhipEvent,
  type WhipServer,
  type WhipServerOptions,
  type WhipSession,
} from '../../src/whip/index.js'
import { type MemoryTrack, memoryTarget } from '../memory-target.js'
import { until } from '../udp/senders.js'
import { hasChromium, openChromium, openPublisher, type Publisher } from './chromium-publisher.js'
import { depacketize, readCards } from './pictures.js'

let browser: Browser
const open: { close(): Promise<unknown> }[] = []

async function serve(options: Partial<WhipServerOptions> = {}) {
  const target = memoryTarget()
  const events: WhipEvent[] = []
  const sessions: WhipSession[] = []
  const errors: Error[] = []
  const server: WhipServer = await startWhipServer({
    port: 0,
    onPublish: ({ stream = 'alice' }) => ({
      target,
      participantId: stream,
      onEvent: (event) => events.push(event),
      onSession: (session) => sessions.push(session),
    }),
    onError: (error) => errors.push(error),
    ...options,
  })
  open.push(server)
  return { server, target, events, sessions, errors }
}

async function publisher(): Promise<Publisher> {
  const one = await openPublisher(browser)
  open.push(one.page)
  return one
}

const videoOf = (tracks: readonly MemoryTrack[]): MemoryTrack | undefined => tracks.find(({ kind }) => kind === 'video')

/** Pictures come out whole, one after the other. */
async function checkPictures(track: MemoryTrack, atLeast: number): Promise<void> {
  const { units } = depacketize(track)
  expect(units[0]?.keyframe).toBe(true)
  expect(units.filter(({ lossBefore }) => lossBefore)).toHaveLength(0)
  const frames = await readCards(track.codec as 'h264', units)
  const counters = frames.map(({ counter }) => counter).filter((counter) => counter !== undefined)
  expect(frames.length).toBeGreaterThanOrEqual(atLeast)
  // A codec that has just begun may blur a cell; nearly all must be readable, and none may go back.
  expect(counters.length).toBeGreaterThan(frames.length * 0.9)
  expect(counters).toEqual([...counters].sort((a, b) => a - b))
  expect(counters.at(-1)! - counters[0]!).toBeGreaterThanOrEqual(atLeast)
}

describe.skipIf(!hasChromium && !process.env['CI'])('Chromium as the publisher', () => {
  beforeAll(async () => {
    browser = await openChromium()
  })
  afterAll(() => browser?.close())
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  test('sound and pictures arrive, requests are answered, DELETE ends the tracks', async () => {
    const { server, target, events, sessions, errors } = await serve()
    const alice = await publisher()
    const publication = await alice.publish({ url: server.url, audio: true })
    expect(publication.status).toBe(201)
    expect(publication.location).toMatch(/^\/whip\/sessions\/[\w-]+$/)
    await until(() => target.tracks.length === 2 && target.tracks.every(({ rtp }) => rtp.length > 60))
    // A keyframe is asked for as a recording does it: through the track.
    const video = videoOf(target.tracks)
    const before = depacketize(video!).units.filter(({ keyframe }) => keyframe).length
    video?.onKeyframeNeeded?.({ type: 'keyframe-needed', trackId: video.id, reason: 'start' })
    await until(() => depacketize(video!).units.filter(({ keyframe }) => keyframe).length > before)
    await until(() => target.tracks.every(({ rtcp }) => rtcp.length > 0))
    const found = async (type: string, key: string): Promise<unknown> =>
      (await alice.stats()).find((one) => one['type'] === type && one['kind'] !== 'audio')?.[key]
    await expect.poll(() => found('outbound-rtp', 'pliCount'), { timeout: 20_000 }).toBeGreaterThan(0)
    await expect.poll(() => found('remote-inbound-rtp', 'packetsLost'), { timeout: 20_000 }).toBeTypeOf('number')
    // How far the bit rate climbs depends on how busy this machine is; that it may climb, on this.
    expect(sessions[0]!.stats.feedbackSent).toBeGreaterThan(3)

    expect(await alice.unpublish()).toBe(200)
    expect(target.tracks.every(({ ended }) => ended)).toBe(true)
    expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'deleted' })
    const { undecryptable, malformed } = sessions[0]!.stats
    expect({ undecryptable, malformed, errors }).toEqual({ undecryptable: 0, malformed: 0, errors: [] })

    await checkPictures(video!, 30)
    const audio = target.tracks.find(({ kind }) => kind === 'audio')!
    const sound = depacketize(audio)
    expect(audio).toMatchObject({ codec: 'opus', clockRate: 48_000, channels: 2 })
    expect(sound.audioFrames).toBeGreaterThan(60)
    // Sound and picture have one clock.
    const names = [sound, depacketize(video!)].map(({ reports }) => reports[0]?.cname)
    expect(names[0]).toBeTypeOf('string')
    expect(names[1]).toBe(names[0])
  })

  test.for(['video/H264', 'video/VP8', 'video/VP9', 'video/AV1'])('%s', async (codec) => {
    const { server, target } = await serve()
    const alice = await publisher()
    expect((await alice.publish({ url: server.url, codec })).status).toBe(201)
    await until(
      () => (videoOf(target.tracks)?.rtp.length ?? 0) > 0 && depacketize(videoOf(target.tracks)!).units.length > 50,
      40_000,
    )
    await alice.unpublish()
    const video = videoOf(target.tracks)!
    expect(video.codec).toBe(codec.slice(6).toLowerCase())
    await checkPictures(video, 40)
  })

  test('candidates that come later, by PATCH; several publishers at the same time', async () => {
    const { server, target, events } = await serve()
    const [alice, bob] = [await publisher(), await publisher()]
    const publications = [
      await alice.publish({ url: `${server.url}/alice`, trickle: true }),
      await bob.publish({ url: `${server.url}/bob`, trickle: true }),
    ]
    expect(publications.map(({ patches }) => patches)).toEqual([[204], [204]])
    await until(() => target.tracks.length === 2 && target.tracks.every(({ rtp }) => rtp.length > 30))
    expect(target.tracks.map(({ participantId }) => participantId).sort()).toEqual(['alice', 'bob'])
    await alice.unpublish()
    const [first, second] = ['alice', 'bob'].map((name) => target.tracks.find((track) => track.participantId === name))
    expect(first?.ended).toBe(true)
    expect(second?.ended).toBe(false)
    // A page that is left says goodbye: nobody has to wait for silence.
    await bob.page.reload()
    await until(() => second?.ended === true)
    expect(events.filter(({ type }) => type === 'ended')).toMatchObject([{ reason: 'deleted' }, { reason: 'hung-up' }])
    expect((await bob.publish({ url: `${server.url}/bob` })).status).toBe(201)
    await until(() => target.tracks.length === 3 && (target.tracks[2]?.rtp.length ?? 0) > 10)
    expect(target.tracks[2]).toMatchObject({ participantId: 'bob', ended: false })
  })

  test('three encodings become one stream', async () => {
    const { server, target, events } = await serve()
    const alice = await publisher()
    const publication = await alice.publish({ url: server.url, codec: 'video/VP8', simulcast: ['h', 'm', 'l'] })
    expect(publication.answer).toContain('a=simulcast:recv h;m;l')
    await until(
      () => events.some(({ type }) => type === 'layer-changed') && (videoOf(target.tracks)?.rtp.length ?? 0) > 60,
    )
    await alice.unpublish()
    expect(target.tracks).toHaveLength(1)
    const { units } = depacketize(target.tracks[0]!)
    expect(units.filter(({ lossBefore }) => lossBefore)).toHaveLength(0)
    expect((await readCards('vp8', units)).length).toBeGreaterThan(20)
  })

  test('only who has the token may publish', async () => {
    const { server, target } = await serve({ authorize: (_request, token) => token === 'secret' })
    const alice = await publisher()
    expect((await alice.publish({ url: server.url })).status).toBe(401)
    expect((await alice.publish({ url: server.url, token: 'secret' })).status).toBe(201)
    await until(() => target.tracks.length === 1)
  })
})
