import type { RuleText } from '../finding.js'
import { type AccessUnitRule, accessUnitRules } from '../h264/access-unit-rules.js'

const rules = {
  // Packets
  'packet-length': { rule: 'a segment is a whole number of 188-byte packets', source: 'ISO/IEC 13818-1 2.4.3.2' },
  'sync-byte': { rule: 'every packet starts with 0x47', source: 'ISO/IEC 13818-1 2.4.3.3' },
  'transport-error': { rule: 'transport_error_indicator is 0', source: 'ISO/IEC 13818-1 2.4.3.3' },
  'reserved-pid': { rule: 'PIDs 0x0002 to 0x000F are not used', source: 'ISO/IEC 13818-1 Table 2-3' },
  'unlisted-pid': {
    rule: 'every PID with packets is the PAT, a PMT, listed in the PMT, or null packets',
    source: 'ISO/IEC 13818-1 2.4.4.8; RFC 8216 3.2 (a single program)',
  },
  scrambling: {
    rule: 'neither transport_scrambling_control nor PES_scrambling_control is set',
    source: 'ISO/IEC 13818-1 2.4.3.3, 2.4.3.7 (this oracle reads clear streams)',
  },
  'adaptation-field-control': { rule: 'adaptation_field_control is not 00', source: 'ISO/IEC 13818-1 Table 2-5' },
  'adaptation-field-length': {
    rule: 'adaptation_field_length is 183 without payload, at most 182 with, and holds the fields it announces',
    source: 'ISO/IEC 13818-1 2.4.3.5',
  },
  'adaptation-field-stuffing': { rule: 'stuffing bytes are 0xFF', source: 'ISO/IEC 13818-1 2.4.3.5' },
  'continuity-counter': {
    rule: 'per PID +1 modulo 16 with each payload, unchanged without, at most one exact duplicate; across segments too',
    source: 'ISO/IEC 13818-1 2.4.3.3',
  },
  // Tables
  'tables-first': {
    rule: 'each segment has a PAT, then a PMT, before any PES packet',
    source: 'RFC 8216 3.2; design rule',
  },
  'section-syntax': {
    rule: 'pointer field, table id, syntax indicator, reserved bits, lengths and section numbers of PAT and PMT are right',
    source: 'ISO/IEC 13818-1 2.4.4.1 to 2.4.4.9',
  },
  'section-crc': { rule: 'CRC_32 of a section is right', source: 'ISO/IEC 13818-1 2.4.4.5, Annex A' },
  'section-stuffing': { rule: 'bytes after the last section of a packet are 0xFF', source: 'ISO/IEC 13818-1 2.4.4' },
  'section-version': {
    rule: 'current_next_indicator is 1; version_number is incremented when the table changes, and only then',
    source: 'ISO/IEC 13818-1 2.4.4.5, 2.4.4.9',
  },
  'single-program': { rule: 'the PAT lists exactly one program, the one of the PMT', source: 'RFC 8216 3.2' },
  'pmt-streams': {
    rule: 'at least one stream; PIDs from 0x0010 to 0x1FFE, each once, and not the PMT itself',
    source: 'ISO/IEC 13818-1 2.4.4.9, Table 2-3',
  },
  'stream-type': {
    rule: 'stream types are ones this oracle can check (0x1B, 0x0F) or that were allowed',
    source: 'option',
  },
  'idle-stream': {
    rule: 'every stream that the PMT lists has packets, in every segment (option allowIdle: somewhere)',
    source: 'design rule (players wait for a listed stream)',
  },
  'pcr-pid': {
    rule: 'PCR_PID is a listed stream, the video where there is one, and PCRs come on it and nowhere else',
    source: 'ISO/IEC 13818-1 2.4.4.9; design rule',
  },
  // Clocks
  'pcr-format': { rule: 'PCR extension is below 300', source: 'ISO/IEC 13818-1 2.4.3.5' },
  'pcr-order': { rule: 'PCRs increase, modulo 2^33', source: 'ISO/IEC 13818-1 2.4.3.5' },
  'pcr-interval': { rule: 'PCRs are at most 100 ms apart', source: 'ISO/IEC 13818-1 2.7.2' },
  'pcr-ahead': {
    rule: 'no PCR before or inside a PES packet is later than its DTS',
    source: 'ISO/IEC 13818-1 2.4.2 (a byte arrives before it is decoded)',
  },
  'pcr-random-access': {
    rule: 'the packet that starts an IDR picture on the PCR PID, or the first audio of an audio-only segment, has a PCR',
    source: 'design rule',
  },
  'decoding-delay': {
    rule: 'data arrives at most 10 s (video) or 1 s (audio) before its DTS, by the PCR',
    source: 'ISO/IEC 13818-1 2.4.2.6',
  },
  'random-access-indicator': {
    rule: 'random_access_indicator is set on the packet that starts an IDR picture, or the first audio of an audio-only segment, and on no packet that starts nothing or starts no random access point',
    source: 'ISO/IEC 13818-1 2.4.3.5; design rule',
  },
  // PES
  'payload-unit-start': {
    rule: 'payload_unit_start_indicator opens a PES packet; payload of a stream in a segment starts with one',
    source: 'ISO/IEC 13818-1 2.4.3.3; RFC 8216 3.2',
  },
  'pes-start-code': { rule: 'packet_start_code_prefix is 000001', source: 'ISO/IEC 13818-1 2.4.3.7' },
  'pes-stream-id': {
    rule: 'stream_id is 0xE0 to 0xEF for video, 0xC0 to 0xDF for audio',
    source: 'ISO/IEC 13818-1 Table 2-22',
  },
  'pes-length': {
    rule: 'PES_packet_length is what follows; 0 only for video',
    source: 'ISO/IEC 13818-1 2.4.3.7',
  },
  'pes-header': {
    rule: 'marker and prefix bits are right, PTS_DTS_flags is not 01, header_data_length holds the announced fields',
    source: 'ISO/IEC 13818-1 2.4.3.6, 2.4.3.7',
  },
  'pes-stuffing': { rule: 'at most 32 stuffing bytes, all 0xFF', source: 'ISO/IEC 13818-1 2.4.3.7' },
  'pts-missing': {
    rule: 'every PES packet, as it starts an access unit, has a PTS',
    source: 'ISO/IEC 13818-1 2.7.4; design rule',
  },
  'pts-before-dts': { rule: 'PTS is not before DTS', source: 'ISO/IEC 13818-1 2.4.3.7' },
  'dts-redundant': { rule: 'DTS is present only where it differs from PTS', source: 'ISO/IEC 13818-1 2.7.5' },
  'dts-order': { rule: 'DTS strictly increases per PID, modulo 2^33', source: 'ISO/IEC 13818-1 2.4.3.7' },
  // H.264 in PES
  'start-code': {
    rule: 'nothing precedes the first start code; the first NAL unit and each SPS and PPS have four-byte start codes',
    source: 'ITU-T H.264 Annex B B.1',
  },
  'segment-not-independent': {
    rule: 'the first video access unit of each segment is an IDR picture (option independentSegments)',
    source: 'RFC 8216 4.3.5.1',
  },
  // AAC in PES
  'adts-header': {
    rule: 'the ADTS header has its sync word, layer 0, a known sampling frequency and one raw data block',
    source: 'ISO/IEC 14496-3 Annex 1.A (ADTS)',
  },
  'adts-length': {
    rule: 'the ADTS frames are whole and fill the PES packet exactly',
    source: 'ISO/IEC 14496-3 Annex 1.A (ADTS)',
  },
  'adts-configuration': {
    rule: 'profile, sampling frequency and channels of a stream stay the same',
    source: 'RFC 8216 4.3.2.3 (encoding parameters)',
  },
  'audio-timing': {
    rule: 'PTS advances by exactly the samples sent, within 2 ticks of 90 kHz (option allowAudioGaps: or by more)',
    source: 'ISO/IEC 13818-1 2.4.3.7; design rule (continuous audio)',
  },
} as const

/** The id of a rule for transport streams. */
export type TransportStreamRule = keyof typeof rules | AccessUnitRule

/** Every rule that `checkTransportStream` knows: all that a muxer can break but the T-STD buffer model. */
export const transportStreamRules: Readonly<Record<TransportStreamRule, RuleText>> = { ...rules, ...accessUnitRules }
