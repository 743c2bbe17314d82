import {
  type Av1SequenceHeader,
  av1CodecString,
  BitstreamError,
  H265NalUnitType,
  type H265Pps,
  type H265Sps,
  h265CodecString,
  h265Configuration,
  h265LayerIdOf,
  h265NalUnitTypeOf,
  h265PicOrderCnt,
  h265TemporalIdOf,
  hevcDecoderConfigurationRecord,
  ObuType,
  parseAv1FrameHeader,
  parseAv1SequenceHeader,
  parseH265Pps,
  parseH265SlicePpsId,
  parseH265SliceSegmentHeader,
  parseH265Sps,
  parseH265Vps,
  parseObuHeader,
  readLeb128,
  splitAnnexB,
} from '@rushes/bitstream'
import { check, unlessRefused } from '../fuzz-target.js'

/** H265 parameter sets, and the slices that refer to them. */
export function runH265Stream(input: Uint8Array): void {
  const spsById = new Map<number, H265Sps>()
  const ppsById = new Map<number, H265Pps>()
  const lookup = { sps: (id: number) => spsById.get(id), pps: (id: number) => ppsById.get(id) }
  const sets = { vps: [] as Uint8Array[], sps: [] as Uint8Array[], pps: [] as Uint8Array[] }
  for (const nalUnit of splitAnnexB(input)) {
    check(h265LayerIdOf(nalUnit) <= 63 && h265TemporalIdOf(nalUnit) <= 6, 'fields of the header are in range')
    const type = h265NalUnitTypeOf(nalUnit)
    if (type === H265NalUnitType.vps) {
      if (unlessRefused(BitstreamError, () => parseH265Vps(nalUnit)) !== undefined) sets.vps.push(nalUnit)
    } else if (type === H265NalUnitType.sps) {
      const sps = unlessRefused(BitstreamError, () => parseH265Sps(nalUnit))
      if (sps === undefined) continue
      checkSps(sps)
      spsById.set(sps.id, sps)
      sets.sps.push(nalUnit)
    } else if (type === H265NalUnitType.pps) {
      const pps = unlessRefused(BitstreamError, () => parseH265Pps(nalUnit))
      if (pps === undefined) continue
      ppsById.set(pps.id, pps)
      sets.pps.push(nalUnit)
    } else {
      unlessRefused(BitstreamError, () => parseH265SlicePpsId(nalUnit))
      const slice = unlessRefused(BitstreamError, () => parseH265SliceSegmentHeader(nalUnit, lookup))
      if (slice === undefined) continue
      check(slice.ppsId >= 0 && slice.ppsId <= 63, 'PPS ids go up to 63')
      check(Number.isSafeInteger(h265PicOrderCnt(slice.picOrderCntLsb, 8, 5)), 'order counts are integers')
    }
  }
  unlessRefused(BitstreamError, () => h265Configuration(sets.vps, sets.sps, sets.pps))
  unlessRefused(BitstreamError, () => hevcDecoderConfigurationRecord(sets))
}

function checkSps(sps: H265Sps): void {
  check(Number.isSafeInteger(sps.width) && Number.isSafeInteger(sps.height), 'sizes are integers')
  check(sps.width > 0 && sps.height > 0, 'a picture has a size')
  check(sps.id <= 15 && sps.maxSubLayers >= 1 && sps.maxSubLayers <= 7, 'fields are in range')
  check(/^hvc1\.[A-C]?\d+\.[0-9A-F]+\.[LH]\d+(\.[0-9A-F]{1,2}){0,6}$/.test(h265CodecString(sps)), 'the codec string')
}

/** OBUs one after the other; frame headers by the last sequence header. */
export function runAv1(input: Uint8Array): void {
  let sequence: Av1SequenceHeader | undefined
  for (let at = 0; at < input.byteLength; ) {
    const obu = input.subarray(at)
    const header = unlessRefused(BitstreamError, () => parseObuHeader(obu))
    if (header === undefined) return
    const size = header.hasSize
      ? unlessRefused(BitstreamError, () => readLeb128(obu, header.headerBytes))
      : { value: obu.byteLength - header.headerBytes, bytes: 0 }
    if (header.type === ObuType.sequenceHeader) {
      sequence = unlessRefused(BitstreamError, () => parseAv1SequenceHeader(obu)) ?? sequence
      if (sequence !== undefined) checkSequence(sequence)
    } else if (sequence !== undefined) {
      const known = sequence
      const references = [undefined, { width: 640, height: 360 }, { width: 65_536, height: 1 }]
      const frame = unlessRefused(BitstreamError, () => parseAv1FrameHeader(obu, known, references))
      if (frame !== undefined) {
        check(frame.refreshFrameFlags >= 0 && frame.refreshFrameFlags <= 255, 'there are eight slots')
        const { size: picture } = frame
        if (picture !== undefined) check(picture.width > 0 && picture.height > 0, 'a frame has a size')
      }
    }
    if (size === undefined) return
    at += header.headerBytes + size.bytes + size.value
  }
}

function checkSequence(sequence: Av1SequenceHeader): void {
  const { width, height } = sequence
  check(width > 0 && width <= 65_536 && height > 0 && height <= 65_536, 'sizes have 16 bits')
  check(/^av01\.[0-7]\.\d\d[MH]\.(08|10|12)$/.test(av1CodecString(sequence)), 'the codec string')
}
