import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncodedSample, Track } from '@rushes/media'
import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMp4Writer } from '../src/index.js'
import { hevcPictures, merged, tone, videoTrack, voice, webPictures } from './encoded.js'
import { decode, frameSizes, hasFfmpeg, probe, probePackets, temporaryFolder } from './media.js'

let folder: { path: string; remove: () => void }
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'call.mp4')
})
afterEach(() => folder.remove())

async function writeAll(samples: readonly EncodedSample[], tracks: readonly Track[]): Promise<void> {
  const writer = await createMp4Writer({ path, tracks, originUs: 0 })
  for (const sample of samples) await writer.write(sample)
  await writer.finish()
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('MP4', () => {
  test.each([
    { codec: 'vp9', tag: 'vp09' },
    { codec: 'av1', tag: 'av01' },
  ] as const)('of $codec and Opus decodes, and mediabunny reads it back', async ({ codec, tag }) => {
    const video = await webPictures(codec)
    const sound = await tone(3)
    await writeAll(merged(video, sound), [videoTrack(codec), voice])
    expect(decode(path)).toEqual({ errors: '', frames: 90 })
    expect(probe(path).streams[0]).toMatchObject({ codec_name: codec, codec_tag_string: tag, width: 320, height: 180 })
    const input = new Input({ formats: [MP4], source: new BufferSource(readFileSync(path)) })
    const track = (await input.getPrimaryVideoTrack())!
    expect((await track.getDecoderConfig())?.codec.split('.').slice(0, 4)).toEqual(
      (video[0]!.configuration as { codecString: string }).codecString.split('.').slice(0, 4),
    )
    const read: string[] = []
    for await (const packet of new EncodedPacketSink(track).packets()) {
      read.push(Buffer.from(packet.data).toString('base64'))
    }
    input.dispose()
    expect(read).toEqual(video.map(({ data }) => Buffer.concat(data as Uint8Array[]).toString('base64')))
  })

  test.each([
    { name: 'hvc1', codecString: 'hvc1.1.6.L60.90' },
    { name: 'hev1', codecString: 'hev1.1.6.L60.90' },
  ])('of H265 with B-frames decodes ($name)', async ({ name, codecString }) => {
    const [first, ...rest] = hevcPictures({ bFrames: 2 })
    const configuration = { ...first!.configuration!, codecString } as NonNullable<EncodedSample['configuration']>
    const video = [{ ...first!, configuration }, ...rest]
    expect(video.some(({ pts, dts }) => pts - dts > 3000)).toBe(true)
    await writeAll(video, [videoTrack('h265')])
    expect(decode(path)).toEqual({ errors: '', frames: 60 })
    expect(probe(path).streams[0]).toMatchObject({ codec_name: 'hevc', codec_tag_string: name, profile: 'Main' })
    expect(probePackets(path, 0).map(({ pts, dts, keyframe }) => ({ pts, dts, keyframe }))).toEqual(
      video.map(({ pts, dts, keyframe }) => ({ pts, dts, keyframe })),
    )
    const input = new Input({ formats: [MP4], source: new BufferSource(readFileSync(path)) })
    // Its own reading of our hvcC.
    const read = await (await input.getPrimaryVideoTrack())?.getDecoderConfig()
    expect(read?.codec.slice(4)).toBe('.1.6.L60.90')
    input.dispose()
  })

  test('of H265 decodes from the sample entry alone, without parameter sets in the samples', async () => {
    const video = hevcPictures({ frames: 30 }).map((sample) => ({
      ...sample,
      data: (sample.data as Uint8Array[]).filter((nalUnit) => {
        const type = (nalUnit[0]! >> 1) & 63
        return type < 32 || type > 34
      }),
    }))
    await writeAll(video, [videoTrack('h265')])
    expect(decode(path)).toEqual({ errors: '', frames: 30 })
  })

  test('of VP9 plays on when the picture size changes, and survives a crash', async () => {
    const small = await webPictures('vp9', { frames: 60 })
    const large = await webPictures('vp9', { frames: 60, size: '640x360', fromSeconds: 2 })
    const writer = await createMp4Writer({ path, tracks: [videoTrack('vp9')], originUs: 0 })
    for (const sample of [...small, ...large]) await writer.write(sample)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const left = join(folder.path, 'left.mp4')
    copyFileSync(join(folder.path, '.call.mp4.part'), left)
    expect(decode(left).frames).toBeGreaterThanOrEqual(90)
    await writer.finish()
    expect(frameSizes(path)).toEqual([
      { size: '320x180', frames: 60 },
      { size: '640x360', frames: 60 },
    ])
  })

  test('of VP8 is refused: players take it in WebM only', async () => {
    await expect(createMp4Writer({ path, tracks: [videoTrack('vp8')], originUs: 0 })).rejects.toMatchObject({
      code: 'MP4_UNSUPPORTED_CODEC',
    })
  })
})
