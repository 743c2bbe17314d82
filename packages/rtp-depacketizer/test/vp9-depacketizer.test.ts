import type { AccessUnit, VideoTrack } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { Vp9Depacketizer, type Vp9DepacketizerOptions } from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import { packetize, type SentPicture, vp9Frame, vp9Payloads } from './frame-stream.js'

const camera: VideoTrack = { id: 'camera', kind: 'video', codec: 'vp9', clockRate: 90_000 }

interface LayerSpec {
  readonly spatialId: number
  readonly keyframe?: boolean
  readonly interLayer?: boolean
}

/** A picture of spatial layers in flexible mode; a layer is twice as large as the one below. */
function picture(index: number, layers: readonly LayerSpec[], predicted: boolean, references = [1]): SentPicture {
  const payloads = layers.flatMap(({ spatialId, keyframe = false, interLayer = false }) => {
    const size = { width: 64 << spatialId, height: 48 << spatialId }
    const ownSize = !keyframe && !predicted
    const refresh = 1 << spatialId
    const frame = vp9Frame(
      { keyframe, ...size, ownSize: ownSize || !keyframe, refresh },
      new Uint8Array(50).fill(index),
    )
    const place = { pictureId: index, flexible: true, temporalId: 0, spatialId, interLayer, references }
    return vp9Payloads(frame, { ...place, interPicture: predicted }, 40)
  })
  return { rtpTimestamp: index * 3000, payloads }
}

/** A keyframe with `count` spatial layers. */
function key(index: number, count = 2): SentPicture {
  const layers = Array.from({ length: count }, (_, spatialId) => ({
    spatialId,
    keyframe: spatialId === 0,
    interLayer: spatialId > 0,
  }))
  return picture(index, layers, false)
}

/** What follows in L2_KEY: each layer from its own past. */
function delta(index: number, spatialIds: readonly number[], references = [1]): SentPicture {
  return picture(
    index,
    spatialIds.map((spatialId) => ({ spatialId })),
    true,
    references,
  )
}

interface Result {
  readonly units: readonly AccessUnit[]
  readonly times: readonly number[]
  readonly configurations: readonly string[]
  readonly signals: readonly string[]
  readonly stats: Vp9Depacketizer['stats']
}

/** `lost` are the packets, by index, that do not come. */
function run(
  pictures: readonly SentPicture[],
  options: Vp9DepacketizerOptions = {},
  lost: readonly number[] = [],
): Result {
  const signals: string[] = []
  const onSignal = ({ reason }: { reason: string }): void => void signals.push(reason)
  const depacketizer = new Vp9Depacketizer(camera, { ...options, onSignal })
  const packets = packetize(pictures).filter((_, index) => !lost.includes(index))
  const units = accessUnitsOf(
    collect(
      depacketizer,
      packets.map(({ bytes }) => bytes),
    ),
  )
  const configurations = units.flatMap(({ rtpTimestamp, keyframe, configuration: c }) =>
    c === undefined ? [] : [`${rtpTimestamp / 3000}: ${c.width}x${c.height}${keyframe ? '' : ' without keyframe'}`],
  )
  const times = units.map(({ rtpTimestamp }) => rtpTimestamp / 3000)
  return { units, times, configurations, signals, stats: depacketizer.stats }
}

/** Number of frames that the superframe index says, or 1. */
function framesIn({ nalUnits }: AccessUnit): number {
  const last = nalUnits[0]!.at(-1)!
  return (last & 0xe0) === 0xc0 ? (last & 7) + 1 : 1
}

describe('spatial layers', () => {
  test('go together as one superframe of which the last frame is shown', () => {
    const { units, configurations } = run([key(0), delta(1, [0, 1])])
    expect(configurations).toEqual(['0: 128x96'])
    expect(units.map(framesIn)).toEqual([2, 2])
    const unit = units[0]!.nalUnits[0]!
    // show_frame is the second lowest bit of the first byte in profile 0.
    expect(unit[0]! & 2).toBe(0)
    const firstLength = unit[unit.byteLength - 3]!
    expect(unit[firstLength]! & 2).toBe(2)
  })

  test('a picture without the layer that is shown goes hidden with the next', () => {
    const { units, times, configurations } = run([key(0), delta(1, [0]), delta(2, [0]), delta(3, [0, 1], [1, 3])])
    // The lower layer of 3 is predicted from 2, its upper one from 0 alone.
    expect(times).toEqual([0])
    expect(units.map(framesIn)).toEqual([2])
    const again = run([key(0), delta(1, [0]), delta(2, [0]), { ...delta(3, [1], [3]) }])
    expect(again.times).toEqual([0, 3])
    expect(again.units.map(framesIn)).toEqual([2, 3])
    expect(configurations).toHaveLength(1)
  })

  test('a layer that stays away is a switch down; it comes back where it can be decoded', () => {
    const away = Array.from({ length: 12 }, (_, i) => delta(i + 1, [0]))
    const { times, configurations, stats, units } = run([key(0), ...away, delta(13, [0, 1]), key(14)])
    // Six pictures fit into a superframe beside two layers.
    expect(times).toEqual([0, 7, 8, 9, 10, 11, 12, 13, 14])
    expect(units[1]!.nalUnits[0]!.at(-1)! & 7).toBe(6)
    expect(configurations).toEqual(['0: 128x96', '7: 64x48 without keyframe', '14: 128x96'])
    expect(stats).toMatchObject({ keyframes: 2, lost: 0 })
  })

  test('loss in a lower layer that the upper does not need leaves the upper', () => {
    // Packets of a picture: two of the lower layer, two of the upper.
    const { times, stats, signals } = run([key(0), delta(1, [0, 1]), delta(2, [0, 1]), delta(3, [0, 1])], {}, [4])
    expect(times).toEqual([0, 1, 2, 3])
    expect(stats.lost).toBe(1)
    expect(signals).toEqual([])
  })

  test('loss in the layer that is shown freezes up to the next keyframe', () => {
    const pictures = [key(0), delta(1, [0, 1]), delta(2, [0, 1]), key(3), delta(4, [0, 1])]
    const { times, units, signals, stats } = run(pictures, {}, [6])
    expect(times).toEqual([0, 3, 4])
    expect(units.map(({ lossBefore, lostPackets }) => [lossBefore, lostPackets])).toEqual([
      [false, undefined],
      [true, 1],
      [false, undefined],
    ])
    expect(signals).toEqual(['loss'])
    expect(stats.droppedUnits).toMatchObject({ 'packet-lost': 1, frozen: 1 })
  })

  test('a keyframe whose upper layer is lost begins with the lower one, and another is asked for', () => {
    const { times, configurations, signals } = run([key(0), delta(1, [0, 1]), key(2), delta(3, [0, 1])], {}, [3])
    expect(times).toEqual([0, 1, 2, 3])
    expect(configurations).toEqual(['0: 64x48', '2: 128x96'])
    expect(signals).toEqual(['loss'])
  })

  test('maxSpatialLayer leaves out those above, and their losses', () => {
    const { units, configurations, stats } = run(
      [key(0), delta(1, [0, 1]), delta(2, [0, 1])],
      { maxSpatialLayer: 0 },
      [7],
    )
    expect(units.map(framesIn)).toEqual([1, 1, 1])
    expect(units[0]!.nalUnits[0]![0]! & 2).toBe(2)
    expect(configurations).toEqual(['0: 64x48'])
    expect(stats.lost).toBe(1)
  })

  test.each([-1, 8, 0.5])('maxSpatialLayer %d is refused', (maxSpatialLayer) => {
    expect(() => new Vp9Depacketizer(camera, { maxSpatialLayer })).toThrow('maxSpatialLayer')
  })
})

describe('non-flexible mode, three temporal layers', () => {
  /** 0 2 1 2, each with U: a switching-up point. */
  function layered(count: number): SentPicture[] {
    let tl0PicIdx = 254
    return Array.from({ length: count }, (_, index) => {
      const temporalId = [0, 2, 1, 2][index % 4]!
      if (temporalId === 0) tl0PicIdx++
      const frame = vp9Frame({ keyframe: index === 0 }, new Uint8Array(30).fill(index))
      const place = { pictureId: index, interPicture: index > 0, temporalId, tl0PicIdx, switchingUp: index % 4 !== 3 }
      return { rtpTimestamp: index * 3000, payloads: vp9Payloads(frame, place) }
    })
  }

  test.each([
    // It may have been of the middle layer: the next two may need it.
    ['a picture of the highest layer', [5], [0, 1, 2, 3, 4, 8, 9], []],
    ['a picture of the middle layer', [6], [0, 1, 2, 3, 4, 5, 8, 9], []],
    ['a picture of the base layer', [4], [0, 1, 2, 3], ['loss']],
  ])('%s lost', (_, lost, expected, signals) => {
    const result = run(layered(10), {}, lost)
    expect(result.times).toEqual(expected)
    expect(result.signals).toEqual(signals)
  })
})

test('a frame that is not error resilient needs all before it, whatever it is predicted from', () => {
  const make = (errorResilient: boolean): SentPicture[] =>
    Array.from({ length: 4 }, (_, index) => {
      const frame = vp9Frame({ keyframe: index === 0, errorResilient }, new Uint8Array(30).fill(index))
      const references = index === 3 ? [3] : [1]
      const place = { pictureId: index, interPicture: index > 0, flexible: true, references }
      return { rtpTimestamp: index * 3000, payloads: vp9Payloads(frame, place) }
    })
  expect(run(make(true), {}, [1]).times).toEqual([0, 3])
  expect(run(make(false), {}, [1]).times).toEqual([0])
})

test('another codec is refused', () => {
  expect(() => new Vp9Depacketizer({ ...camera, codec: 'vp8' })).toThrow("'vp9'")
})
