import { nalUnitOf, RbspWriter } from '../h264/rbsp-writer.js'
import type { H264Parameters } from './h264-parameters.js'

/** What the slices of one picture have in common. */
export interface PictureHeader {
  readonly type: 'P' | 'B' | 'I'
  readonly idrPicId: number | undefined
  readonly isReference: boolean
  readonly frameNum: number
  readonly picOrderCnt: number
}

/** No slice is without macroblocks, so none is without data. */
const ONE_BYTE = Uint8Array.of(0xd5)
const SLICE_TYPE = { P: 0, B: 1, I: 2 }

/** One slice NAL unit with a whole, valid header (ITU-T H.264 §7.3.3) and arbitrary data. */
export function writeSlice(
  p: H264Parameters,
  picture: PictureHeader,
  slice: { readonly firstMb: number; readonly allSameType: boolean; readonly data: Uint8Array },
): Uint8Array {
  const isIdr = picture.idrPicId !== undefined
  const w = new RbspWriter()
  w.ue(slice.firstMb)
  w.ue(SLICE_TYPE[picture.type] + (slice.allSameType ? 5 : 0))
  w.ue(p.ppsId)
  w.u(p.log2MaxFrameNum, picture.frameNum % 2 ** p.log2MaxFrameNum)
  if (picture.idrPicId !== undefined) w.ue(picture.idrPicId)
  if (p.picOrderCntType === 0) {
    w.u(p.log2MaxPicOrderCntLsb, picture.picOrderCnt % 2 ** p.log2MaxPicOrderCntLsb)
    if (p.bottomFieldPicOrder) w.se(0)
  }
  if (p.redundantPicCnt) w.ue(0)
  if (picture.type === 'B') w.flag(true)
  if (picture.type !== 'I') w.flag(false).flag(false)
  if (picture.type === 'B') w.flag(false)
  if (isIdr) w.flag(false).flag(false)
  else if (picture.isReference) w.flag(false)
  if (p.cabac && picture.type !== 'I') w.ue(0)
  w.se(0)
  if (p.deblockingControl) w.ue(1)
  return nalUnitOf(
    picture.isReference ? 2 : 0,
    isIdr ? 5 : 1,
    w.finishSlice(slice.data.byteLength === 0 ? ONE_BYTE : slice.data),
  )
}

/** An access unit delimiter for pictures up to that type (ITU-T H.264 §7.3.2.4, Table 7-5). */
export function writeDelimiter(type: 'P' | 'B' | 'I'): Uint8Array {
  return Uint8Array.of(9, ({ I: 0, P: 1, B: 2 }[type] << 5) | 0x10)
}

/** An SEI message of unregistered user data (ITU-T H.264 Annex D §D.1.7). */
export function writeUserDataSei(data: Uint8Array): Uint8Array {
  const size = data.byteLength + 16
  const sizeBytes = [...new Array<number>(Math.floor(size / 255)).fill(255), size % 255]
  return nalUnitOf(0, 6, Uint8Array.from([5, ...sizeBytes, ...new Array<number>(16).fill(0xa5), ...data, 0x80]))
}

/** A recovery point SEI message: decoding may start at this picture. */
export function writeRecoveryPointSei(): Uint8Array {
  const payload = new RbspWriter().ue(0).flag(true).flag(false).u(2, 0).finish()
  return nalUnitOf(0, 6, Uint8Array.from([6, payload.byteLength, ...payload, 0x80]))
}

/** Filler data (ITU-T H.264 §7.3.2.7). */
export function writeFiller(size: number): Uint8Array {
  return nalUnitOf(0, 12, Uint8Array.from([...new Array<number>(size).fill(0xff), 0x80]))
}
