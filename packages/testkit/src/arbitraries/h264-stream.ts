import type { AccessUnit, EncodedSample, NalPieces, VideoConfiguration, VideoTrack } from '@rushes/media'
import fc from 'fast-check'
import { configurationOf, type H264Parameters, h264Parameters } from './h264-parameters.js'
import {
  type PictureHeader,
  writeDelimiter,
  writeFiller,
  writeRecoveryPointSei,
  writeSlice,
  writeUserDataSei,
} from './h264-slice.js'
import { type BytesSeed, bytesOf, bytesSeed } from './random-bytes.js'

/** What kind of H.264 to generate. */
export interface H264StreamOptions {
  /** Pictures out of output order, up to three ahead, with and without reference B pictures. @defaultValue false */
  readonly bFrames?: boolean
  /** Times pass the wraps: 2^32 of the RTP timestamp, 2^33 of PTS. @defaultValue false */
  readonly wraps?: boolean
  /** The SPS changes at some IDR pictures. @defaultValue false */
  readonly sizeChanges?: boolean
  /** Anchor pictures (IDR and P) at most; B pictures come on top. @defaultValue 12 */
  readonly maxPictures?: number
  /** Bytes of slice data of one picture at most. @defaultValue 70,000 (more than a PES packet can count) */
  readonly maxPictureBytes?: number
  /** Access unit delimiters as encoders send them; false: none. @defaultValue true */
  readonly delimiters?: boolean
  /** @defaultValue `video` */
  readonly trackId?: string
}

/** A generated stream, above and below the time border. */
export interface H264Stream {
  readonly track: VideoTrack
  /** As a depacketizer gives it. */
  readonly accessUnits: readonly AccessUnit[]
  /** As a timeline gives it: the same pictures with PTS and DTS at 90 kHz. */
  readonly samples: readonly EncodedSample[]
  readonly reorderDepth: number
}

interface PictureSeed {
  readonly slices: number
  readonly allSameType: boolean
  readonly delimiter: boolean
  readonly sei: number
  readonly filler: number
  readonly isReference: boolean
  readonly data: BytesSeed
  readonly ticks: number
  readonly cuts: number
}

interface AnchorSeed {
  readonly kind: 'p' | 'idr' | 'recovery'
  readonly picture: PictureSeed
  readonly bPictures: readonly PictureSeed[]
  readonly change: number
}

interface Picture {
  readonly parameters: H264Parameters
  readonly configuration: VideoConfiguration
  readonly header: PictureHeader
  readonly seed: PictureSeed
  readonly recovery: boolean
  readonly endOfSequence: boolean
  /** Place in output order. */
  readonly display: number
}

function pictureSeed(options: H264StreamOptions): fc.Arbitrary<PictureSeed> {
  return fc.record({
    slices: fc.nat(3),
    allSameType: fc.boolean(),
    delimiter: options.delimiters === false ? fc.constant(false) : fc.boolean(),
    sei: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.integer({ min: 1, max: 2 })),
    filler: fc.oneof({ arbitrary: fc.constant(0), weight: 5 }, fc.integer({ min: 1, max: 300 })),
    isReference: fc.boolean(),
    data: bytesSeed(options.maxPictureBytes ?? 70_000),
    // 30 a second, what cameras really do (1 to 83 ms), and a track that pauses.
    ticks: fc.oneof(
      { arbitrary: fc.constant(3000), weight: 8 },
      { arbitrary: fc.integer({ min: 90, max: 7470 }), weight: 8 },
      { arbitrary: fc.integer({ min: 7470, max: 300_000 }), weight: 1 },
    ),
    cuts: fc.nat(2),
  })
}

/** Streams of valid structure: real parameter sets, slice headers with frame_num and picture order count, any NAL mix. */
export function h264Stream(options: H264StreamOptions = {}): fc.Arbitrary<H264Stream> {
  const picture = pictureSeed(options)
  // Depth 0, 1 (B pictures that nothing refers to) or 2 (a B picture in the middle is referred to).
  const depths = options.bFrames === true ? [1, 2] : [0]
  const ofDepth = (depth: number): fc.Arbitrary<H264Stream> =>
    fc
      .record({
        parameters: fc.array(h264Parameters(depth), { minLength: 1, maxLength: options.sizeChanges === true ? 3 : 1 }),
        anchors: fc.array(
          fc.record({
            kind: fc.oneof(
              { arbitrary: fc.constant('p' as const), weight: 8 },
              { arbitrary: fc.constant('idr' as const), weight: 2 },
              { arbitrary: fc.constant('recovery' as const), weight: 1 },
            ),
            picture,
            bPictures: fc.array(picture, { maxLength: depth === 0 ? 0 : 3 }),
            change: fc.nat(),
          }),
          { minLength: 1, maxLength: options.maxPictures ?? 12 },
        ),
        start: fc.nat(90_000),
        rtpStart: fc.nat({ max: 2 ** 31 - 1 }),
        pieces: fc.boolean(),
      })
      .map((seed) => buildStream(seed, depth, options))
  return fc.oneof(...depths.map(ofDepth))
}

/** The access units of {@link h264Stream} alone. */
export function h264AccessUnits(options: H264StreamOptions = {}): fc.Arbitrary<readonly AccessUnit[]> {
  return h264Stream(options).map(({ accessUnits }) => accessUnits)
}

function buildStream(
  seed: {
    readonly parameters: readonly H264Parameters[]
    readonly anchors: readonly AnchorSeed[]
    readonly start: number
    readonly rtpStart: number
    readonly pieces: boolean
  },
  depth: number,
  options: H264StreamOptions,
): H264Stream {
  const pictures = planPictures(seed.anchors, seed.parameters, depth)
  const times = timesOf(pictures, depth)
  const total = times.reduce((last, { pts }) => Math.max(last, pts), 0)
  const start = options.wraps === true ? 2 ** 33 - (seed.start % (total + 1)) : seed.start
  const rtpStart = options.wraps === true ? 2 ** 32 - (seed.rtpStart % (total + 1)) : seed.rtpStart
  const trackId = options.trackId ?? 'video'
  const accessUnits: AccessUnit[] = []
  const samples: EncodedSample[] = []
  let configuration: VideoConfiguration | undefined
  for (const [index, picture] of pictures.entries()) {
    const nalUnits = writePicture(picture)
    const { pts, dts } = times[index] as { pts: number; dts: number }
    const keyframe = picture.header.idrPicId !== undefined
    const isNew = picture.configuration !== configuration
    configuration = picture.configuration
    const common = {
      trackId,
      keyframe,
      ...(seed.pieces ? { pieces: cutNalUnits(nalUnits, picture.seed.cuts) } : {}),
      ...(isNew ? { configuration: picture.configuration } : {}),
    }
    accessUnits.push({
      ...common,
      type: 'access-unit',
      epoch: 0,
      nalUnits,
      clockRate: 90_000,
      rtpTimestamp: rtpStart + pts,
      marker: true,
      lossBefore: false,
    })
    samples.push({ ...common, type: 'sample', data: nalUnits, pts: start + pts, dts: start + dts })
  }
  return {
    track: { id: trackId, kind: 'video', codec: 'h264', clockRate: 90_000 },
    accessUnits,
    samples,
    reorderDepth: depth,
  }
}

/** Decoding order with frame_num (§7.4.3) and picture order count (§8.2.1) for each picture. */
function planPictures(
  anchors: readonly AnchorSeed[],
  choices: readonly H264Parameters[],
  depth: number,
): readonly Picture[] {
  const configurations = choices.map(configurationOf)
  const pictures: Picture[] = []
  let current = 0
  let idrs = 0
  let referencesSinceIdr = 0
  let idrDisplay = 0
  let display = 0
  for (const [index, anchor] of anchors.entries()) {
    const isIdr = index === 0 || anchor.kind === 'idr'
    if (isIdr) {
      if (index > 0) current = anchor.change % choices.length
      idrDisplay = display
      referencesSinceIdr = 0
    }
    const parameters = choices[current] as H264Parameters
    const add = (seed: PictureSeed, type: 'P' | 'B' | 'I', place: number, isReference: boolean): void => {
      pictures.push({
        parameters,
        configuration: configurations[current] as VideoConfiguration,
        seed,
        recovery: type === 'I' && !isIdr,
        endOfSequence: false,
        display: place,
        header: {
          type,
          idrPicId: isIdr && place === idrDisplay ? idrs++ % 2 : undefined,
          isReference,
          frameNum: referencesSinceIdr,
          picOrderCnt: (place - idrDisplay) * 2,
        },
      })
      if (isReference) referencesSinceIdr++
    }
    const bPictures = isIdr ? [] : anchor.bPictures
    const place = display + bPictures.length
    // Only with picture order counts of their own can pictures that nothing refers to be told apart.
    const mayDrop = parameters.picOrderCntType === 0 && anchor.kind === 'p' && bPictures.length === 0
    add(
      anchor.picture,
      isIdr || anchor.kind === 'recovery' ? 'I' : 'P',
      place,
      !mayDrop || isIdr || anchor.picture.isReference,
    )
    if (depth === 2 && bPictures.length === 3) {
      const [first, middle, last] = bPictures as [PictureSeed, PictureSeed, PictureSeed]
      add(middle, 'B', display + 1, true)
      add(first, 'B', display, false)
      add(last, 'B', display + 2, false)
    } else for (const [i, b] of bPictures.entries()) add(b, 'B', display + i, false)
    display = place + 1
  }
  return pictures
}

/** PTS from the place in output order, DTS as the sorted PTS moved back by the depth: never after PTS, always rising. */
function timesOf(pictures: readonly Picture[], depth: number): { pts: number; dts: number }[] {
  const byDisplay = [...pictures].sort((a, b) => a.display - b.display)
  const lead = depth * 3000
  const sorted: number[] = []
  let at = lead
  for (const { seed } of byDisplay) {
    sorted.push(at)
    at += seed.ticks
  }
  return pictures.map(({ display }, index) => ({
    pts: sorted[display] as number,
    dts: index < depth ? lead - (depth - index) * 3000 : (sorted[index - depth] as number),
  }))
}

function writePicture({ parameters, configuration, header, seed, recovery }: Picture): Uint8Array[] {
  const nalUnits: Uint8Array[] = []
  if (seed.delimiter) nalUnits.push(writeDelimiter(header.type))
  if (header.idrPicId !== undefined && configuration.parameterSets !== undefined) {
    nalUnits.push(...configuration.parameterSets.sps, ...configuration.parameterSets.pps)
  }
  if (recovery) nalUnits.push(writeRecoveryPointSei())
  for (let i = 0; i < seed.sei; i++)
    nalUnits.push(writeUserDataSei(bytesOf({ seed: seed.data.seed, size: i * 250 + 3 })))
  const mbs = parameters.widthInMbs * parameters.heightInMbs
  const slices = Math.min(seed.slices + 1, mbs)
  const data = bytesOf(seed.data)
  for (let i = 0; i < slices; i++) {
    const from = Math.floor((data.byteLength * i) / slices)
    const to = Math.floor((data.byteLength * (i + 1)) / slices)
    const slice = {
      firstMb: Math.floor((mbs * i) / slices),
      allSameType: seed.allSameType,
      data: data.subarray(from, to),
    }
    nalUnits.push(writeSlice(parameters, header, slice))
  }
  if (seed.filler > 0) nalUnits.push(writeFiller(seed.filler))
  return nalUnits
}

/** Each NAL unit in up to three pieces, as packets would have brought it. */
function cutNalUnits(nalUnits: readonly Uint8Array[], cuts: number): NalPieces {
  return nalUnits.map((nalUnit) => {
    const count = Math.min(cuts + 1, nalUnit.byteLength)
    return Array.from({ length: count }, (_, i) =>
      nalUnit.subarray(
        Math.floor((nalUnit.byteLength * i) / count),
        Math.floor((nalUnit.byteLength * (i + 1)) / count),
      ),
    )
  })
}
