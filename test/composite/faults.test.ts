import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CompositeSettings } from '@rushes/compositor'
import { openTake, type TakeRecord } from '@rushes/take'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeWithFfmpeg } from '../conformance/ffmpeg.js'
import { replay } from '../conformance/replay.js'
import { seededRandom } from '../long/seeded-random.js'
import { AlteredTake, type AlterPacket } from './altered-take.js'
import { compositeComplaints, measureComposite } from './judge-composite.js'
import { encodePictures, type MadeTrack, makeTake } from './make-take.js'
import { fixture, type RenderedComposite, renderSource } from './render-composite.js'
import { readSentCall } from './sent-call.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const SETTINGS: CompositeSettings = {
  layout: { type: 'grid', tile: { fit: 'contain' } },
  size: '640x360',
  transitionMs: 0,
}

describe.skipIf(!hasFfmpeg && process.env['CI'] === undefined)(
  'faults of sources in a composite (needs ffmpeg)',
  () => {
    let dir = ''
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'rushes-composite-faults-'))
    })
    afterAll(async () => {
      await rm(dir, { recursive: true, force: true })
    })

    /** The composite goes on to the end, and is well for all but `who`. */
    const expectWell = async (composite: RenderedComposite, who: string): Promise<void> => {
      const { manifest, output, path } = composite
      expect((await decodeWithFfmpeg(path)).complaints).toEqual([])
      const call = await readSentCall(fixture('meeting3'))
      const measure = await measureComposite(path, manifest, output, call, { fps: 30, exactShare: 0.9 })
      expect(measure.pictures).toBeGreaterThan(590)
      const complaints = compositeComplaints({
        ...measure,
        tiles: measure.tiles.filter(({ participantId }) => participantId !== who),
        presenceFaults: measure.presenceFaults.filter((fault) => !fault.startsWith(who)),
        sound: { ...measure.sound, faults: measure.sound.faults.filter((fault) => !fault.startsWith(who)) },
      })
      expect(complaints.filter((complaint) => !complaint.startsWith(`${who}:`))).toEqual([])
    }

    const random = seededRandom(4711)
    const garbled = (packet: TakeRecord, from: number): TakeRecord => {
      const data = packet.data.slice()
      for (let at = from; at < data.byteLength; at++) data[at] = random.integer(256)
      return { ...packet, data }
    }
    const isOfBob = (packet: TakeRecord, fromUs: number, toUs: number): boolean =>
      packet.trackId.startsWith('bob') && packet.arrivalUs >= fromUs && packet.arrivalUs < toUs
    const faults: [string, AlterPacket][] = [
      ['stalls for four seconds', (packet) => (isOfBob(packet, 6e6, 10e6) ? undefined : packet)],
      [
        'sends pictures and sound of random bytes',
        (packet) => (isOfBob(packet, 6e6, 10e6) && !packet.rtcp ? garbled(packet, 12) : packet),
      ],
      [
        'sends every second picture with a damaged middle',
        (packet) => (isOfBob(packet, 6e6, 10e6) && packet.data.byteLength > 600 ? garbled(packet, 300) : packet),
      ],
      [
        'sends packets of random bytes altogether',
        (packet) => (isOfBob(packet, 6e6, 10e6) ? garbled(packet, 1) : packet),
      ],
    ]
    it.each(faults)('offline: goes on while somebody %s', async (_, alter) => {
      const source = await AlteredTake.open(fixture('meeting3'), { alter })
      await expectWell(await renderSource(source, SETTINGS, join(dir, 'offline')), 'bob')
    })
    it.each(faults.slice(0, 2))('live: goes on while somebody %s', async (_, alter) => {
      const source = replay(await AlteredTake.open(fixture('meeting3'), { alter }))
      const { manifest, path } = await renderSource(source, SETTINGS, join(dir, 'live'))
      expect((await decodeWithFfmpeg(path)).complaints).toEqual([])
      expect(manifest.durationUs).toBeGreaterThan(19_500_000)
    })

    it.each([
      ['sound', (id: string) => id !== 'bob-video'],
      ['a picture', (id: string) => id !== 'bob-audio'],
    ] as const)('takes who sends only %s', async (what, keeps) => {
      const source = await AlteredTake.open(fixture('meeting3'), { keep: ({ id }) => keeps(id) })
      const composite = await renderSource(source, SETTINGS, join(dir, 'only'))
      await expectWell(composite, 'bob')
      const bob = composite.manifest.layouts.flatMap(({ tiles }) =>
        tiles.filter((tile) => tile.participantId === 'bob'),
      )
      expect(bob.length).toBeGreaterThan(0)
      expect(bob.some((tile) => !tile.placeholder)).toBe(what === 'a picture')
    })

    it('follows a source that changes its size every second', async () => {
      const sizes = ['640x360', '320x180', '360x640', '1280x720', '182x98', '480x480']
      const pictures: Uint8Array[][] = []
      for (const [index, size] of sizes.entries()) {
        const source = `testsrc2=size=${size}:rate=30`
        pictures.push(
          ...(await encodePictures(join(dir, `${index}.h264`), {
            source,
            seconds: 1,
            bitRate: '800k',
            keyframeEvery: 30,
          })),
        )
      }
      const tracks: MadeTrack[] = [{ participantId: 'bob', id: 'bob-video', pictures, fps: 30, fromMs: 0 }]
      await makeTake(join(dir, 'sizes'), tracks, 6000)
      const { manifest, path } = await renderSource(
        await openTake(join(dir, 'sizes')),
        SETTINGS,
        join(dir, 'sizes-out'),
      )
      expect((await decodeWithFfmpeg(path)).complaints).toEqual([])
      const shapes = manifest.layouts
        .flatMap(({ tiles }) => tiles.map(({ picture }) => picture))
        .filter((picture) => picture !== undefined)
        .map(({ width, height }) => width / height)
      expect(shapes).toHaveLength(5)
      const wanted = [640 / 360, 360 / 640, 1280 / 720, 182 / 98, 1]
      for (const [index, shape] of shapes.entries()) expect(shape).toBeCloseTo(wanted[index] as number, 1)
    })

    it('lets somebody join and leave a hundred times', async () => {
      const source = 'testsrc2=size=320x180:rate=30'
      const path = join(dir, 'short.h264')
      const pictures = await encodePictures(path, { source, seconds: 20, bitRate: '300k', keyframeEvery: 6 })
      const stays = Array.from({ length: 100 }, (_, i) => i)
      const tracks: MadeTrack[] = [
        { participantId: 'alice', id: 'alice-video', pictures, fps: 30, fromMs: 0 },
        ...stays.map((i) => ({
          ...{ participantId: 'bob', id: `bob-video-${i}`, fps: 30, fromMs: i * 200 },
          pictures: pictures.slice(i * 6, i * 6 + 3),
        })),
      ]
      const events = stays.flatMap((i) => [
        { atMs: i * 200, type: 'join', participant: 'bob' },
        { atMs: i * 200 + 100, type: 'leave', participant: 'bob' },
      ])
      await makeTake(join(dir, 'hundred'), tracks, 20_000, events)
      const { manifest, path: made } = await renderSource(
        await openTake(join(dir, 'hundred')),
        SETTINGS,
        join(dir, 'hundred-out'),
      )
      expect((await decodeWithFfmpeg(made)).complaints).toEqual([])
      const hasBob = manifest.layouts.map(({ tiles }) => tiles.some(({ participantId }) => participantId === 'bob'))
      expect(hasBob.filter((has, i) => has && hasBob[i - 1] !== true)).toHaveLength(100)
      const alone = manifest.layouts.every(({ tiles }) => tiles.some(({ participantId }) => participantId === 'alice'))
      expect(alone).toBe(true)
    })

    it('leaves the place of somebody free who is not there', async () => {
      const source = await openTake(fixture('meeting3'))
      const regions = [
        { x: 0, y: 0, width: 0.5, height: 1, participants: ['zoe'] },
        { x: 0.5, y: 0, width: 0.5, height: 1, participants: ['alice'] },
      ]
      const layout = { type: 'custom', tile: { fit: 'contain' }, regions } as const
      const { manifest, path } = await renderSource(source, { ...SETTINGS, layout }, join(dir, 'absent'))
      expect((await decodeWithFfmpeg(path)).complaints).toEqual([])
      const shown = new Set(manifest.layouts.flatMap(({ tiles }) => tiles.map(({ participantId }) => participantId)))
      expect([...shown]).toEqual(['alice'])
    })

    it('refuses a layout that is none, with its path, before anything is read', async () => {
      const source = await openTake(fixture('meeting3'))
      const layout = { type: 'custom', regions: [{ x: 0, y: 0, width: 'wide', height: 1 }] } as unknown as 'grid'
      await expect(renderSource(source, { ...SETTINGS, layout }, join(dir, 'bad'))).rejects.toMatchObject({
        code: 'LAYOUT_INVALID',
        message: expect.stringContaining('width'),
      })
    })
  },
)
