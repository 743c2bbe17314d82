import type { EncodedSample, Track } from '@rushes/media'
import { type H264Parameters, writePps, writeSps } from '../../src/arbitraries/h264-parameters.js'
import { writeSlice } from '../../src/arbitraries/h264-slice.js'
import { type Hooks, miniMux } from './mini-muxer.js'

export const parameters: H264Parameters = {
  profileIdc: 77,
  constraintFlags: 0,
  levelIdc: 31,
  spsId: 0,
  ppsId: 0,
  widthInMbs: 20,
  heightInMbs: 12,
  cropRight: 0,
  cropBottom: 12,
  log2MaxFrameNum: 4,
  picOrderCntType: 0,
  log2MaxPicOrderCntLsb: 6,
  bitstreamRestriction: true,
  timing: false,
  cabac: false,
  bottomFieldPicOrder: false,
  redundantPicCnt: false,
  deblockingControl: false,
  reorderDepth: 1,
}

export const video: Track = { id: 'video', kind: 'video', codec: 'h264', clockRate: 90_000 }
export const audio: Track = { id: 'audio', kind: 'audio', codec: 'aac', clockRate: 48_000, channels: 1 }

/** Pictures of a segment in decoding order by their place in output order. */
const ORDER = [0, 2, 1, 4, 3, 6, 5, 8, 7, 9]
export const PICTURES_PER_SEGMENT: number = ORDER.length

/** A slice of a picture of the good stream. */
export function slice(inSegment: number, firstMb = 0, frameNum?: number): Uint8Array {
  const place = ORDER[inSegment] as number
  const isB = place % 2 === 1 && place !== 9
  const references = ORDER.slice(0, inSegment).filter((other) => other % 2 === 0 || other === 9).length
  const header = {
    type: inSegment === 0 ? ('I' as const) : isB ? ('B' as const) : ('P' as const),
    idrPicId: inSegment === 0 ? 0 : undefined,
    isReference: !isB,
    frameNum: frameNum ?? references,
    picOrderCnt: place * 2,
  }
  return writeSlice(parameters, header, { firstMb, allSameType: true, data: new Uint8Array(300).fill(0x55) })
}

/** 25 pictures a second with B pictures, and audio: two segments of ten pictures. */
export function goodSamples(segments = 2): { samples: EncodedSample[]; starts: number[] } {
  const timed: { at: number; sample: EncodedSample }[] = []
  for (let i = 0; i < segments * ORDER.length; i++) {
    const inSegment = i % ORDER.length
    const place = i - inSegment + (ORDER[inSegment] as number)
    const data = [slice(inSegment), slice(inSegment, 100)]
    if (inSegment === 0) data.unshift(writeSps(parameters), writePps(parameters))
    const [dts, pts] = [i * 3600, (place + 1) * 3600]
    timed.push({ at: dts, sample: { type: 'sample', trackId: 'video', data, pts, dts, keyframe: inSegment === 0 } })
  }
  for (let i = 0; i * 1920 < segments * ORDER.length * 3600; i++) {
    const times = { pts: i * 1024, dts: i * 1024 }
    const data = new Uint8Array(100).fill(0x21)
    // Behind the picture of the same time, so that each segment starts with its picture.
    timed.push({ at: i * 1920 + 1, sample: { type: 'sample', trackId: 'audio', data, ...times, keyframe: true } })
  }
  timed.sort((a, b) => a.at - b.at)
  const samples = timed.map(({ sample }) => sample)
  const starts = samples.flatMap((sample, index) => (sample.keyframe && sample.trackId === 'video' ? [index] : []))
  return { samples, starts }
}

/** The good stream, or one that a hook breaks. */
export function goodSegments(hooks: Hooks = {}): Uint8Array[] {
  const { samples, starts } = goodSamples()
  return miniMux([video, audio], samples, hooks, starts)
}

/** The same without video. */
export function goodAudioSegments(hooks: Hooks = {}): Uint8Array[] {
  const samples = goodSamples().samples.filter(({ trackId }) => trackId === 'audio')
  return miniMux([audio], samples, hooks, [20])
}
