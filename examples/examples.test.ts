import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { parseMediaPlaylist } from '@rushes/hls-segmenter'
import { createMemoryStore, getWhole } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { checkMp4, checkTransportStream, readTransportStream } from '@rushes/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuditedStore } from './another-store.js'
import { muxAll } from './cores-without-streams.js'
import { recordKeyframes } from './own-stage.js'
import { recordCamera } from './pipeline-by-hand.js'
import { recordRoom } from './record-a-room.js'
import { recordEveryone, renderLecture, showPresentation } from './record-everyone.js'
import { customersBucket, recordInto, whatIsWrong } from './record-to-a-bucket.js'
import { renderTake } from './render-a-take.js'
import { recordAndTap } from './tap-access-units.js'
import { toTransportStream } from './transport-stream-out.js'

const fixture = (name: string): string => new URL(`../test/fixtures/${name}`, import.meta.url).pathname

/** RTP and RTCP packets of alice's camera, as a host has them. */
async function cameraPackets(take = 'ramp'): Promise<Buffer[]> {
  const packets: Buffer[] = []
  for await (const batch of (await openTake(fixture(take))).items({ tracks: ['alice-video'] })) {
    for (const item of batch) if (item.type === 'packet') packets.push(Buffer.from(item.data))
  }
  return packets
}

const accessUnitsOf = (bytes: Uint8Array): number => {
  const listing = readTransportStream(bytes)
  return listing.streams.reduce((count, stream) => count + stream.accessUnits.length, 0)
}

describe('examples', () => {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'rushes-examples-'))
  })
  afterAll(async () => {
    await rm(root, { recursive: true, force: true })
  })

  it('pipeline-by-hand writes an HLS recording with every picture', async () => {
    await recordCamera(Readable.from(await cameraPackets()), root)
    const folder = join(root, 'room-1')
    const playlist = parseMediaPlaylist(await readFile(join(folder, 'media.m3u8'), 'utf8'))
    expect(playlist.endList).toBe(true)
    const segments = await Promise.all(playlist.segments.map(({ uri }) => readFile(join(folder, uri))))
    expect(checkTransportStream(segments)).toEqual([])
    expect(accessUnitsOf(Buffer.concat(segments))).toBe(535)
    expect(await readdir(folder)).toContain('index.m3u8')
  })

  it('transport-stream-out pipes the bytes', async () => {
    const out = new PassThrough()
    const chunks: Buffer[] = []
    out.on('data', (chunk: Buffer) => chunks.push(chunk))
    await toTransportStream(Readable.from(await cameraPackets()), out)
    const bytes = Buffer.concat(chunks)
    expect(checkTransportStream(bytes)).toEqual([])
    expect(accessUnitsOf(bytes)).toBe(535)
  })

  it('cores-without-streams gives the same bytes', async () => {
    const packets = await cameraPackets()
    const out = new PassThrough()
    const chunks: Buffer[] = []
    out.on('data', (chunk: Buffer) => chunks.push(chunk))
    await toTransportStream(Readable.from(packets), out)
    expect(Buffer.concat(muxAll(packets)).equals(Buffer.concat(chunks))).toBe(true)
  })

  it('own-stage keeps keyframes only', async () => {
    const store = createMemoryStore()
    const kept = await recordKeyframes(Readable.from(await cameraPackets()), store)
    expect(kept).toBe(7)
    const playlist = parseMediaPlaylist(new TextDecoder().decode(await getWhole(store, 'preview/media.m3u8')))
    const segments = await Promise.all(playlist.segments.map(({ uri }) => getWhole(store, `preview/${uri}`)))
    expect(accessUnitsOf(Buffer.concat(segments))).toBe(7)
  })

  it('tap-access-units sees each keyframe and loses nothing', async () => {
    const store = createMemoryStore()
    const sizes: string[] = []
    await recordAndTap(Readable.from(await cameraPackets()), store, ({ configuration, nalUnits }) => {
      expect(nalUnits.length).toBeGreaterThanOrEqual(3)
      if (configuration !== undefined) sizes.push(`${configuration.width}x${configuration.height}`)
    })
    expect(sizes).toEqual(['640x360', '960x540', '1280x720'])
  })

  it('render-a-take names by the template, and another-store sees every object in its order', async () => {
    const store = createAuditedStore()
    const manifest = await renderTake(fixture('solo'), store)
    expect(manifest.outputs.map((output) => output.key)).toEqual([
      'solo/20261121/solo-alice/index.m3u8',
      'solo/20261121/solo-alice.mp4',
    ])
    expect(manifest.outputs.every((output) => output.audio?.sampleRate === 44_100)).toBe(true)
    const keys = store.log.map((entry) => entry.key)
    const playlist = keys.indexOf('solo/20261121/solo-alice/media.m3u8')
    const segments = keys.filter((key) => key.endsWith('.ts'))
    expect(segments.length).toBeGreaterThan(1)
    for (const segment of segments) expect(keys.indexOf(segment)).toBeLessThan(playlist)
    expect(keys.at(-1)).toBe('solo/manifest.json')
  })

  it('the README example runs as it stands', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const code = /<!-- tested: examples\/examples\.test\.ts -->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1]
    expect(code).toBeDefined()
    const own = (code as string).replaceAll('./recordings', root).replaceAll('./takes/meeting3', fixture('meeting3'))
    const file = new URL(`./.readme-example-${process.pid}.ts`, import.meta.url)
    const lines: string[] = []
    const log = console.log
    try {
      await writeFile(file, own)
      console.log = (...words: unknown[]) => void lines.push(words.join(' '))
      await import(/* @vite-ignore */ file.href)
    } finally {
      console.log = log
      await rm(file, { force: true })
    }
    expect(lines).toHaveLength(6)
    expect(lines.filter((line) => line.startsWith('bob mp4'))).toHaveLength(1)
  })

  it('record-to-a-bucket says what is wrong, and is through when everything is in the store', async () => {
    const bucket = customersBucket('tenant-42')
    expect(bucket.locationOf('room/index.m3u8')).toBe('s3://calls/recordings/room/index.m3u8')
    await bucket.close?.()
    expect(await whatIsWrong(createLocalStore({ root: fixture('solo/session.json') }))).toMatch(/^root: Check that /)
    const store = createMemoryStore()
    expect(await whatIsWrong(store)).toBeUndefined()
    const { recorder, close } = await recordInto(store, join(root, 'bucket'))
    const recording = await recorder.start({ roomId: 'room', recordingId: 'r', media: 'video', formats: ['hls'] })
    const camera = recording.addTrack({ participantId: 'alice', kind: 'video', codec: 'h264', clockRate: 90_000 })
    for (const packet of await cameraPackets()) camera.write(packet)
    await close()
    expect([...store.objects.keys()].filter((key) => !key.endsWith('.ts')).sort()).toEqual([
      'r/alice/index.m3u8',
      'r/alice/media.m3u8',
      'r/manifest.json',
    ])
  })

  it('record-a-room records while it happens, and stops when everybody has gone', async () => {
    const take = await openTake(fixture('solo'))
    const packetsOf = async function* (trackId: string) {
      for await (const batch of take.items({ tracks: [trackId] })) {
        for (const item of batch) if (item.type === 'packet') yield item.data
        await new Promise(setImmediate)
      }
    }
    const events: string[] = []
    const dir = join(root, 'room')
    const tracks = [
      { participantId: 'alice', kind: 'video', codec: 'h264', packets: packetsOf('alice-video') },
      { participantId: 'alice', kind: 'audio', codec: 'opus', packets: packetsOf('alice-audio') },
    ] as const
    const manifest = await recordRoom(dir, tracks, (type) => events.push(type))
    expect(events).toEqual(expect.arrayContaining(['PLI', 'RECORDING', 'PARTICIPANT_LEFT', 'STOP', 'LINK', 'READY']))
    expect(manifest.outputs.map(({ container }) => container)).toEqual(['hls', 'mp4'])
    expect(await readdir(join(dir, 'recordings', manifest.recordingId))).toEqual(
      expect.arrayContaining(['alice', 'alice.mp4', 'manifest.json']),
    )
    expect(await readdir(join(dir, 'takes')), 'the journal has done its work').toEqual([])
  })

  it('record-everyone follows a change of the layout, and renders the take again in another', async () => {
    const take = await openTake(fixture('meeting3'))
    let began: number | undefined
    let changeLayout = (): void => {}
    const packetsOf = async function* (trackId: string) {
      began ??= performance.now()
      for await (const batch of take.items({ tracks: [trackId] })) {
        for (const item of batch) {
          if (item.type !== 'packet') continue
          if (item.arrivalUs > 6_000_000) return
          // As it came: what composites show is told by the time at which it is told.
          const aheadMs = item.arrivalUs / 1000 - (performance.now() - began)
          if (aheadMs > 5) await new Promise((resolve) => setTimeout(resolve, aheadMs))
          if (trackId === 'alice-audio' && item.arrivalUs > 4_000_000) changeLayout()
          yield item.data
        }
      }
    }
    const tracks = [
      { participantId: 'alice', kind: 'video', codec: 'h264', packets: packetsOf('alice-video') },
      { participantId: 'alice', kind: 'audio', codec: 'opus', packets: packetsOf('alice-audio') },
      { participantId: 'bob', kind: 'video', codec: 'h264', packets: packetsOf('bob-video') },
      { participantId: 'bob', kind: 'audio', codec: 'opus', packets: packetsOf('bob-audio') },
    ] as const
    const dir = join(root, 'everyone')
    const { recordingId, outputs, layouts } = await recordEveryone(dir, tracks, (recording) => {
      changeLayout = () => {
        changeLayout = () => {}
        showPresentation(recording)
      }
    })
    expect(outputs.map(({ kind, participantId, container }) => `${participantId ?? kind} ${container}`)).toEqual([
      'alice hls',
      'alice mp4',
      'bob hls',
      'bob mp4',
      'composite hls',
      'composite mp4',
    ])
    expect([...new Set(layouts.map(({ name }) => name))]).toEqual(['grid', 'presentation'])
    const changeUs = layouts.find(({ name }) => name === 'presentation')?.startUs as number
    expect(changeUs).toBeGreaterThan(3_500_000)
    expect(await checkMp4(await readFile(join(dir, 'recordings', recordingId, 'composite.mp4')))).toEqual([])

    const lecture = await renderLecture(dir, recordingId)
    expect(lecture.outputs).toMatchObject([
      { kind: 'composite', name: 'lecture', key: `${recordingId}/lecture.mp4`, video: { width: 640, height: 360 } },
    ])
    expect(new Set(lecture.layouts.map(({ name }) => name))).toEqual(new Set(['lecture']))
    expect(
      lecture.layouts
        .at(-1)
        ?.tiles.map(({ participantId }) => participantId)
        .sort(),
    ).toEqual(['alice', 'bob'])
    expect(await checkMp4(await readFile(join(dir, 'lectures', recordingId, 'lecture.mp4')))).toEqual([])
  }, 60_000)
})
