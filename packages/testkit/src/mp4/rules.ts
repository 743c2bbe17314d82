import type { RuleText } from '../finding.js'
import { type AccessUnitRule, accessUnitRules } from '../h264/access-unit-rules.js'

const rules = {
  'box-size': {
    rule: 'boxes have a size of 8 or more, lie within their parent, and fill it',
    source: 'ISO/IEC 14496-12 4.2',
  },
  'box-missing': { rule: 'boxes that must be there are, once', source: 'ISO/IEC 14496-12 Table 1' },
  'file-type': { rule: 'ftyp comes first', source: 'ISO/IEC 14496-12 4.3' },
  'fast-start': {
    rule: 'moov comes before the first mdat (option fastStart)',
    source: 'design rule (a player needs moov first)',
  },
  'track-header': {
    rule: 'track ids are not 0, each once, below next_track_ID; handler and sample entry fit each other',
    source: 'ISO/IEC 14496-12 8.3.2, 8.2.2, 8.4.3',
  },
  'sample-table': {
    rule: 'stts, ctts, stsz, stsc, stco and stss count the same samples and chunks, in rising order',
    source: 'ISO/IEC 14496-12 8.6, 8.7',
  },
  'sample-range': {
    rule: 'samples lie within an mdat, and no two overlap',
    source: 'ISO/IEC 14496-12 8.1.1, 8.7.5',
  },
  'dts-order': { rule: 'decoding times rise: no stts delta but the last is 0', source: 'ISO/IEC 14496-12 8.6.1.2' },
  'composition-time': {
    rule: 'after the edit list no presentation time is below 0 (audio: but for priming of up to 120 ms)',
    source: 'ISO/IEC 14496-12 8.6.6; design rule',
  },
  'edit-list': {
    rule: 'rates are 1, media times are within the track, at most one empty edit comes first',
    source: 'ISO/IEC 14496-12 8.6.6',
  },
  duration: {
    rule: 'mdhd is the sum of stts, tkhd the sum of the edits (or mdhd), mvhd the longest tkhd, within a tick',
    source: 'ISO/IEC 14496-12 8.2.2, 8.3.2, 8.4.2',
  },
  'sync-sample': {
    rule: 'sync samples are IDR pictures and the others are not; the first sample is one',
    source: 'ISO/IEC 14496-12 8.6.2; ISO/IEC 14496-15 (AVC sync sample)',
  },
  'avc-configuration': {
    rule: 'avcC has version 1, reserved ones, a length size of 1, 2 or 4, and parameter sets that agree with it',
    source: 'ISO/IEC 14496-15 (AVCDecoderConfigurationRecord)',
  },
  'sample-nal-units': {
    rule: 'NAL unit lengths fill the sample exactly',
    source: 'ISO/IEC 14496-15 (AVC sample)',
  },
  'aac-configuration': {
    rule: 'esds holds an ES, a decoder configuration for MPEG-4 audio, and an AudioSpecificConfig that fits',
    source: 'ISO/IEC 14496-14 5.6; ISO/IEC 14496-1 7.2.6',
  },
  'opus-configuration': {
    rule: 'dOps has version 0, channels and mapping that fit; the media timescale is 48000',
    source: 'Encapsulation of Opus in ISO Base Media File Format 4.3',
  },
  'sample-entry': { rule: 'the codec is one this oracle can check', source: 'this oracle' },
  'audio-timing': {
    rule: 'audio frames do not overlap: a sample lasts at least as long as its frame, but the last',
    source: 'ISO/IEC 14496-12 8.6.1; design rule',
  },
  'fragment-sequence': { rule: 'mfhd sequence numbers rise', source: 'ISO/IEC 14496-12 8.8.5' },
  'fragment-header': {
    rule: 'mvex has a trex for each track; each traf names a known track and has a tfdt',
    source: 'ISO/IEC 14496-12 8.8.3, 8.8.7, 8.8.12',
  },
  'fragment-time': {
    rule: 'baseMediaDecodeTime is the end of the fragment before (option allowFragmentGaps: or later)',
    source: 'ISO/IEC 14496-12 8.8.12',
  },
} as const

/** The id of a rule for MP4 files. */
export type Mp4Rule = keyof typeof rules | AccessUnitRule

/** Every rule that `checkMp4` knows. */
export const mp4Rules: Readonly<Record<Mp4Rule, RuleText>> = { ...rules, ...accessUnitRules }
