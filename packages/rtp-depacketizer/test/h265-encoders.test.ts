import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { h265NalUnitTypeOf, isH265VclNalUnit, joinAnnexB, splitAnnexB } from '@rushes/bitstream'
import type { SourceItem } from '@rushes/media'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { H265Depacketizer, Timeline } from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import {
  decodeHevc,
  ffmpeg,
  hasEncoders,
  launch,
  packetSink,
  readPackets,
  receiveFromFfmpeg,
} from './encoder-processes.js'
import { packetize, type SentUnit } from './h265-stream.js'

const camera = { id: 'camera', kind: 'video', codec: 'h265', clockRate: 90_000 } as const
const PICTURES = 40
/** Each costs a process of ffmpeg. */
const RUNS = 6
const SOURCE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=30', '-pix_fmt', 'yuv420p']

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtp-h265-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Times in recording time, which must rise and never lie behind presentation. */
function timesOf(items: readonly SourceItem[]): { pts: number; dts: number }[] {
  const timeline = new Timeline()
  const times: { pts: number; dts: number }[] = []
  for (const item of items) {
    timeline.push(item, (out) => {
      if (out.type === 'sample') times.push({ pts: out.pts, dts: out.dts })
    })
  }
  for (const [i, { pts, dts }] of times.entries()) {
    expect(dts).toBeLessThanOrEqual(pts)
    if (i > 0) expect(dts).toBeGreaterThan(times[i - 1]!.dts)
  }
  expect(timeline.stats.clamped).toBe(0)
  return times
}

/** Nothing is lost, dropped or unreadable, but for parameter sets that were cut before they were sent. */
function expectNoDamage({ stats }: H265Depacketizer, cutParameterSets = 0): void {
  expect(stats).toMatchObject({ lost: 0, epochs: 1 })
  const found = Object.entries({ ...stats.droppedUnits, ...stats.malformed }).filter(([, count]) => count > 0)
  expect(found).toEqual(cutParameterSets === 0 ? [] : [['parameter-set', cutParameterSets]])
}

describe.skipIf(!hasEncoders && !process.env['CI'])('GStreamer', () => {
  // The last number: with headers repeated and zero bytes in them, the encoder element of GStreamer 1.22 sends a VPS cut.
  test.each([
    ['B pictures, open groups', 'key-int-max=10', 'config-interval=-1 mtu=1000', 4, 2, 0],
    [
      'closed groups, small packets',
      'key-int-max=10 option-string=open-gop=0:bframes=4:b-pyramid=1',
      'config-interval=-1 mtu=300',
      4,
      2,
      0,
    ],
    [
      'slices, nothing aggregated',
      'key-int-max=10 tune=zerolatency option-string=slices=3',
      'config-interval=-1 mtu=400 aggregate-mode=none',
      4,
      0,
      0,
    ],
    [
      'slices, all aggregated',
      'key-int-max=10 tune=zerolatency bitrate=100 option-string=slices=3:repeat-headers=1',
      'config-interval=0 mtu=1400 aggregate-mode=max',
      4,
      0,
      1,
    ],
    [
      'temporal sub-layers, parameter sets only at the start',
      'key-int-max=20 option-string=temporal-layers=1:bframes=3:b-adapt=0:open-gop=0',
      'config-interval=0',
      2,
      2,
      0,
    ],
  ])('%s: the pictures that the encoder made', (_, encoder, payloader, keyframes, reorderDepth, cutSets) => {
    const [direct, sent] = [join(folder, 'direct.h265'), join(folder, 'sent.rtp')]
    launch(
      `videotestsrc num-buffers=${PICTURES} ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! x265enc ${encoder}
       ! video/x-h265,stream-format=byte-stream ! tee name=t t. ! queue ! filesink buffer-mode=unbuffered location=${direct}
       t. ! queue ! rtph265pay ${payloader} ! ${packetSink(sent)}`,
    )
    const depacketizer = new H265Depacketizer(camera)
    const items = collect(depacketizer, readPackets(sent))
    const units = accessUnitsOf(items)
    expectNoDamage(depacketizer, cutSets)
    expect(depacketizer.stats).toMatchObject({ accessUnits: PICTURES, keyframes })
    expect(units[0]!.configuration).toMatchObject({ width: 320, height: 240, reorderDepth })
    expect(units.slice(1).some(({ configuration }) => configuration !== undefined)).toBe(false)
    const result = decodeHevc(joinAnnexB(units.flatMap(({ nalUnits }) => nalUnits)))
    expect(result).toEqual({ messages: '', pictures: decodeHevc(readFileSync(direct)).pictures })
    expect(result.pictures).toHaveLength(PICTURES)
    expect(timesOf(items)).toHaveLength(PICTURES)
    // Each keyframe is a way in by itself: it has all parameter sets, before its first slice.
    for (const { keyframe, nalUnits } of units) {
      if (!keyframe) continue
      const types = nalUnits.map(h265NalUnitTypeOf)
      const first = types.findIndex(isH265VclNalUnit)
      for (const type of [32, 33, 34]) expect(types.indexOf(type)).toBeLessThan(first)
      for (const type of [32, 33, 34]) expect(types.lastIndexOf(type)).toBeLessThan(first)
      for (const type of [32, 33, 34]) expect(types).toContain(type)
    }
  })
})

describe.skipIf(!hasEncoders && !process.env['CI'])('ffmpeg', () => {
  test.each([
    ['B pictures', 'bframes=3:b-adapt=0:keyint=15:open-gop=0'],
    ['open groups', 'bframes=3:b-adapt=0:keyint=12'],
    ['slices', 'bframes=2:slices=3:keyint=20'],
  ])('%s, parameter sets in SDP: pictures and times that the encoder made', async (_, params) => {
    const [mp4, sdp] = [join(folder, 'direct.mp4'), join(folder, 'session.sdp')]
    const x265 = ['-c:v', 'libx265', '-x265-params', `log-level=none:pools=1:${params}`, '-b:v', '150k']
    ffmpeg(...SOURCE, '-frames:v', String(PICTURES), ...x265, mp4)
    const packets = await receiveFromFfmpeg('-re', '-i', mp4, '-c', 'copy', '-sdp_file', sdp)
    const fmtp = /a=fmtp:\d+ (.*)/.exec(readFileSync(sdp, 'utf8'))?.[1]
    expect(fmtp).toContain('sprop-vps=')
    const depacketizer = new H265Depacketizer({ ...camera, ...(fmtp === undefined ? {} : { fmtp }) })
    const items = collect(depacketizer, packets)
    const units = accessUnitsOf(items)
    expectNoDamage(depacketizer)
    expect(units).toHaveLength(PICTURES)
    expect(units[0]!.configuration).toMatchObject({ width: 320, height: 240, reorderDepth: 2 })
    const direct = ffmpeg('-i', mp4, '-c', 'copy', '-bsf:v', 'hevc_mp4toannexb', '-f', 'hevc', '-')
    const result = decodeHevc(joinAnnexB(units.flatMap(({ nalUnits }) => nalUnits)))
    expect(result).toEqual({ messages: '', pictures: decodeHevc(direct).pictures })
    const probe = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', mp4]
    const wanted = execFileSync('ffprobe', probe).toString().trim().split(/\s+/).map(Number)
    const times = timesOf(items)
    for (const [i, { pts }] of times.entries()) {
      expect(Math.abs((pts - times[0]!.pts) / 90_000 - (wanted[i]! - wanted[0]!))).toBeLessThan(2e-5)
    }
  })
})

describe.skipIf(!hasEncoders && !process.env['CI'])('x265 under loss', () => {
  /** A byte stream as access units. */
  function unitsOf(byteStream: Uint8Array): SentUnit[] {
    const units: Uint8Array[][] = []
    let hasSlice = true
    for (const nalUnit of splitAnnexB(byteStream)) {
      const type = h265NalUnitTypeOf(nalUnit)
      const isSlice = isH265VclNalUnit(type)
      const begins = isSlice ? nalUnit[2]! >= 0x80 : type < 36 || type === 39
      if (hasSlice && begins) {
        units.push([])
        hasSlice = false
      }
      units.at(-1)!.push(nalUnit)
      hasSlice ||= isSlice
    }
    return units.map((nalUnits, index) => ({ nalUnits, rtpTimestamp: index * 3000 }))
  }

  test.each([
    ['open groups', 'bframes=4:b-adapt=0:keyint=15', 0.3],
    ['closed groups', 'bframes=4:b-adapt=0:b-pyramid=1:keyint=20:open-gop=0', 0.3],
    ['many B pictures', 'bframes=7:b-adapt=0:keyint=45:open-gop=0', 0.1],
    ['temporal sub-layers', 'temporal-layers=1:bframes=3:b-adapt=0:keyint=30:open-gop=0', 0.1],
    ['low delay, slices, three references', 'bframes=0:slices=3:ref=3:keyint=30', 0.1],
  ])('%s: whatever is lost, all that comes out is decoded to what the encoder made', (_, params, share) => {
    const x265 = ['-c:v', 'libx265', '-preset', 'superfast', '-x265-params', `log-level=none:pools=1:${params}`]
    const direct = ffmpeg(...SOURCE, '-s', '176x144', '-b:v', '150k', '-frames:v', '90', ...x265, '-f', 'hevc', '-')
    const units = unitsOf(direct)
    expect(units).toHaveLength(90)
    const packets = packetize(units, { mtu: 300 })
    const made = new Set(decodeHevc(direct).pictures)
    let emitted = 0
    for (let seed = 1; seed <= RUNS; seed++) {
      // A small generator, so that each run loses the same packets: 2 of 100, and in every other run the beginning.
      let state = seed
      const random = (): number => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31
        return state / 2 ** 31
      }
      const from = seed % 2 === 0 ? Math.floor(packets.length * 0.2 * random()) + 1 : 0
      const kept = packets.filter((_, index) => index >= from && (index < from + 3 || random() > 0.02))
      const depacketizer = new H265Depacketizer(camera, { startPackets: 1 })
      const items = collect(
        depacketizer,
        kept.map(({ bytes }) => bytes),
      )
      const out = accessUnitsOf(items)
      timesAreInOrder(items)
      emitted += out.length
      if (out.length === 0) continue
      const { messages, pictures } = decodeHevc(joinAnnexB(out.flatMap(({ nalUnits }) => nalUnits)))
      expect(messages).toBe('')
      expect(pictures).toHaveLength(out.length)
      expect(pictures.filter((each) => !made.has(each))).toEqual([])
    }
    expect(emitted).toBeGreaterThan(RUNS * 90 * share)
  })

  function timesAreInOrder(items: readonly SourceItem[]): void {
    const units = accessUnitsOf(items)
    for (let i = 1; i < units.length; i++) expect(units[i]!.rtpTimestamp).toBeGreaterThan(units[i - 1]!.rtpTimestamp)
  }
})
