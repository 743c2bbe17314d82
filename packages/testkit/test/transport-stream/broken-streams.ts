import type { TransportStreamOptions, TransportStreamRule } from '../../src/index.js'
import { goodAudioSegments, goodSegments, PICTURES_PER_SEGMENT, slice } from './good-stream.js'
import { AUDIO_PID, type Hooks, type PacketFacts, PMT_PID, START_CODE, VIDEO_PID, writePcr } from './mini-muxer.js'

/** One way to break a rule, and what else it cannot but break. */
export interface BrokenStream {
  readonly rule: TransportStreamRule
  readonly name: string
  readonly make: () => Uint8Array[]
  readonly also?: readonly TransportStreamRule[]
  readonly options?: TransportStreamOptions
}

export const strict: TransportStreamOptions = { independentSegments: true }

/** Changes the nth packet of a PID. */
function onPacket(pid: number, index: number, change: (packet: Uint8Array) => Uint8Array[] | undefined): Hooks {
  return {
    packet: (packet, facts: PacketFacts) =>
      facts.pid === pid && facts.index === index ? (change(packet) ?? [packet]) : [packet],
  }
}

function put(bytes: Uint8Array | number[], at: number, value: number): undefined {
  bytes[at] = value
}

function set(offset: number, value: number | ((byte: number) => number)): (packet: Uint8Array) => undefined {
  return (packet) => {
    packet[offset] = typeof value === 'number' ? value : value(packet[offset] as number)
  }
}

/** Changes the access unit of one picture. */
function onPicture(picture: number, change: (nalUnits: Uint8Array[]) => Uint8Array[]): Hooks {
  return { accessUnit: (nalUnits, index) => (index === picture ? change(nalUnits) : nalUnits) }
}

function onPes(kind: 'video' | 'audio', index: number, change: (pes: Uint8Array) => Uint8Array | undefined): Hooks {
  return { pes: (pes, k, i) => (k === kind && i === index ? (change(pes) ?? pes) : pes) }
}

function onTimes(kind: 'video' | 'audio', index: number, change: (times: { pts: number; dts: number }) => void): Hooks {
  return {
    times: (times, k, i) => {
      if (k === kind && i === index) change(times)
      return times
    },
  }
}

function onSection(name: 'PAT' | 'PMT', change: (section: number[]) => number[] | undefined, segment = 0): Hooks {
  return { section: (section, n, s) => (n === name && s >= segment ? (change(section) ?? section) : section) }
}

function nal(...bytes: number[]): Uint8Array {
  return Buffer.concat([START_CODE, Uint8Array.from(bytes)])
}

function insert(list: readonly Uint8Array[], at: number, ...items: Uint8Array[]): Uint8Array[] {
  return [...list.slice(0, at), ...items, ...list.slice(at)]
}

/** Sets section_length for a section whose CRC is still to come. */
function withLength(section: readonly number[]): number[] {
  return section.map((byte, index) => (index === 2 ? section.length + 1 : byte))
}

/** Makes room in a PES header for `bytes` of stuffing. */
function stuffed(pes: Uint8Array, stuffing: readonly number[]): Uint8Array {
  const headerEnd = 9 + (pes[8] as number)
  const longer = Buffer.concat([pes.subarray(0, headerEnd), Uint8Array.from(stuffing), pes.subarray(headerEnd)])
  longer[8] = (pes[8] as number) + stuffing.length
  longer.writeUInt16BE(longer.byteLength - 6, 4)
  return longer
}

/** Each rule, broken on purpose. */
export const brokenStreams: readonly BrokenStream[] = [
  // Packets
  {
    rule: 'packet-length',
    name: 'a cut packet',
    make: () => goodSegments().map((s, i) => (i === 1 ? s.subarray(0, -1) : s)),
  },
  {
    rule: 'packet-length',
    name: 'an empty segment',
    make: () => [...goodSegments(), new Uint8Array(0)],
    also: ['tables-first', 'idle-stream'],
  },
  {
    rule: 'sync-byte',
    name: '0x46',
    make: () => goodSegments(onPacket(AUDIO_PID, 5, set(0, 0x46))),
    also: ['continuity-counter', 'audio-timing'],
  },
  {
    rule: 'transport-error',
    name: 'the bit',
    make: () =>
      goodSegments(
        onPacket(
          VIDEO_PID,
          5,
          set(1, (b) => b | 0x80),
        ),
      ),
  },
  {
    rule: 'reserved-pid',
    name: 'packets on PID 5',
    make: () =>
      goodSegments(
        onPacket(AUDIO_PID, 3, (packet) => [
          packet,
          Uint8Array.from(packet, (b, i) => (i === 1 ? b & 0xe0 : i === 2 ? 5 : b)),
        ]),
      ),
    also: ['unlisted-pid'],
  },
  {
    rule: 'unlisted-pid',
    name: 'packets on PID 0x200',
    make: () =>
      goodSegments(
        onPacket(AUDIO_PID, 3, (packet) => [
          packet,
          Uint8Array.from(packet, (b, i) => (i === 1 ? 0x42 : i === 2 ? 0 : b)),
        ]),
      ),
  },
  {
    rule: 'unlisted-pid',
    name: 'an SDT',
    make: () =>
      goodSegments(
        onPacket(AUDIO_PID, 3, (packet) => [
          packet,
          Uint8Array.from(packet, (b, i) => (i === 1 ? 0x40 : i === 2 ? 0x11 : b)),
        ]),
      ),
  },
  {
    rule: 'scrambling',
    name: 'in the packet',
    make: () =>
      goodSegments(
        onPacket(
          VIDEO_PID,
          5,
          set(3, (b) => b | 0x80),
        ),
      ),
  },
  {
    rule: 'scrambling',
    name: 'in the PES packet',
    make: () => goodSegments(onPes('video', 2, (pes) => put(pes, 6, (pes[6] as number) | 0x10))),
  },
  {
    rule: 'adaptation-field-control',
    name: '00',
    make: () =>
      goodSegments(
        onPacket(
          AUDIO_PID,
          1,
          set(3, (b) => b & 0x0f),
        ),
      ),
    also: ['continuity-counter', 'audio-timing'],
  },
  {
    rule: 'adaptation-field-length',
    name: 'too long',
    make: () => goodSegments(onPacket(AUDIO_PID, 1, set(4, 184))),
    also: ['continuity-counter', 'audio-timing'],
  },
  {
    rule: 'adaptation-field-length',
    name: '183 with payload',
    make: () => goodSegments(onPacket(AUDIO_PID, 1, set(4, 183))),
    also: ['adaptation-field-stuffing', 'pes-start-code', 'audio-timing'],
  },
  {
    rule: 'adaptation-field-length',
    name: 'fields that do not fit',
    make: () => goodSegments(onPacket(AUDIO_PID, 1, (packet) => void packet.set([0x02, 200], 5))),
  },
  {
    rule: 'adaptation-field-stuffing',
    name: 'zeros',
    make: () => goodSegments(onPacket(AUDIO_PID, 1, set(10, 0))),
  },
  {
    rule: 'continuity-counter',
    name: 'a lost packet',
    make: () => goodSegments(onPacket(VIDEO_PID, 1, () => [])),
    also: ['pes-length'],
  },
  {
    rule: 'continuity-counter',
    name: 'a packet that comes three times',
    make: () => goodSegments(onPacket(VIDEO_PID, 1, (p) => [p, p, p])),
  },
  {
    rule: 'continuity-counter',
    name: 'the same counter with other bytes',
    make: () =>
      goodSegments(
        onPacket(
          AUDIO_PID,
          1,
          set(3, (b) => (b & 0xf0) | ((b - 1) & 15)),
        ),
      ),
  },
  {
    rule: 'continuity-counter',
    name: 'counting a packet without payload',
    make: () => goodSegments(onPacket(VIDEO_PID, 1, (p) => [pcrPacket(1), p])),
  },
  { rule: 'continuity-counter', name: 'starting anew in each segment', make: () => restartCounters(goodSegments()) },
  // Tables
  {
    rule: 'tables-first',
    name: 'no tables in the second segment',
    make: () => goodSegments({ packet: (p, f) => (f.segment === 1 && (f.pid === 0 || f.pid === PMT_PID) ? [] : [p]) }),
  },
  {
    rule: 'tables-first',
    name: 'no PMT in the second segment',
    make: () => goodSegments({ packet: (p, f) => (f.segment === 1 && f.pid === PMT_PID ? [] : [p]) }),
  },
  { rule: 'tables-first', name: 'PMT before PAT', make: () => swapPackets(goodSegments(), 1, 0, 1) },
  { rule: 'tables-first', name: 'tables after the picture', make: () => swapPackets(goodSegments(), 1, 1, 2) },
  {
    rule: 'section-syntax',
    name: 'table_id',
    make: () => goodSegments(onSection('PMT', (s) => put(s, 0, 3), 1)),
    also: ['tables-first'],
  },
  {
    rule: 'section-syntax',
    name: 'syntax indicator',
    make: () => goodSegments(onSection('PAT', (s) => put(s, 1, 0x30))),
  },
  {
    rule: 'section-syntax',
    name: 'reserved bits',
    make: () => goodSegments(onSection('PMT', (s) => put(s, 8, 0x01))),
  },
  {
    rule: 'section-syntax',
    name: 'section_number',
    make: () => goodSegments(onSection('PAT', (s) => put(s, 7, 1))),
  },
  {
    rule: 'section-syntax',
    name: 'ES_info_length',
    make: () => goodSegments(onSection('PMT', (s) => put(s, 21, 9))),
  },
  {
    rule: 'section-syntax',
    name: 'pointer_field',
    make: () => goodSegments(onPacket(0, 1, set(4, 200))),
    also: ['tables-first'],
  },
  {
    rule: 'section-crc',
    name: 'a flipped bit',
    make: () =>
      goodSegments(
        onPacket(
          PMT_PID,
          1,
          set(20, (b) => b ^ 1),
        ),
      ),
    also: ['tables-first'],
  },
  {
    rule: 'section-stuffing',
    name: 'zeros',
    make: () => goodSegments(onPacket(0, 0, (p) => void p.fill(0, 100))),
    also: [],
  },
  {
    rule: 'section-version',
    name: 'a new version of the same',
    make: () => goodSegments(onSection('PMT', (s) => put(s, 5, 0xc3), 1)),
  },
  {
    rule: 'section-version',
    name: 'the same version of something else',
    make: () => goodSegments(onSection('PMT', (s) => withLength([...s.slice(0, 12), ...s.slice(17)]), 1)),
    also: ['pcr-pid', 'unlisted-pid', 'random-access-indicator'],
  },
  {
    rule: 'section-version',
    name: 'not current',
    make: () => goodSegments(onSection('PAT', (s) => put(s, 5, 0xc0))),
  },
  {
    rule: 'single-program',
    name: 'two programs',
    make: () =>
      goodSegments(
        onSection('PAT', (s) => {
          s[2] = (s[2] as number) + 4
          return [...s, 0, 2, 0xe1, 0]
        }),
      ),
  },
  {
    rule: 'single-program',
    name: 'a PMT of another program',
    make: () => goodSegments(onSection('PMT', (s) => put(s, 4, 2))),
  },
  {
    rule: 'pmt-streams',
    name: 'a PID twice',
    make: () => goodSegments(onSection('PMT', (s) => put(s, 19, 0))),
    also: ['unlisted-pid', 'pcr-pid'],
  },
  {
    rule: 'pmt-streams',
    name: 'none',
    make: () => goodSegments(onSection('PMT', (s) => withLength(s.slice(0, 12)))),
    also: ['pcr-pid', 'unlisted-pid'],
  },
  {
    rule: 'pmt-streams',
    name: 'a PID of the reserved range',
    make: () => goodSegments(onSection('PMT', (s) => void s.splice(18, 2, 0xe0, 0x0a))),
    also: ['unlisted-pid', 'idle-stream'],
  },
  {
    rule: 'stream-type',
    name: 'Opus as private data',
    make: () => goodSegments(onSection('PMT', (s) => put(s, 17, 6))),
    also: [],
  },
  {
    rule: 'idle-stream',
    name: 'audio that does not come',
    make: () => goodSegments({ packet: (p, f) => (f.pid === AUDIO_PID ? [] : [p]) }),
  },
  {
    rule: 'idle-stream',
    name: 'audio that never comes, idling allowed',
    make: () => goodSegments({ packet: (p, f) => (f.pid === AUDIO_PID ? [] : [p]) }),
    options: { allowIdle: true },
  },
  {
    rule: 'pcr-pid',
    name: '0x1FFF',
    make: () => goodSegments(onSection('PMT', (s) => void s.splice(8, 2, 0xff, 0xff))),
  },
  {
    rule: 'pcr-pid',
    name: 'audio, though there is video',
    make: () => goodSegments(onSection('PMT', (s) => void s.splice(8, 2, 0xe1, 1))),
    also: ['pcr-interval'],
  },
  {
    rule: 'pcr-pid',
    name: 'no PCR at all',
    make: () => goodSegments({ pcr: () => undefined }),
    also: ['pcr-random-access', 'pcr-interval'],
  },
  // Clocks
  {
    rule: 'pcr-format',
    name: 'an extension of 300',
    make: () => goodSegments(onPacket(VIDEO_PID, 0, (p) => void p.set([0xff, 300 & 255], 10))),
  },
  {
    rule: 'pcr-order',
    name: 'a step back',
    make: () => goodSegments({ pcr: (pcr, _, i) => (i === 4 ? pcr - 9000 : pcr) }),
    also: ['pcr-interval'],
  },
  {
    rule: 'pcr-order',
    name: 'standing still',
    make: () => goodSegments({ pcr: (pcr, _, i) => (i === 4 ? pcr - 3600 : pcr) }),
  },
  {
    rule: 'pcr-interval',
    name: '120 ms',
    make: () => goodSegments({ pcr: (pcr, _, i) => (i === 4 || i === 5 ? undefined : pcr) }),
  },
  {
    rule: 'pcr-interval',
    name: 'none to the end',
    make: () => goodSegments({ pcr: (pcr, _, i) => (i > 12 ? undefined : pcr) }),
  },
  { rule: 'pcr-ahead', name: 'of the picture it comes with', make: () => goodSegments({ pcr: (pcr) => pcr + 9001 }) },
  {
    rule: 'pcr-ahead',
    name: 'of a picture that is still being sent',
    make: () => goodSegments(onPacket(VIDEO_PID, 1, (p) => [pcrPacket(0, 90_000 + 1), p])),
    also: ['pcr-order'],
  },
  {
    rule: 'pcr-random-access',
    name: 'an IDR picture without PCR',
    make: () => goodSegments({ pcr: (pcr, _, i) => (i === PICTURES_PER_SEGMENT ? undefined : pcr) }),
  },
  {
    rule: 'pcr-random-access',
    name: 'an audio segment without PCR',
    make: () => goodAudioSegments({ pcr: (pcr, _, i) => (i === 0 ? undefined : pcr) }),
  },
  {
    rule: 'decoding-delay',
    name: 'audio two seconds early',
    make: () =>
      goodSegments({ times: (t, kind) => (kind === 'audio' ? { pts: t.pts + 180_000, dts: t.dts + 180_000 } : t) }),
  },
  {
    rule: 'decoding-delay',
    name: 'video eleven seconds early',
    make: () => goodSegments({ times: (t) => ({ pts: t.pts + 990_000, dts: t.dts + 990_000 }) }),
  },
  {
    rule: 'random-access-indicator',
    name: 'not on an IDR picture',
    make: () => goodSegments({ randomAccess: (s, _, i) => s && i !== PICTURES_PER_SEGMENT }),
  },
  {
    rule: 'random-access-indicator',
    name: 'on a P picture',
    make: () => goodSegments({ randomAccess: (s, kind, i) => s || (kind === 'video' && i === 3) }),
  },
  {
    rule: 'random-access-indicator',
    name: 'on a packet in between',
    make: () => goodSegments(onPacket(VIDEO_PID, 0, (p) => [p, pcrPacket(0, 81_000 + 1, 0x40)])),
  },
  {
    rule: 'random-access-indicator',
    name: 'not on the first audio of a segment',
    make: () => goodAudioSegments({ randomAccess: () => false }),
  },
  // PES
  {
    rule: 'payload-unit-start',
    name: 'a segment that starts inside a PES packet',
    make: () => {
      const [a, b] = goodSegments() as [Uint8Array, Uint8Array]
      return [Buffer.concat([a, b.subarray(376, 564)]), Buffer.concat([b.subarray(0, 376), b.subarray(564)])]
    },
    also: ['pes-length', 'parameter-set-unknown', 'segment-not-independent'],
  },
  {
    rule: 'payload-unit-start',
    name: 'the bit is missing',
    make: () =>
      goodSegments(
        onPacket(
          VIDEO_PID,
          0,
          set(1, (b) => b & ~0x40),
        ),
      ),
    also: ['random-access-indicator', 'parameter-set-unknown', 'segment-not-independent'],
  },
  {
    rule: 'pes-start-code',
    name: '000002',
    make: () => goodSegments(onPes('audio', 3, (pes) => put(pes, 2, 2))),
    also: ['audio-timing'],
  },
  {
    rule: 'pes-stream-id',
    name: 'video as audio',
    make: () => goodSegments(onPes('video', 3, (pes) => put(pes, 3, 0xc0))),
  },
  {
    rule: 'pes-stream-id',
    name: 'audio as private stream',
    make: () => goodSegments(onPes('audio', 3, (pes) => put(pes, 3, 0xbd))),
  },
  {
    rule: 'pes-length',
    name: '0 for audio',
    make: () => goodSegments(onPes('audio', 3, (pes) => void pes.fill(0, 4, 6))),
  },
  {
    rule: 'pes-length',
    name: 'one too many',
    make: () => goodSegments(onPes('video', 3, (pes) => put(pes, 5, (pes[5] as number) + 1))),
  },
  {
    rule: 'pes-header',
    name: 'first bits',
    make: () => goodSegments(onPes('video', 3, (pes) => put(pes, 6, 0x04))),
  },
  {
    rule: 'pes-header',
    name: 'PTS_DTS_flags 01',
    make: () => goodSegments(onPes('video', 3, (pes) => put(pes, 7, 0x40))),
    also: ['pts-missing', 'pes-stuffing'],
  },
  {
    rule: 'pes-header',
    name: 'marker bit',
    make: () => goodSegments(onPes('video', 3, (pes) => put(pes, 11, (pes[11] as number) & 0xfe))),
  },
  {
    rule: 'pes-header',
    name: 'prefix of PTS',
    make: () => goodSegments(onPes('audio', 3, (pes) => put(pes, 9, (pes[9] as number) | 0x10))),
  },
  {
    rule: 'pes-header',
    name: 'fields that do not fit',
    make: () => goodSegments(onPes('audio', 3, (pes) => put(pes, 7, 0xa0))),
    also: ['pts-missing', 'audio-timing'],
  },
  {
    rule: 'pes-stuffing',
    name: 'a zero',
    make: () => goodSegments(onPes('video', 3, (pes) => stuffed(pes, [0xff, 0]))),
  },
  {
    rule: 'pes-stuffing',
    name: '33 bytes',
    make: () => goodSegments(onPes('video', 3, (pes) => stuffed(pes, new Array<number>(33).fill(0xff)))),
  },
  {
    rule: 'pts-missing',
    name: 'on audio',
    make: () => goodSegments(onPes('audio', 3, (pes) => put(pes, 7, 0))),
    also: ['pes-stuffing', 'audio-timing'],
  },
  {
    rule: 'pts-before-dts',
    name: 'by one tick',
    make: () => goodSegments(onTimes('video', 3, (t) => (t.pts = t.dts - 1))),
  },
  {
    rule: 'dts-redundant',
    name: 'on a B picture',
    make: () =>
      goodSegments(
        onPes(
          'video',
          1,
          (pes) =>
            void pes
              .copyWithin(14, 9, 14)
              .copyWithin(14, 14)
              .fill(((pes[9] as number) & 0x0f) | 0x10, 14, 15),
        ),
      ),
    also: ['dts-order'],
  },
  { rule: 'dts-redundant', name: 'on audio', make: () => goodSegments(onTimes('audio', 3, (t) => (t.pts += 1))) },
  {
    rule: 'dts-order',
    name: 'the same twice',
    make: () => goodSegments(onTimes('video', 3, (t) => (t.dts -= 3600))),
  },
  // H.264
  {
    rule: 'start-code',
    name: 'a byte before the first',
    make: () => goodSegments(onPicture(3, (n) => [Uint8Array.of(7), ...n])),
  },
  {
    rule: 'start-code',
    name: 'three bytes at first',
    make: () => goodSegments(onPicture(3, ([first, ...rest]) => [(first as Uint8Array).subarray(1), ...rest])),
  },
  {
    rule: 'start-code',
    name: 'three bytes before the SPS',
    make: () => goodSegments(onPicture(0, (n) => n.map((u, i) => (i === 1 ? u.subarray(1) : u)))),
  },
  {
    rule: 'start-code',
    name: 'no NAL unit at all',
    make: () => goodSegments(onPicture(3, () => [Uint8Array.of(1, 2, 3)])),
    also: ['access-unit-count'],
  },
  {
    rule: 'nal-empty',
    name: 'two start codes',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 1, START_CODE))),
  },
  {
    rule: 'nal-header',
    name: 'forbidden_zero_bit',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 1, nal(0x86, 1, 0x80)))),
  },
  {
    rule: 'nal-header',
    name: 'nal_ref_idc of an SPS',
    make: () => goodSegments(onPicture(0, (n) => n.map((u, i) => (i === 1 ? Buffer.from(u).fill(7, 4, 5) : u)))),
  },
  {
    rule: 'nal-header',
    name: 'nal_ref_idc of an SEI',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 1, nal(0x26, 1, 0x80)))),
  },
  {
    rule: 'nal-unit-type',
    name: 'an RTP aggregate',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 1, nal(24, 1, 0x80)))),
  },
  {
    rule: 'nal-emulation',
    name: '000002',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 1, nal(6, 0, 0, 2, 0x80)))),
  },
  {
    rule: 'nal-emulation',
    name: '000003ff',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 1, nal(6, 0, 0, 3, 0xff, 0x80)))),
  },
  {
    rule: 'nal-order',
    name: 'an SEI after a slice',
    make: () => goodSegments(onPicture(3, (n) => [...n, nal(6, 0x80)])),
  },
  {
    rule: 'nal-order',
    name: 'a PPS between slices',
    make: () => goodSegments(onPicture(0, (n) => insert(n, 4, n[2] as Uint8Array))),
  },
  {
    rule: 'nal-order',
    name: 'filler before slices',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 1, nal(12, 0xff, 0x80)))),
  },
  {
    rule: 'nal-order',
    name: 'a slice after the end of the sequence',
    make: () => goodSegments(onPicture(3, (n) => insert(n, 2, nal(10)))),
  },
  { rule: 'access-unit-delimiter', name: 'missing', make: () => goodSegments(onPicture(3, (n) => n.slice(1))) },
  {
    rule: 'access-unit-delimiter',
    name: 'twice',
    make: () => goodSegments(onPicture(3, (n) => [n[0] as Uint8Array, ...n])),
  },
  {
    rule: 'access-unit-delimiter',
    name: 'not first',
    make: () => goodSegments(onPicture(3, ([aud, ...n]) => [nal(6, 0x80), aud as Uint8Array, ...n])),
  },
  {
    rule: 'primary-pic-type',
    name: 'I only on a P picture',
    make: () => goodSegments(onPicture(3, (n) => [nal(9, 0x10), ...n.slice(1)])),
  },
  {
    rule: 'access-unit-count',
    name: 'two pictures',
    make: () => goodSegments(onPicture(3, (n) => [...n, nal(...slice(5))])),
  },
  { rule: 'access-unit-count', name: 'no slice', make: () => goodSegments(onPicture(3, (n) => n.slice(0, 1))) },
  {
    rule: 'parameter-set-syntax',
    name: 'a cut SPS',
    make: () => goodSegments(onPicture(PICTURES_PER_SEGMENT, (n) => insert(n, 3, nal(0x67, 77, 0, 31, 0x80)))),
  },
  {
    rule: 'parameter-sets-missing',
    name: 'none',
    make: () => goodSegments(onPicture(PICTURES_PER_SEGMENT, (n) => [n[0] as Uint8Array, ...n.slice(3)])),
    options: {},
  },
  {
    rule: 'parameter-sets-missing',
    name: 'PPS',
    make: () => goodSegments(onPicture(PICTURES_PER_SEGMENT, (n) => [...n.slice(0, 2), ...n.slice(3)])),
    options: {},
  },
  {
    rule: 'parameter-set-unknown',
    name: 'PPS',
    make: () => goodSegments(onPicture(0, (n) => [...n.slice(0, 2), ...n.slice(3)])),
    also: ['parameter-sets-missing'],
  },
  {
    rule: 'parameter-set-unknown',
    name: 'SPS',
    make: () => goodSegments(onPicture(0, (n) => [...n.slice(0, 1), ...n.slice(2)])),
    also: ['parameter-sets-missing'],
  },
  {
    rule: 'slice-header',
    name: 'cut',
    make: () => goodSegments(onPicture(3, (n) => [...n.slice(0, 1), nal(1, 0x80)])),
  },
  {
    rule: 'segment-not-independent',
    name: 'a P picture first',
    make: () => goodSegments(onPicture(PICTURES_PER_SEGMENT, (n) => [...n.slice(0, 3), nal(...slice(9))])),
    also: ['random-access-indicator'],
  },
  // AAC
  {
    rule: 'adts-header',
    name: 'sync word',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? f.map((x) => x.fill(0, 0, 1)) : f) }),
    also: ['audio-timing'],
  },
  {
    rule: 'adts-header',
    name: 'layer',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? f.map((x) => x.fill(0xf3, 1, 2)) : f) }),
  },
  {
    rule: 'adts-header',
    name: 'sampling frequency',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? f.map((x) => x.fill(0x7c, 2, 3)) : f) }),
    also: ['audio-timing'],
  },
  {
    rule: 'adts-header',
    name: 'raw data blocks',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? f.map((x) => x.fill(0xfd, 6, 7)) : f) }),
  },
  {
    rule: 'adts-length',
    name: 'cut',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? f.map((x) => x.subarray(0, -1)) : f) }),
    also: ['audio-timing'],
  },
  {
    rule: 'adts-length',
    name: 'bytes left',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? [...f, Uint8Array.of(0xff)] : f) }),
  },
  {
    rule: 'adts-length',
    name: 'none',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? [] : f) }),
    also: ['audio-timing'],
  },
  {
    rule: 'adts-configuration',
    name: 'stereo in between',
    make: () => goodSegments({ adts: (f, i) => (i === 3 ? f.map((x) => x.fill(0x80, 3, 4)) : f) }),
  },
  {
    rule: 'audio-timing',
    name: 'a gap of three ticks',
    make: () =>
      goodSegments({ times: (t, kind, i) => (kind === 'audio' && i >= 3 ? { pts: t.pts + 3, dts: t.dts + 3 } : t) }),
  },
  {
    rule: 'audio-timing',
    name: 'an overlap, gaps allowed',
    make: () =>
      goodSegments({ times: (t, kind, i) => (kind === 'audio' && i >= 3 ? { pts: t.pts - 3, dts: t.dts - 3 } : t) }),
    options: { allowAudioGaps: true },
  },
  {
    rule: 'audio-timing',
    name: 'rounding that adds up',
    make: () => goodSegments({ times: (t, kind, i) => (kind === 'audio' ? { pts: t.pts + i, dts: t.dts + i } : t) }),
  },
]

/** A packet of the video PID with only a PCR. The counter is that of the first packet, plus `ahead`. */
function pcrPacket(ahead: number, pcr90k = 81_001, flags = 0): Uint8Array {
  const packet = new Uint8Array(188).fill(0xff)
  packet.set([0x47, 0x01, 0x00, 0x20 | ahead, 183, 0x10 | flags, ...writePcr(pcr90k)])
  return packet
}

function restartCounters(segments: Uint8Array[]): Uint8Array[] {
  return segments.map((segment) => {
    const counters = new Map<number, number>()
    const copy = Uint8Array.from(segment)
    for (let at = 0; at < copy.byteLength; at += 188) {
      const pid = (((copy[at + 1] as number) & 31) << 8) | (copy[at + 2] as number)
      const counter = counters.get(pid) ?? 0
      copy[at + 3] = ((copy[at + 3] as number) & 0xf0) | counter
      if (((copy[at + 3] as number) & 0x10) !== 0) counters.set(pid, (counter + 1) & 15)
    }
    return copy
  })
}

function swapPackets(segments: Uint8Array[], segment: number, a: number, b: number): Uint8Array[] {
  return segments.map((bytes, index) => {
    if (index !== segment) return bytes
    const copy = Uint8Array.from(bytes)
    copy.set(bytes.subarray(b * 188, b * 188 + 188), a * 188)
    copy.set(bytes.subarray(a * 188, a * 188 + 188), b * 188)
    return copy
  })
}
