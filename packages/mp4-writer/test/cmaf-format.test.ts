import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncodedSample, Track } from '@rushes/media'
import { ConfigurationError } from '@rushes/media'
import { checkMp4, formatFindings } from '@rushes/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CmafFormat, type CmafFormatOptions, cmafFormat } from '../src/index.js'
import { hevcPictures, merged, tone, videoTrack, voice, webPictures } from './encoded.js'
import {
  aac,
  aacFrames,
  camera,
  decode,
  frameSizes,
  hasFfmpeg,
  opusSample,
  pictures,
  probe,
  probePackets,
  shifted,
  temporaryFolder,
} from './media.js'

let folder: { path: string; remove: () => void }
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'call.mp4')
})
afterEach(() => folder.remove())

interface Segments {
  readonly format: CmafFormat
  /** Before each segment, what EXT-X-MAP would name. */
  readonly headers: Uint8Array[]
  readonly segments: Uint8Array[]
}

/** Cuts before every keyframe of `camera`, or of sound every second. */
function segment(
  samples: readonly EncodedSample[],
  tracks: readonly Track[],
  options: CmafFormatOptions = {},
): Segments {
  const format = cmafFormat(tracks, { offsetUs: 0, ...options })
  const headers: Uint8Array[] = []
  const segments: Uint8Array[] = []
  let parts: Uint8Array[] | undefined
  const emit = (bytes: Uint8Array): void => void parts?.push(bytes)
  const end = (): void => {
    if (parts === undefined) return
    format.end(emit)
    segments.push(Buffer.concat(parts))
    headers.push(format.initialization())
  }
  for (const sample of samples) {
    if (parts === undefined || (sample.trackId === 'camera' && sample.keyframe)) {
      end()
      parts = []
      format.begin({ discontinuity: false }, emit)
    }
    format.push(sample, emit)
  }
  end()
  return { format, headers, segments }
}

function write({ headers, segments }: Segments): void {
  writeFileSync(path, Buffer.concat([headers.at(-1)!, ...segments]))
}

function boxTypes(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes)
  const types: string[] = []
  for (let offset = 0; offset < buffer.length; offset += buffer.readUInt32BE(offset)) {
    types.push(buffer.toString('latin1', offset + 4, offset + 8))
  }
  return types
}

async function findings(result: Segments): Promise<string> {
  return formatFindings(await checkMp4(Buffer.concat([result.headers.at(-1)!, ...result.segments])))
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('CMAF segments', () => {
  test('of H264 with B-frames and AAC keep every tick, and stand the checks of MP4', async () => {
    const video = pictures({ bFrames: 2, frames: 120 })
    const sound = aacFrames(4, { sampleRate: 48_000 })
    const items = [...video, ...sound].sort((a, b) => time(a) - time(b))
    const tracks = [camera, { ...aac, clockRate: 48_000, timescale: 48_000 }]
    const result = segment(items, tracks, { offsetUs: 10_000_000 })
    write(result)
    expect(await findings(result)).toBe('')
    expect(result.segments).toHaveLength(4)
    expect(result.segments.map(boxTypes)).toEqual(Array.from({ length: 4 }, () => ['styp', 'moof', 'mdat']))
    expect(boxTypes(result.headers[0]!)).toEqual(['ftyp', 'moov'])
    // One configuration: the same header all along, to the byte.
    for (const header of result.headers) expect(Buffer.from(header).equals(result.headers[0]!)).toBe(true)
    expect(probePackets(path, 0).map(({ pts, dts }) => ({ pts, dts }))).toEqual(
      video.map(({ pts, dts }) => ({ pts: pts + 900_000, dts: dts + 900_000 })),
    )
    expect(probePackets(path, 1).map(({ pts }) => pts)).toEqual(sound.map(({ pts }) => pts + 480_000))
    expect(decode(path)).toEqual({ errors: '', frames: 120 })
    expect(result.format.stats).toMatchObject({ segments: 4, fragments: 4, samples: items.length })
  })

  test('each begin where the one before ends: the last sample is as long as it really is', async () => {
    const video = pictures({ frames: 120 })
    const result = segment(video, [camera])
    // checkMp4 has a rule for it (fragment-time), so this is its whole list.
    expect(await findings(result)).toBe('')
  })

  test.each([
    { codec: 'vp9', tracks: ['vp09', 'Opus'] },
    { codec: 'av1', tracks: ['av01', 'Opus'] },
  ] as const)('of $codec and Opus decode', async ({ codec, tracks }) => {
    const result = segment(merged(await webPictures(codec), await tone(3)), [videoTrack(codec), voice])
    write(result)
    expect(decode(path)).toEqual({ errors: '', frames: 90 })
    expect(probe(path).streams.map(({ codec_tag_string }) => codec_tag_string)).toEqual(tracks)
  })

  test('of H265 with B-frames decode', () => {
    const result = segment(hevcPictures({ bFrames: 2 }), [videoTrack('h265')], { offsetUs: 1_000_000 })
    write(result)
    expect(decode(path)).toEqual({ errors: '', frames: 60 })
  })

  test('tell a new picture size by a new header', () => {
    const small = pictures({ frames: 60 })
    const large = shifted(pictures({ size: '640x360', frames: 60 }), 180_000)
    const { headers, segments } = segment([...small, ...large], [camera])
    const sizes = [0, 1, 2, 3].map((index) => {
      writeFileSync(path, Buffer.concat([headers[index]!, segments[index]!]))
      return [probe(path).streams[0]!['width'], frameSizes(path)]
    })
    expect(sizes).toEqual([
      [320, [{ size: '320x180', frames: 30 }]],
      [320, [{ size: '320x180', frames: 30 }]],
      [640, [{ size: '640x360', frames: 30 }]],
      [640, [{ size: '640x360', frames: 30 }]],
    ])
  })

  test('name a late track once it is there, and the others without it before', () => {
    const video = pictures({ frames: 120 })
    const sound = shifted(aacFrames(2, { sampleRate: 48_000 }), 96_000)
    const items = [...video, ...sound].sort((a, b) => time(a) - time(b))
    const { headers, segments } = segment(items, [camera, { ...aac, clockRate: 48_000, timescale: 48_000 }])
    const streams = headers.map((header, index) => {
      writeFileSync(path, Buffer.concat([header, segments[index]!]))
      expect(decode(path).errors).toBe('')
      return probe(path).streams.map(({ codec_name }) => codec_name)
    })
    expect(streams).toEqual([['h264'], ['h264'], ['h264', 'aac'], ['h264', 'aac']])
  })

  test('with fragments inside play as without', async () => {
    const items = merged(pictures({ frames: 90 }), await tone(3))
    const result = segment(items, [camera, voice], { fragmentDuration: 0.25 })
    write(result)
    expect(result.format.stats.fragments).toBeGreaterThanOrEqual(11)
    expect(await findings(result)).toBe('')
    expect(decode(path)).toEqual({ errors: '', frames: 90 })
  })

  test('are the same to the byte for the same samples', () => {
    const video = pictures({ frames: 60 })
    const [once, again] = [segment(video, [camera]), segment(video, [camera])]
    expect(Buffer.concat(once.segments).equals(Buffer.concat(again.segments))).toBe(true)
  })

  test('stay exact with a large timescale, far from zero', () => {
    const timescale = 10_000_000
    const originUs = 3_600_000_000 * 20
    const video = pictures({ frames: 60 }).map((sample, index) => {
      const ticks = originUs * 10 + Math.round((index * timescale) / 30) + 7
      return { ...sample, pts: ticks, dts: ticks }
    })
    const result = segment(video, [{ ...camera, timescale }], { originUs: originUs - 3_600_000_000 * 15 })
    write(result)
    expect(probePackets(path, 0).map(({ pts }) => pts)).toEqual(
      video.map(({ pts }) => pts - (originUs - 3_600_000_000 * 15) * 10),
    )
    expect(decode(path)).toEqual({ errors: '', frames: 60 })
  })
})

function time({ trackId, dts }: EncodedSample): number {
  return dts / (trackId === 'camera' ? 90_000 : 48_000)
}

describe('cmafFormat', () => {
  const opusAt = (pts: number, isFirst = false): EncodedSample => ({
    ...opusSample(pts, Uint8Array.of(0xf8, 0xff, 0xfe), isFirst),
    trackId: 'voice',
  })

  test('says what it is', () => {
    expect(cmafFormat([voice])).toMatchObject({ container: 'cmaf', contentType: 'audio/mp4', extension: 'm4s' })
    const format = cmafFormat([voice])
    format.addTrack(videoTrack('vp9'))
    expect(format.contentType).toBe('video/mp4')
    expect(format.tracks.map(({ id }) => id)).toEqual(['voice', 'camera'])
    expect(Buffer.from(cmafFormat([voice]).initialization()).includes('cmfc')).toBe(false)
  })

  test('a track that falls silent lasts to the end of the segment, and never beyond what comes next', () => {
    const other: Track = { ...voice, id: 'other' }
    const format = cmafFormat([voice, other], { offsetUs: 0 })
    const parts: Uint8Array[] = []
    const emit = (bytes: Uint8Array): void => void parts.push(bytes)
    format.begin({ discontinuity: false }, emit)
    format.push(opusAt(0, true), emit)
    format.push({ ...opusAt(480, true), trackId: 'other' }, emit)
    for (let index = 1; index < 100; index++) format.push({ ...opusAt(480 + index * 960), trackId: 'other' }, emit)
    format.end(emit)
    const bytes = Buffer.concat(parts)
    const run = bytes.indexOf('trun')
    expect(bytes.readUInt32BE(run + 8)).toBe(1)
    const duration = bytes.readUInt32BE(run + 16)
    const last = 480 + 99 * 960
    expect(duration).toBe(last - 960)
  })

  test('counts what it cannot place and goes on', () => {
    const format = cmafFormat([voice], { offsetUs: 0, originUs: 1_000_000 })
    format.begin({ discontinuity: false }, () => {})
    for (const sample of [opusAt(48_000), opusAt(0, true), opusAt(48_000), opusAt(48_000), opusAt(48_960)]) {
      format.push(sample, () => {})
    }
    format.push({ ...opusAt(0), trackId: 'stranger' }, () => {})
    format.end(() => {})
    expect(format.stats).toEqual({
      segments: 1,
      fragments: 1,
      samples: 2,
      unconfiguredSamples: 1,
      outOfOrderSamples: 1,
      beforeZeroSamples: 1,
      unknownTrackSamples: 1,
    })
  })

  test('holds one fragment of 8 MiB at most', () => {
    const format = cmafFormat([voice])
    let emitted = 0
    const emit = (bytes: Uint8Array): void => {
      emitted += bytes.byteLength
    }
    format.begin({ discontinuity: false }, emit)
    const payload = new Uint8Array(1 << 20)
    for (let index = 0; index < 64; index++) {
      format.push({ ...opusAt(index * 960, index === 0), data: payload }, emit)
      expect((index + 1) * payload.byteLength - emitted).toBeLessThanOrEqual(8 << 20)
    }
  })

  test.each([
    [{ originUs: 0.5 }, 'originUs'],
    [{ offsetUs: -1 }, 'offsetUs'],
    [{ fragmentDuration: 0 }, 'fragmentDuration'],
  ])('refuses %o', (options, field) => {
    expect(() => cmafFormat([voice], options)).toThrow(ConfigurationError)
    expect(() => cmafFormat([voice], options)).toThrow(expect.objectContaining({ field }))
  })

  test('refuses a track twice, and codecs that MP4 does not hold', () => {
    expect(() => cmafFormat([voice, voice])).toThrow(expect.objectContaining({ field: 'track.id' }))
    expect(() => cmafFormat([{ id: 'phone', kind: 'audio', codec: 'pcmu', clockRate: 8000 }])).toThrow(
      expect.objectContaining({ code: 'MP4_UNSUPPORTED_CODEC' }),
    )
  })
})
