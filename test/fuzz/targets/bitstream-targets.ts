import {
  addEmulationPrevention,
  adtsHeader,
  avcDecoderConfigurationRecord,
  BitstreamError,
  buildAudioSpecificConfig,
  h264CodecString,
  h264Configuration,
  h264ReorderDepth,
  hevcDecoderConfigurationRecord,
  hideVp9Frame,
  joinAnnexB,
  joinLengthPrefixed,
  leb128Bytes,
  NalUnitType,
  nalUnitTypeOf,
  opusPacketDuration,
  type Pps,
  parseAdtsHeader,
  parseAudioSpecificConfig,
  parseFirstMbInSlice,
  parseOpusToc,
  parsePps,
  parseSliceHeader,
  parseSps,
  parseVp8FrameHeader,
  parseVp9UncompressedHeader,
  readLeb128,
  removeEmulationPrevention,
  type SliceHeader,
  type Sps,
  splitAdts,
  splitAnnexB,
  splitLengthPrefixed,
  startsNewPicture,
  vp9CodecString,
} from '@rushes/bitstream'
import { check, type FuzzTarget, unlessRefused } from '../fuzz-target.js'
import { mutateBits } from '../mutators/bits.js'
import { mutateBytes } from '../mutators/bytes.js'
import { av1Streams, h264Streams, h265Streams, opusPackets, videoFrames } from '../unit-seeds.js'
import { runAv1, runH265Stream } from './newer-bitstream-runs.js'

/** Parsers of what the payloads carry. */
export const bitstreamTargets: readonly FuzzTarget[] = [
  { name: 'h264-sps', weight: 40, mutate: mutateBits, seeds: () => h264Nals(NalUnitType.sps), run: runSps },
  { name: 'h264-pps', weight: 40, mutate: mutateBits, seeds: () => h264Nals(NalUnitType.pps), run: runPps },
  { name: 'h264-stream', weight: 15, mutate: mutateBits, seeds: h264Streams, run: runH264Stream },
  { name: 'h265-stream', weight: 15, mutate: mutateBits, seeds: h265Streams, run: runH265Stream },
  { name: 'vp8-frame', weight: 40, mutate: mutateBytes, seeds: () => videoFrames('vp8'), run: runVp8 },
  { name: 'vp9-frame', weight: 40, mutate: mutateBits, seeds: () => videoFrames('vp9'), run: runVp9 },
  { name: 'av1-obus', weight: 20, mutate: mutateBits, seeds: av1Streams, run: runAv1 },
  { name: 'opus-packet', weight: 40, mutate: mutateBytes, seeds: opusPackets, run: runOpus },
  { name: 'adts', weight: 40, mutate: mutateBytes, seeds: adtsStreams, run: runAdts },
  { name: 'audio-specific-config', weight: 40, mutate: mutateBits, seeds: audioConfigs, run: runAudioConfig },
  { name: 'annex-b', weight: 20, mutate: mutateBytes, seeds: h264Streams, run: runAnnexB },
  { name: 'length-prefixed', weight: 20, mutate: mutateBytes, seeds: lengthPrefixed, run: runLengthPrefixed },
  { name: 'leb128', weight: 20, mutate: mutateBytes, seeds: av1Streams, run: runLeb128 },
]

function h264Nals(type: number): Uint8Array[] {
  return h264Streams().flatMap((stream) => splitAnnexB(stream).filter((nalUnit) => nalUnitTypeOf(nalUnit) === type))
}

function checkSps(sps: Sps, nalUnit: Uint8Array): void {
  check(Number.isSafeInteger(sps.width) && Number.isSafeInteger(sps.height), 'sizes are integers')
  check(sps.width > 0 && sps.height > 0, 'a picture has a size')
  check(sps.id >= 0 && sps.id <= 31, 'SPS ids go up to 31')
  const depth = h264ReorderDepth(sps)
  check(depth >= 0 && depth <= 16, 'at most 16 pictures are reordered')
  check(/^avc1\.[0-9a-f]{6}$/.test(h264CodecString(sps)), 'the codec string has six digits')
  const sets = { sps: [nalUnit], pps: [Uint8Array.of(0x68, 0xce, 0x3c, 0x80)] }
  unlessRefused(BitstreamError, () => avcDecoderConfigurationRecord(sets))
  unlessRefused(BitstreamError, () => h264Configuration(sets.sps, sets.pps))
}

function runSps(input: Uint8Array): void {
  const sps = unlessRefused(BitstreamError, () => parseSps(input))
  if (sps !== undefined) checkSps(sps, input)
}

function runPps(input: Uint8Array): void {
  const pps = unlessRefused(BitstreamError, () => parsePps(input))
  if (pps === undefined) return
  check(pps.id >= 0 && pps.id <= 255 && pps.spsId >= 0 && pps.spsId <= 31, 'ids are in range')
}

/** Parameter sets and the slices that refer to them, as they come: wrong sets reach the slice parser too. */
function runH264Stream(input: Uint8Array): void {
  const spsById = new Map<number, Sps>()
  const ppsById = new Map<number, Pps>()
  const lookup = { sps: (id: number) => spsById.get(id), pps: (id: number) => ppsById.get(id) }
  let previous: SliceHeader | undefined
  for (const nalUnit of splitAnnexB(input)) {
    const type = nalUnitTypeOf(nalUnit)
    if (type === NalUnitType.sps) {
      const sps = unlessRefused(BitstreamError, () => parseSps(nalUnit))
      if (sps !== undefined) spsById.set(sps.id, sps)
    } else if (type === NalUnitType.pps) {
      const pps = unlessRefused(BitstreamError, () => parsePps(nalUnit))
      if (pps !== undefined) ppsById.set(pps.id, pps)
    }
    unlessRefused(BitstreamError, () => parseFirstMbInSlice(nalUnit))
    const slice = unlessRefused(BitstreamError, () => parseSliceHeader(nalUnit, lookup))
    if (slice === undefined) continue
    check(slice.sliceType >= 0 && slice.sliceType <= 4, 'there are five types of slices')
    check(Number.isSafeInteger(slice.frameNum) && Number.isSafeInteger(slice.firstMbInSlice), 'fields are integers')
    if (previous !== undefined) startsNewPicture(previous, slice)
    previous = slice
  }
}

function runVp8(input: Uint8Array): void {
  const header = unlessRefused(BitstreamError, () => parseVp8FrameHeader(input))
  if (header?.keyframe !== true) return
  check((header.width ?? 0) > 0 && (header.height ?? 0) > 0, 'a keyframe has a size')
}

function runVp9(input: Uint8Array): void {
  const known = Array.from({ length: 8 }, (_, slot) => (slot % 3 === 0 ? undefined : { width: 64 * slot, height: 48 }))
  const header = unlessRefused(BitstreamError, () => parseVp9UncompressedHeader(input, known))
  if (header === undefined) return
  const { profile, size, bitDepth, refreshFrameFlags } = header
  check(profile >= 0 && profile <= 3 && refreshFrameFlags >= 0 && refreshFrameFlags <= 255, 'fields are in range')
  if (size !== undefined) {
    check(size.width > 0 && size.width <= 65_536 && size.height > 0 && size.height <= 65_536, 'sizes have 16 bits')
    check(
      /^vp09\.\d\d\.\d\d\.\d\d$/.test(vp9CodecString(profile, size.width, size.height, bitDepth ?? 8)),
      'codec string',
    )
  }
  const hidden = hideVp9Frame(input, header)
  if (hidden !== undefined) check(hidden.replacedBytes <= input.byteLength, 'what is replaced is there')
}

function runOpus(input: Uint8Array): void {
  const toc = unlessRefused(BitstreamError, () => parseOpusToc(input))
  const duration = unlessRefused(BitstreamError, () => opusPacketDuration(input))
  if (duration === undefined) return
  check(toc !== undefined, 'a packet with a length has a TOC')
  check(Number.isInteger(duration) && duration > 0 && duration <= 5760, 'at most 120 ms at 48 kHz')
}

function adtsStreams(): Uint8Array[] {
  return [1, 2, 6, 8].map((channels) => {
    const frames = [20, 7, 300].flatMap((length) => [
      adtsHeader({ sampleRate: channels === 6 ? 96_000 : 48_000, channels }, length),
      new Uint8Array(length).fill(0xff),
    ])
    return Uint8Array.from(frames.flatMap((bytes) => [...bytes]))
  })
}

function runAdts(input: Uint8Array): void {
  const header = unlessRefused(BitstreamError, () => parseAdtsHeader(input))
  if (header !== undefined) check(header.frameLengthBytes >= header.headerLengthBytes, 'a frame has its header')
  const frames = unlessRefused(BitstreamError, () => splitAdts(input))
  let bytes = 0
  for (const frame of frames ?? []) bytes += frame.header.frameLengthBytes
  check(frames === undefined || bytes === input.byteLength, 'frames fill the stream')
}

function audioConfigs(): Uint8Array[] {
  const plain = [8000, 44_100, 48_000, 12_345].map((sampleRate) =>
    buildAudioSpecificConfig({ sampleRate, channels: 2 }),
  )
  // HE-AAC and HE-AAC v2 with explicit signalling, and object type 34 behind the escape code.
  return [
    ...plain,
    ...['2b11880000', 'eb098800', 'f8408000', '1210'].map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
  ]
}

function runAudioConfig(input: Uint8Array): void {
  const config = unlessRefused(BitstreamError, () => parseAudioSpecificConfig(input))
  if (config === undefined) return
  check(config.sampleRate > 0 && config.sampleRate < 2 ** 24, 'a rate has 24 bits')
  check(config.frameLengthSamples === 1024 || config.frameLengthSamples === 960, 'frames have 1024 or 960 samples')
}

function runAnnexB(input: Uint8Array): void {
  const nalUnits = splitAnnexB(input)
  for (const nalUnit of nalUnits) check(nalUnit.byteLength > 0, 'no NAL unit is empty')
  check(splitAnnexB(joinAnnexB(nalUnits)).length === nalUnits.length, 'what is joined splits the same')
  const escaped = addEmulationPrevention(input)
  const restored = removeEmulationPrevention(escaped)
  // A zero byte at the very end gets a byte behind it that the inverse takes away again only within a NAL unit.
  check(Buffer.compare(restored.subarray(0, input.byteLength), input) === 0, 'escaping loses nothing')
  removeEmulationPrevention(input)
}

function lengthPrefixed(): Uint8Array[] {
  return h264Streams().map((stream) => joinLengthPrefixed(splitAnnexB(stream).map((nalUnit) => [nalUnit])))
}

function runLengthPrefixed(input: Uint8Array): void {
  for (const size of [1, 2, 4] as const) {
    const nalUnits = unlessRefused(BitstreamError, () => splitLengthPrefixed(input, size))
    if (nalUnits === undefined) continue
    let bytes = 0
    for (const nalUnit of nalUnits) bytes += size + nalUnit.byteLength
    check(bytes === input.byteLength, 'units fill the sample')
    const sets = { vps: nalUnits.slice(0, 1), sps: nalUnits.slice(1, 2), pps: nalUnits.slice(2, 3) }
    unlessRefused(BitstreamError, () => avcDecoderConfigurationRecord(sets))
    unlessRefused(BitstreamError, () => hevcDecoderConfigurationRecord(sets))
  }
}

function runLeb128(input: Uint8Array): void {
  for (let at = 0; at < input.byteLength; at++) {
    const read = unlessRefused(BitstreamError, () => readLeb128(input, at))
    if (read === undefined) continue
    check(read.value >= 0 && read.value <= 0xffff_ffff && at + read.bytes <= input.byteLength, 'at most 32 bits')
    check(leb128Bytes(read.value) <= read.bytes, 'the shortest form is no longer')
  }
}
