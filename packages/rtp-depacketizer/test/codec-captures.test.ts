import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { vp9SuperframeIndex } from '@rushes/bitstream'
import type { AccessUnit, VideoTrack } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import {
  Av1Depacketizer,
  isRtcp,
  parseRtpPacket,
  type RtpArrival,
  RtpPacket,
  Vp8Depacketizer,
  Vp9Depacketizer,
  type Vp9DepacketizerOptions,
} from '../src/index.js'
import { Vp9PayloadDescriptor } from '../src/vp9/payload-descriptor.js'
import { accessUnitsOf, collect } from './collect.js'
import { type Decoded, decode, ivf } from './ivf.js'

/** What Chromium sends: see test/fixtures/codecs/README.md. */

const CAPTURES = new URL('../../../test/fixtures/codecs/', import.meta.url)
const DEPENDENCY_DESCRIPTOR = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension'

type Codec = 'vp8' | 'vp9' | 'av1'

interface Capture {
  readonly name: string
  readonly codec: Codec
  readonly units: number
  readonly keyframes: number
  readonly paddingOnly: number
  readonly configurations: readonly string[]
  /** Bytes of the decoded pictures: how many of each. */
  readonly pictures: Readonly<Record<number, number>>
}

const SD = 480 * 270 * 1.5
const SMALL = 320 * 180 * 1.5

const captures: readonly Capture[] = [
  {
    name: 'vp8',
    codec: 'vp8',
    units: 105,
    keyframes: 3,
    paddingOnly: 15,
    configurations: ['vp8 480x270', 'vp8 320x180'],
    pictures: { [SMALL]: 54, [SD]: 51 },
  },
  {
    name: 'vp8-l1t3',
    codec: 'vp8',
    units: 122,
    keyframes: 1,
    paddingOnly: 13,
    configurations: ['vp8 480x270'],
    pictures: { [SD]: 122 },
  },
  {
    name: 'vp9',
    codec: 'vp9',
    units: 136,
    keyframes: 3,
    paddingOnly: 13,
    configurations: ['vp09.00.21.08 480x270', 'vp09.00.11.08 320x180'],
    pictures: { [SMALL]: 75, [SD]: 61 },
  },
  {
    name: 'vp9-l3t3',
    codec: 'vp9',
    units: 92,
    keyframes: 3,
    paddingOnly: 75,
    configurations: ['vp09.00.21.08 480x270', 'vp09.00.11.08 320x180'],
    pictures: { [SMALL]: 4, [SD]: 88 },
  },
  {
    name: 'vp9-l3t3-key',
    codec: 'vp9',
    // 150 pictures were sent, 30 of them without the upper layer.
    units: 120,
    keyframes: 2,
    paddingOnly: 13,
    configurations: ['vp09.00.21.08 480x270'],
    pictures: { [SD]: 120 },
  },
  {
    name: 'av1',
    codec: 'av1',
    units: 131,
    keyframes: 3,
    paddingOnly: 12,
    configurations: ['av01.0.00M.08 480x270', 'av01.0.00M.08 320x180'],
    pictures: { [SMALL]: 71, [SD]: 60 },
  },
  {
    name: 'av1-l1t3',
    codec: 'av1',
    units: 91,
    keyframes: 1,
    paddingOnly: 8,
    configurations: ['av01.0.00M.08 480x270'],
    pictures: { [SD]: 91 },
  },
  {
    name: 'av1-l3t3-key',
    codec: 'av1',
    units: 143,
    keyframes: 2,
    paddingOnly: 23,
    configurations: ['av01.0.04M.08 480x270'],
    // One temporal unit has the lower layer only.
    pictures: { [240 * 136 * 1.5]: 1, [SD]: 142 },
  },
]

function read(name: string): RtpArrival[] {
  const file = readFileSync(new URL(`${name}.rtpdump`, CAPTURES))
  const records: RtpArrival[] = []
  for (let offset = file.indexOf(0x0a) + 17; offset < file.length; offset += file.readUInt16BE(offset)) {
    records.push({
      arrivalUs: file.readUInt32BE(offset + 4) * 1000,
      data: file.subarray(offset + 8, offset + file.readUInt16BE(offset)),
    })
  }
  return records
}

interface Run {
  readonly units: readonly AccessUnit[]
  readonly stats: Vp8Depacketizer['stats']
  readonly signals: readonly string[]
}

function run({ codec }: Capture, records: readonly RtpArrival[], options: Vp9DepacketizerOptions = {}): Run {
  const track: VideoTrack = {
    id: 'camera',
    kind: 'video',
    codec,
    clockRate: 90_000,
    headerExtensions: { 3: 'urn:3gpp:video-orientation', 13: DEPENDENCY_DESCRIPTOR },
  }
  const signals: string[] = []
  const withSignal = { ...options, onSignal: ({ reason }: { reason: string }) => void signals.push(reason) }
  const Depacketizer = { vp8: Vp8Depacketizer, vp9: Vp9Depacketizer, av1: Av1Depacketizer }[codec]
  const depacketizer = new Depacketizer(track, withSignal)
  return { units: accessUnitsOf(collect(depacketizer, records)), stats: depacketizer.stats, signals }
}

const named = captures.map((capture) => [capture.name, capture] as const)

describe('what Chromium sends', () => {
  test.each(named)('%s: every picture', (name, capture) => {
    const { units, stats, signals } = run(capture, read(name))
    const { keyframes, paddingOnly } = capture
    expect(stats).toMatchObject({ accessUnits: capture.units, keyframes, paddingOnly, lost: 0, epochs: 1 })
    expect(Object.values(stats.malformed).every((count) => count === 0)).toBe(true)
    // The captures may end within a picture.
    expect(Object.entries(stats.droppedUnits).filter(([cause, count]) => cause !== 'unfinished' && count > 0)).toEqual(
      [],
    )
    expect(units.some(({ lossBefore }) => lossBefore)).toBe(false)
    expect(signals).toEqual([])
    const configured = units.flatMap(({ configuration: c }) =>
      c === undefined ? [] : [`${c.codecString} ${c.width}x${c.height}`],
    )
    expect(configured).toEqual(capture.configurations)
    expect(units.filter(({ configuration }) => configuration !== undefined).every(({ keyframe }) => keyframe)).toBe(
      true,
    )
    for (const { nalUnits, pieces } of units) {
      expect(pieces!.map((parts) => Buffer.concat(parts))).toEqual(nalUnits.map((unit) => Buffer.from(unit)))
    }
  })
})

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

function histogram(sizes: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const size of sizes) counts[size] = (counts[size] ?? 0) + 1
  return counts
}

/** A random number generator that always says the same. */
function lcg(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Each picture by its timestamp. Every unit must decode to one picture. */
function picturesByTime(units: readonly AccessUnit[], { pictures, sizes }: Decoded): Map<number, Picture> {
  expect(pictures).toHaveLength(units.length)
  return new Map(
    units.map(({ rtpTimestamp }, i) => [rtpTimestamp % 2 ** 32, { picture: pictures[i]!, size: sizes[i]! }]),
  )
}

interface Picture {
  readonly picture: string
  readonly size: number
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('as decoders see it', () => {
  test.each(named)('%s decodes to one picture a unit, without a word', (name, capture) => {
    const { units } = run(capture, read(name))
    const { messages, sizes } = decode(ivf(capture.codec, units))
    expect(messages).toBe('')
    expect(histogram(sizes)).toEqual(capture.pictures)
  })

  test.each(named)('%s: under loss each picture that is emitted decodes to what it was', (name, capture) => {
    const records = read(name)
    const whole = run(capture, records)
    const expected = picturesByTime(whole.units, decode(ivf(capture.codec, whole.units)))
    const random = lcg(7)
    for (const loss of [0.02, 0.1]) {
      const kept = records.filter(({ data }, index) => index < 2 || isRtcp(data) || random() >= loss)
      const { units, stats } = run(capture, kept)
      expect(stats.lost).toBeGreaterThan(0)
      const decoded = decode(ivf(capture.codec, units))
      expect(decoded.messages).toBe('')
      let lower = 0
      for (const [time, { picture, size }] of picturesByTime(units, decoded)) {
        // Where the upper layer of a keyframe is lost it goes on with the lower one, until the next keyframe.
        if (size < (expected.get(time)?.size ?? size)) lower++
        else if (expected.has(time)) expect(picture).toBe(expected.get(time)!.picture)
      }
      if (capture.codec !== 'vp9') expect(lower).toBe(0)
    }
  })

  test.each(named.filter(([, { codec }]) => codec === 'vp9'))(
    '%s: hiding layers changes no picture',
    (name, capture) => {
      const { units } = run(capture, read(name))
      // libvpx shows the last frame of a superframe, whatever the others say of themselves.
      const plain = decode(ivf('vp9', plainSuperframes(read(name))), 'libvpx-vp9')
      const largest = Math.max(...plain.sizes)
      const pictures = plain.pictures.filter((_, i) => name !== 'vp9-l3t3-key' || plain.sizes[i] === largest)
      const ours = decode(ivf('vp9', units))
      expect(ours.pictures).toEqual(pictures.slice(0, ours.pictures.length))
      expect(ours.pictures.length).toBeGreaterThanOrEqual(pictures.length - 1)
    },
  )

  test.each(['vp9-l3t3', 'vp9-l3t3-key'])('%s: the lowest spatial layer alone', (name) => {
    const capture = captures.find((candidate) => candidate.name === name)!
    const { units, stats } = run(capture, read(name), { maxSpatialLayer: 0 })
    const { messages, sizes } = decode(ivf('vp9', units))
    expect(messages).toBe('')
    expect(Math.max(...Object.keys(histogram(sizes)).map(Number))).toBeLessThan(SD)
    expect(sizes).toHaveLength(stats.accessUnits)
    expect(stats.accessUnits).toBeGreaterThanOrEqual(capture.units)
  })
})

/** All layer frames of each picture in a superframe, unchanged: by another way, of packets that came in order. */
function plainSuperframes(records: readonly RtpArrival[]): AccessUnit[] {
  const pictures = new Map<number, Uint8Array[][]>()
  const descriptor = new Vp9PayloadDescriptor()
  for (const { data } of records) {
    const packet = isRtcp(data) ? 'too-short' : parseRtpPacket(data)
    if (!(packet instanceof RtpPacket) || packet.payload.byteLength === 0) continue
    const { payload, rtpTimestamp } = packet
    const offset = descriptor.read(payload, 0, payload.byteLength)
    const frames = pictures.get(rtpTimestamp) ?? []
    pictures.set(rtpTimestamp, frames)
    if (descriptor.startsFrame) frames.push([])
    frames.at(-1)!.push(payload.subarray(offset))
  }
  return [...pictures].map(([rtpTimestamp, frames]) => {
    const joined = frames.map((parts) => Buffer.concat(parts))
    const index = vp9SuperframeIndex(joined.map(({ byteLength }) => byteLength))
    const frame = joined.length === 1 ? joined[0]! : Buffer.concat([...joined, index])
    const times = { epoch: 0, clockRate: 90_000, rtpTimestamp }
    const flags = { marker: true, keyframe: false, lossBefore: false }
    return { type: 'access-unit', trackId: 'camera', nalUnits: [frame], ...times, ...flags }
  })
}
