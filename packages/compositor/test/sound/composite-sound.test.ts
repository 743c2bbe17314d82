import type { AudioTrack, EncodedSample, TimedItem } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import {
  type AudioTrackReference,
  measureSilence,
  readBeeps,
  readTakeReference,
} from '../../../testkit/src/card/index.js'
import { CompositeSound } from '../../src/sound/composite-sound.js'
import type { CompositeSoundOptions } from '../../src/sound/composite-sound-options.js'
import { decodeAac, hasFfmpeg, withAacFile } from './aac-file.js'
import { type TakeAudio, takeAudio, takeDir } from './take-audio.js'
import { db } from './tones.js'

/** The AAC of a take, mixed in steps of `stepUs` as it becomes known. */
async function compose(
  take: TakeAudio,
  options: CompositeSoundOptions & { gainDb?: number; solo?: string; stepUs?: number; fromUs?: number } = {},
): Promise<{ samples: EncodedSample[]; items: TimedItem[]; stats: CompositeSound['stats'] }> {
  const { gainDb = 0, solo, stepUs = 100_000, fromUs = 0, ...rest } = options
  const sound = await CompositeSound.create(rest)
  const items: TimedItem[] = []
  const emit = (item: TimedItem): void => void items.push(item)
  for (const { track, participantId } of take.tracks) {
    await sound.addTrack(track, participantId)
    sound.setGain(participantId, gainDb, 0)
  }
  if (solo !== undefined) sound.setSolo(solo, true)
  let done = fromUs
  for (const item of take.items) {
    if (item.type === 'sample' && item.pts < (fromUs * 48) / 1000) continue
    sound.push(item)
    const known = Math.min(sound.knownUntilUs, take.durationUs)
    if (known < done + stepUs) continue
    sound.mixUntil(known, emit)
    done = known
  }
  sound.flush(emit, take.durationUs)
  const samples = items.filter((item) => item.type === 'sample')
  return { samples, items, stats: sound.stats }
}

function expectContinuous(samples: readonly EncodedSample[], first: number, end: number): void {
  expect(samples.map(({ pts }) => pts)).toEqual(samples.map((_, index) => first + index * 1024))
  expect(samples[0]!.configuration).toMatchObject({ kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2' })
  expect(samples.filter(({ configuration }) => configuration !== undefined)).toHaveLength(1)
  expect(samples.at(-1)!.pts + samples.at(-1)!.duration!).toBe(end)
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('real calls', () => {
  test.each([
    ['solo', 48_000, 2, 0],
    ['solo', 44_100, 1, 0],
    ['meeting3', 48_000, 2, -10],
    ['meeting3', 44_100, 2, -10],
    ['rejoin', 48_000, 1, -10],
    ['lossy', 48_000, 2, 0],
    ['mutes', 48_000, 2, 0],
    ['mutes', 44_100, 1, 0],
  ] as const)(
    '%s at %i Hz, %i channels: every beep where and as loud as it was',
    async (name, sampleRate, channels, gainDb) => {
      const take = await takeAudio(name)
      const { samples, stats } = await compose(take, { sampleRate, channels, gainDb })
      expectContinuous(samples, 0, Math.floor((take.durationUs * sampleRate) / 1e6))
      expect(stats).toMatchObject({
        tracks: take.tracks.length,
        decodeErrors: 0,
        strayItems: 0,
        lateSamples: 0,
        overflowSamples: 0,
        limitedSamples: 0,
      })
      const reference = await readTakeReference(takeDir(name))
      await withAacFile(samples, async (file) => {
        for (const participantId of new Set(take.tracks.map((track) => track.participantId))) {
          const toneHz = take.tracks.find((track) => track.participantId === participantId)!.toneHz
          const heard = await readBeeps(file, { toneHz, minLevel: 0.02 })
          const sent = reference.tracks
            .filter((track) => track.kind === 'audio')
            .filter((track) => track.participantId === participantId)
            .flatMap(({ beeps }) => beeps)
            .map((beep) => ({ ...beep, atUs: beep.ntpUs - take.startedAtUs }))
            // Cut off at the start or the end there is none to be heard.
            .filter(({ atUs }) => atUs > 100_000 && atUs < take.durationUs - 150_000)
          expect(sent.length).toBeGreaterThan(9)
          const offsets: number[] = []
          // The median, since of a beep that was partly lost less came than is heard: it is concealed.
          const level = sent.map((beep) => beep.level).sort((one, other) => one - other)[sent.length >> 1]!
          for (const { atUs } of sent) {
            const beep = heard.find((one) => Math.abs(one.atUs - atUs) < 100_000)
            expect(beep, `the beep of ${participantId} at ${atUs}`).toBeDefined()
            offsets.push(Math.abs(beep!.atUs - atUs))
            expect(Math.abs(db(beep!.level / level) - gainDb)).toBeLessThan(1)
          }
          expect(Math.max(...offsets)).toBeLessThan(20_000)
          offsets.sort((a, b) => a - b)
          // Tones that begin within the 10 ms of the reader's window disturb each other.
          expect(offsets[Math.floor(offsets.length / 2)]).toBeLessThan(take.tracks.length === 1 ? 500 : 5_000)
        }
      })
    },
  )

  test('one of three alone: not half a millisecond off, and nothing of the others', async () => {
    const take = await takeAudio('meeting3')
    const { samples } = await compose(take, { solo: 'bob' })
    const reference = await readTakeReference(takeDir('meeting3'))
    const sent = reference.tracks.find(({ trackId }) => trackId === 'bob-audio') as AudioTrackReference
    await withAacFile(samples, async (file) => {
      const heard = await readBeeps(file, { toneHz: 500 })
      expect(heard).toHaveLength(sent.beeps.length)
      for (const [index, { ntpUs, level }] of sent.beeps.entries()) {
        expect(Math.abs(heard[index]!.atUs - (ntpUs - take.startedAtUs))).toBeLessThan(500)
        expect(Math.abs(db(heard[index]!.level / level))).toBeLessThan(0.5)
      }
      for (const toneHz of [400, 600]) expect(await readBeeps(file, { toneHz, minLevel: 0.002 })).toEqual([])
    })
  })

  test('where everybody is muted, nothing is heard', async () => {
    const take = await takeAudio('mutes')
    const { samples } = await compose(take)
    await withAacFile(samples, async (file) => {
      const { silences } = await measureSilence(file)
      // The microphone is off from 4.0 to 8.0 s; a packet and a frame of AAC reach beyond.
      expect(silences.some(({ startUs, endUs }) => startUs < 4_150_000 && endUs > 7_850_000)).toBe(true)
    })
  })

  test('three people at full level: limited alike, nothing clipped', async () => {
    const take = await takeAudio('meeting3')
    const { samples, stats } = await compose(take)
    expect(stats.limitedSamples).toBeGreaterThan(0)
    for (const plane of decodeAac(samples)) {
      // What the coder adds on top of the ceiling of -1 dBFS.
      expect(plane.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThan(1)
    }
    await withAacFile(samples, async (file) => {
      const [alice, bob, carol] = await Promise.all([400, 500, 600].map((toneHz) => readBeeps(file, { toneHz })))
      // From 6 to 14 s all three are there.
      for (const beep of alice!.filter(({ atUs }) => atUs > 7_000_000 && atUs < 13_500_000)) {
        for (const other of [bob!, carol!]) {
          const same = other.find(({ atUs }) => Math.abs(atUs - beep.atUs) < 50_000)
          expect(Math.abs(db(same!.level / beep.level))).toBeLessThan(1.5)
          expect(Math.abs(db(same!.levelBefore / 0.02))).toBeLessThan(1.5)
        }
      }
    })
  })

  test('the same frames in whatever steps it is mixed', async () => {
    const take = await takeAudio('rejoin')
    const fine = await compose(take, { stepUs: 1 })
    const coarse = await compose(take, { stepUs: 7_000_000 })
    expect(coarse.stats.overflowSamples).toBe(0)
    expect(fine.samples.map(({ data }) => Buffer.from(data as Uint8Array).toString('base64'))).toEqual(
      coarse.samples.map(({ data }) => Buffer.from(data as Uint8Array).toString('base64')),
    )
    let promised = Number.NEGATIVE_INFINITY
    for (const item of fine.items) {
      if (item.type === 'track-end') continue
      expect(item.dts).toBeGreaterThanOrEqual(promised)
      promised = item.type === 'watermark' ? item.dts : item.dts + item.duration!
    }
    expect(fine.items.at(-1)).toEqual({ type: 'track-end', trackId: 'composite-audio' })
  })

  test('a piece fits into the whole', async () => {
    const take = await takeAudio('meeting3')
    const [whole] = decodeAac((await compose(take)).samples)
    const startUs = 9_000_000
    const { samples } = await compose(take, { startUs, fromUs: startUs - 2_000_000 })
    const first = Math.floor((9 * 48_000) / 1024) * 1024
    expectContinuous(samples, first, Math.floor((take.durationUs * 48) / 1000))
    const [piece] = decodeAac(samples)
    let difference = 0
    // The first frame of a file that is cut out of another lacks the one before it.
    for (let index = 2048; index < piece!.length; index++) {
      difference = Math.max(difference, Math.abs(piece![index]! - whole![first + index]!))
    }
    expect(db(difference)).toBeLessThan(-35)
  })
})

describe('tracks', () => {
  const track: AudioTrack = { id: 'a', kind: 'audio', codec: 'pcmu', clockRate: 8000 }
  /** 20 ms of a loud square wave. */
  const packet = (ms: number, trackId = 'a'): TimedItem => ({
    type: 'sample',
    trackId,
    data: Uint8Array.from({ length: 160 }, (_, index) => (index % 16 < 8 ? 0x80 : 0x00)),
    pts: ms * 8,
    dts: ms * 8,
    keyframe: true,
  })
  const watermark = (ms: number, trackId = 'a'): TimedItem => ({ type: 'watermark', trackId, dts: ms * 8 })
  const levelsOf = async (
    use: (sound: CompositeSound) => Promise<void> | void,
  ): Promise<[string, number, boolean][]> => {
    const levels: [string, number, boolean][] = []
    const sound = await CompositeSound.create({
      onLevel: (id, atUs, level) => void levels.push([id, atUs / 1000, level > -20]),
    })
    await use(sound)
    sound.close()
    return levels
  }

  test('known until: the least of all tracks, moved by packets and watermarks', async () => {
    const sound = await CompositeSound.create()
    expect(sound.knownUntilUs).toBe(Number.POSITIVE_INFINITY)
    const added = sound.addTrack(track, 'alice')
    expect(sound.knownUntilUs).toBe(0)
    await added
    sound.push(watermark(500))
    expect(sound.knownUntilUs).toBe(500_000)
    for (let ms = 600; ms < 1000; ms += 20) sound.push(packet(ms))
    expect(sound.knownUntilUs).toBeGreaterThan(950_000)
    expect(sound.knownUntilUs).toBeLessThan(1_000_000)
    await sound.addTrack({ ...track, id: 'b' }, 'bob')
    expect(sound.knownUntilUs).toBe(0)
    sound.push(watermark(2000, 'b'))
    sound.push(watermark(3000))
    expect(sound.knownUntilUs).toBe(2_000_000)
    sound.push({ type: 'track-end', trackId: 'b' })
    expect(sound.knownUntilUs).toBeGreaterThan(2_950_000)
    sound.mixUntil(2_999_000, () => {})
    expect(sound.knownUntilUs).toBeGreaterThanOrEqual(2_999_000)
    sound.push({ type: 'track-end', trackId: 'a' })
    expect(sound.knownUntilUs).toBe(Number.POSITIVE_INFINITY)
    sound.close()
  })

  test('items that come before their decoder wait for it', async () => {
    const levels = await levelsOf(async (sound) => {
      const added = sound.addTrack(track, 'alice')
      for (let ms = 0; ms < 200; ms += 20) sound.push(packet(ms))
      sound.push({ type: 'track-end', trackId: 'a' })
      await added
      expect(sound.knownUntilUs).toBe(Number.POSITIVE_INFINITY)
      sound.mixUntil(300_000, () => {})
    })
    expect(levels.filter(([, , loud]) => loud).map(([, ms]) => ms)).toEqual([
      0, 20, 40, 60, 80, 100, 120, 140, 160, 180,
    ])
  })

  test('mixed beyond what is known: what is there is heard, what comes later is dropped and counted', async () => {
    await levelsOf(async (sound) => {
      await sound.addTrack(track, 'alice')
      for (let ms = 0; ms < 200; ms += 20) sound.push(packet(ms))
      const emitted: TimedItem[] = []
      sound.mixUntil(300_000, (item) => void emitted.push(item))
      expect(emitted.some(({ type }) => type === 'sample')).toBe(true)
      for (let ms = 200; ms < 280; ms += 20) sound.push(packet(ms))
      expect(sound.stats).toMatchObject({ packetsIn: 14, lateSamples: 0 })
      sound.push(packet(400))
      sound.mixUntil(500_000, () => {})
    }).then((levels) => {
      const loud = levels.filter(([, , isLoud]) => isLoud).map(([, ms]) => ms)
      expect(loud).toEqual([0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 400])
    })
  })

  test('a track that comes too late is dropped up to now', async () => {
    await levelsOf(async (sound) => {
      sound.mixUntil(100_000, () => {})
      await sound.addTrack(track, 'alice')
      for (let ms = 0; ms < 300; ms += 20) sound.push(packet(ms))
      sound.push(watermark(400))
      expect(sound.stats.lateSamples).toBe(4800)
      sound.mixUntil(300_000, () => {})
    }).then((levels) => expect(levels.filter(([, , loud]) => loud).map(([, ms]) => ms)[0]).toBe(100))
  })

  test('a track id may come again, strays are counted, garbage is', async () => {
    const sound = await CompositeSound.create({ trackId: 'mix', channels: 1 })
    expect(sound.track).toMatchObject({ id: 'mix', codec: 'aac', clockRate: 48_000, timescale: 48_000, channels: 1 })
    await sound.addTrack(track, 'alice')
    await expect(sound.addTrack(track, 'bob')).rejects.toMatchObject({ field: 'track.id' })
    sound.push(packet(0))
    sound.push({ ...packet(20), data: new Uint8Array(0) } as TimedItem)
    sound.push({ type: 'track-end', trackId: 'a' })
    sound.push(packet(40))
    await sound.addTrack(track, 'alice')
    sound.push(packet(100))
    sound.push({ type: 'track-end', trackId: 'a' })
    const samples: EncodedSample[] = []
    sound.mixUntil(200_000, (item) => item.type === 'sample' && samples.push(item))
    sound.flush((item) => item.type === 'sample' && samples.push(item), 250_010)
    expectContinuous(samples, 0, 12_000)
    expect(sound.stats).toMatchObject({
      tracks: 2,
      packetsIn: 4,
      strayItems: 1,
      decodeErrors: 1,
      framesOut: samples.length,
    })
    // Closed: nothing happens any more.
    sound.mixUntil(900_000, () => expect.unreachable())
    sound.flush(() => expect.unreachable())
    sound.close()
  })

  test('a hundred joins and leaves, four at a time: each is heard in its time, and nothing is left of it', async () => {
    const levels: [string, number][] = []
    const sound = await CompositeSound.create({
      onLevel: (id, atUs, level) => level > -30 && levels.push([id, atUs / 1000]),
    })
    const samples: EncodedSample[] = []
    for (let join = 0; join < 100; join++) {
      const from = join * 100
      await sound.addTrack({ ...track, id: `track-${join}` }, `person-${join % 7}`)
      for (let ms = from; ms < from + 400; ms += 20) sound.push(packet(ms, `track-${join}`))
      if (join >= 3) sound.push({ type: 'track-end', trackId: `track-${join - 3}` })
      sound.mixUntil(from, (item) => item.type === 'sample' && samples.push(item))
    }
    for (let join = 97; join < 100; join++) sound.push({ type: 'track-end', trackId: `track-${join}` })
    expect(sound.knownUntilUs).toBe(Number.POSITIVE_INFINITY)
    sound.flush((item) => item.type === 'sample' && samples.push(item), 11_000_000)
    expectContinuous(samples, 0, 11 * 48_000)
    expect(sound.stats).toMatchObject({ tracks: 100, packetsIn: 2000, strayItems: 0, lateSamples: 0 })
    // 400 ms each, of 700 from one join of a person to the next.
    for (let person = 0; person < 7; person++) {
      const times = levels.filter(([id]) => id === `person-${person}`).map(([, ms]) => ms)
      const joins = Array.from({ length: 100 }, (_, join) => join).filter((join) => join % 7 === person)
      expect(times).toEqual(joins.flatMap((join) => Array.from({ length: 20 }, (_, index) => join * 100 + index * 20)))
    }
  })

  test('ten square waves at once: decoded, they are over the ceiling by no more than the coder adds', async () => {
    const sound = await CompositeSound.create({ channels: 1 })
    for (let person = 0; person < 10; person++) await sound.addTrack({ ...track, id: `${person}` }, `${person}`)
    const samples: EncodedSample[] = []
    for (let ms = 0; ms < 2000; ms += 20) {
      for (let person = 0; person < 10; person++) sound.push(packet(ms, `${person}`))
    }
    sound.flush((item) => item.type === 'sample' && samples.push(item), 2_000_000)
    expect(sound.stats.maxReductionDb).toBeGreaterThan(18)
    const [plane] = decodeAac(samples)
    expect(plane!.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThan(1.06)
  })

  test('without a track there is silence of the exact length', async () => {
    const sound = await CompositeSound.create({ sampleRate: 44_100 })
    const samples: EncodedSample[] = []
    const emit = (item: TimedItem): void => {
      if (item.type === 'sample') samples.push(item)
    }
    sound.mixUntil(1_234_567, emit)
    sound.flush(emit)
    expectContinuous(samples, 0, Math.floor(1.234567 * 44_100))
  })

  test('a decoder that cannot be made leaves nothing behind', async () => {
    const sound = await CompositeSound.create()
    await expect(sound.addTrack({ ...track, codec: 'aac' }, 'alice')).rejects.toMatchObject({ field: 'track.codec' })
    expect(sound.knownUntilUs).toBe(Number.POSITIVE_INFINITY)
    await sound.addTrack(track, 'alice')
    sound.close()
  })

  test.each([
    [{ startUs: -1 }, 'startUs'],
    [{ concealment: 'none' as 'plc' }, 'concealment'],
    [{ bitRate: 1 }, 'bitRate'],
    [{ sampleRate: 1 as 48_000 }, 'sampleRate'],
    [{ encoder: 'mp3' as 'aac' }, 'encoder'],
  ])('refuses %o', async (options, field) => {
    await expect(CompositeSound.create(options)).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field })
  })
})
