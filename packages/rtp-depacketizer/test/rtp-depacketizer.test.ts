import { ConfigurationError, type SourceItem } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import {
  createDepacketizer,
  H264Depacketizer,
  ntpToUnixUs,
  OpusDepacketizer,
  type RtpInput,
  type RtpPacketFields,
  serializeRtpPacket,
} from '../src/index.js'
import { audioFramesOf, collect, senderReportsOf } from './collect.js'

/** What all depacketizers share, seen through the one for Opus. */

const microphone = { id: 'microphone', kind: 'audio', codec: 'opus', clockRate: 48_000 } as const
const SSRC = 7
/** A CELT frame of 20 ms. */
const frame = Uint8Array.of(0xf8, 1, 2, 3)

function rtp(sequenceNumber: number, rtpTimestamp: number, fields: Partial<RtpPacketFields> = {}): Uint8Array {
  return serializeRtpPacket({ payloadType: 96, ssrc: SSRC, payload: frame, sequenceNumber, rtpTimestamp, ...fields })
}

/** Consecutive packets of 20 ms. */
function run(
  count: number,
  sequenceNumber: number,
  rtpTimestamp: number,
  fields: Partial<RtpPacketFields> = {},
): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    rtp((sequenceNumber + i) & 0xffff, (rtpTimestamp + i * 960) % 2 ** 32, fields),
  )
}

function words(...values: number[]): number[] {
  return values.flatMap((value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255])
}

const NTP = 3_900_000_000

function senderReport(
  ssrc: number,
  rtpTimestamp: number,
  options: { cname?: string; bye?: boolean; ntp?: number } = {},
): Uint8Array {
  const bytes = [0x80, 200, 0, 6, ...words(ssrc, options.ntp ?? NTP, 0, rtpTimestamp, 1, 1)]
  if (options.cname !== undefined) {
    const item = [...words(ssrc), 1, options.cname.length, ...Buffer.from(options.cname), 0]
    while (item.length % 4 !== 0) item.push(0)
    bytes.push(0x81, 202, 0, item.length / 4, ...item)
  }
  if (options.bye === true) bytes.push(...bye(ssrc))
  return Uint8Array.from(bytes)
}

function bye(ssrc: number): number[] {
  return [0x81, 203, 0, 1, ...words(ssrc)]
}

function summary(items: readonly SourceItem[]): string[] {
  return items.map((item) => {
    if (item.type === 'audio-frame') {
      return `${item.epoch}:${item.rtpTimestamp}${item.lossBefore ? ` after ${item.lostPackets} lost` : ''}`
    }
    return item.type === 'sender-report' ? `report ${item.epoch}:${item.rtpTimestamp}` : item.type
  })
}

describe('inputs', () => {
  const packet = rtp(1, 2, { marker: true, headerExtensions: [{ id: 1, data: Uint8Array.of(5) }] })
  const parsed = {
    header: { payloadType: 96, sequenceNumber: 1, timestamp: 2, ssrc: SSRC, marker: true, extensions: [] },
    payload: frame,
  }
  test.each<[string, RtpInput, number | undefined]>([
    ['bytes', packet, undefined],
    ['a Buffer from a pool', Buffer.concat([Buffer.alloc(3), packet]).subarray(3), undefined],
    ['bytes with a time', { data: packet, arrivalUs: 5 }, 5],
    ['bytes without a time', { data: packet }, undefined],
    ['a packet already parsed', parsed, undefined],
    ['a packet already parsed, with a time', { ...parsed, arrivalUs: 5 }, 5],
  ])('%s', (_, input, arrivalUs) => {
    const [emitted] = audioFramesOf(collect(new OpusDepacketizer(microphone), [input]))
    expect(emitted).toEqual({
      type: 'audio-frame',
      trackId: 'microphone',
      epoch: 0,
      data: frame,
      clockRate: 48_000,
      rtpTimestamp: 2,
      marker: true,
      duration: 960,
      lossBefore: false,
      configuration: { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 2 },
      ...(arrivalUs === undefined ? {} : { arrivalUs }),
    })
  })

  test('damage is counted by cause', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const damaged = [
      [],
      [0x40, ...packet.subarray(1)],
      [0x9f, ...packet.subarray(1)],
      [0xa0, ...packet.subarray(1, 20), 0],
      [0x80, 200, 0, 9],
    ]
    collect(
      depacketizer,
      damaged.map((bytes) => Uint8Array.from(bytes)),
    )
    expect(depacketizer.stats.malformed).toEqual({
      'too-short': 1,
      'bad-version': 1,
      'truncated-header': 1,
      'bad-padding': 1,
      rtcp: 1,
      'sender-report-without-time': 0,
      opus: 0,
    })
  })
})

describe('which packets belong to the track', () => {
  test('given an SSRC, only that one', () => {
    const depacketizer = new OpusDepacketizer({ ...microphone, ssrc: SSRC })
    const items = collect(depacketizer, [
      ...run(5, 0, 0, { ssrc: 8 }),
      ...run(2, 0, 0),
      ...run(40, 5, 4800, { ssrc: 8 }),
    ])
    expect(summary(items)).toEqual(['0:0', '0:960', 'track-end'])
    expect(depacketizer.stats).toMatchObject({ foreignSsrc: 45, strays: 0, epochs: 1, packets: 47 })
  })

  test('a single packet of another SSRC is a stray', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const inputs = [
      ...run(2, 0, 0),
      rtp(90, 90, { ssrc: 8 }),
      ...run(2, 2, 1920),
      rtp(91, 1050, { ssrc: 8 }),
      ...run(1, 4, 3840),
    ]
    expect(summary(collect(depacketizer, inputs))).toEqual(['0:0', '0:960', '0:1920', '0:2880', '0:3840', 'track-end'])
    expect(depacketizer.stats).toMatchObject({ strays: 2, epochs: 1 })
  })

  test('another payload type on the same SSRC takes sequence numbers: no loss', () => {
    const depacketizer = new OpusDepacketizer({ ...microphone, payloadType: 96 })
    const inputs = [...run(2, 0, 0), rtp(2, 1920, { payloadType: 126 }), ...run(2, 3, 2880)]
    expect(summary(collect(depacketizer, inputs))).toEqual(['0:0', '0:960', '0:2880', '0:3840', 'track-end'])
    expect(depacketizer.stats).toMatchObject({ foreignPayloadType: 1, paddingOnly: 0, lost: 0 })
  })

  test('RTX beside the media is never taken for a restart', () => {
    const rtx = run(10, 500, 70_000, { ssrc: 8, payloadType: 98 })
    const depacketizer = new OpusDepacketizer(microphone)
    const items = collect(
      depacketizer,
      run(10, 0, 0).flatMap((packet, i) => [packet, ...rtx.slice(i, i + 3)]),
    )
    expect(audioFramesOf(items)).toHaveLength(10)
    expect(depacketizer.stats.epochs).toBe(1)
    const typed = new OpusDepacketizer({ ...microphone, payloadType: 96 })
    expect(audioFramesOf(collect(typed, [...rtx, ...run(10, 0, 0), ...rtx]))).toHaveLength(10)
    expect(typed.stats).toMatchObject({ epochs: 1, foreignPayloadType: 20, strays: 0 })
  })
})

describe('restarts', () => {
  test.each<[string, Uint8Array[], string[]]>([
    ['a new SSRC', run(3, 100, 500, { ssrc: 8 }), ['1:500', '1:1460', '1:2420']],
    ['a jump ahead', run(3, 30_000, 2880), ['1:2880', '1:3840', '1:4800']],
    ['a jump back', run(3, 60_000, 2_000_000_000), ['1:2000000000', '1:2000000960', '1:2000001920']],
    ['a jump in time alone, back', run(3, 3, 3_000_000_000), ['1:3000000000', '1:3000000960', '1:3000001920']],
  ])('%s', (_, packets, expected) => {
    const depacketizer = new OpusDepacketizer(microphone)
    const items = collect(depacketizer, [...run(3, 0, 0), ...packets])
    expect(summary(items)).toEqual(['0:0', '0:960', '0:1920', ...expected, 'track-end'])
    expect(depacketizer.stats).toMatchObject({ epochs: 2, lost: 0, strays: 0 })
  })

  test('what was held of the old source comes first', () => {
    const items = collect(new OpusDepacketizer(microphone, { startPackets: 1 }), [
      ...run(2, 0, 0),
      ...run(2, 5, 4800),
      ...run(2, 9, 9, { ssrc: 8 }),
    ])
    expect(summary(items)).toEqual(['0:0', '0:960', '0:4800 after 3 lost', '0:5760', '1:9', '1:969', 'track-end'])
  })

  test('a single packet far off in sequence or time is a stray', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const inputs = [...run(2, 0, 0), rtp(20_000, 1920), ...run(2, 2, 1920), rtp(4, 3_000_000_000), rtp(4, 3840)]
    expect(summary(collect(depacketizer, inputs))).toEqual(['0:0', '0:960', '0:1920', '0:2880', '0:3840', 'track-end'])
    expect(depacketizer.stats).toMatchObject({ strays: 2, epochs: 1, lost: 0 })
  })

  test('a jump of time ahead is a pause where arrival says so, and a restart where it does not', () => {
    const at = (packets: Uint8Array[], firstUs: number) =>
      packets.map((data, i) => ({ data, arrivalUs: firstUs + i * 20_000 }))
    const before = at(run(2, 0, 0), 0)
    const minutes = 48_000 * 600
    const paused = new OpusDepacketizer(microphone)
    collect(paused, [...before, ...at(run(2, 2, minutes), 600_000_000)])
    expect(paused.stats).toMatchObject({ epochs: 1, frames: 4 })
    const restarted = new OpusDepacketizer(microphone)
    collect(restarted, [...before, ...at(run(2, 2, minutes), 40_000)])
    expect(restarted.stats).toMatchObject({ epochs: 2, frames: 4 })
  })

  test('old packets sent again are late, however far back', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const items = collect(depacketizer, [...run(4000, 0, 0).map((_, i) => rtp(i, i * 10)), ...run(3, 10, 100)])
    expect(audioFramesOf(items)).toHaveLength(4000)
    expect(depacketizer.stats).toMatchObject({ epochs: 1, late: 3 })
  })

  test('sequence numbers and timestamps wrap', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const items = collect(depacketizer, run(4, 65_534, 2 ** 32 - 1920))
    const start = 2 ** 32 - 1920
    expect(audioFramesOf(items).map(({ rtpTimestamp }) => rtpTimestamp - start)).toEqual([0, 960, 1920, 2880])
    expect(depacketizer.stats).toMatchObject({ epochs: 1, lost: 0 })
  })
})

describe('time', () => {
  test('a gap is waited for by tick, and its deadline told', () => {
    const depacketizer = new OpusDepacketizer(microphone, { startPackets: 1 })
    const items: SourceItem[] = []
    const emit = (item: SourceItem): void => void items.push(item)
    expect(depacketizer.nextDeadline()).toBeUndefined()
    depacketizer.push({ data: rtp(0, 0), arrivalUs: 0 }, emit)
    depacketizer.push({ data: rtp(2, 1920), arrivalUs: 40_000 }, emit)
    expect(depacketizer.nextDeadline()).toBe(540_000)
    depacketizer.tick(539_999, emit)
    expect(summary(items)).toEqual(['0:0'])
    depacketizer.tick(540_000, emit)
    expect(summary(items)).toEqual(['0:0', '0:1920 after 1 lost'])
    expect(depacketizer.nextDeadline()).toBeUndefined()
  })

  test('a newer packet does as well as a tick', () => {
    const depacketizer = new OpusDepacketizer(microphone, { startPackets: 1, maxDelayUs: 100_000 })
    const items: SourceItem[] = []
    for (const [number, us] of [
      [0, 0],
      [2, 40_000],
      [7, 140_000],
    ] as const) {
      depacketizer.push({ data: rtp(number, number * 960), arrivalUs: us }, (item) => void items.push(item))
    }
    expect(summary(items)).toEqual(['0:0', '0:1920 after 1 lost'])
  })
})

describe('sender reports', () => {
  test('in the time of the packets, with their name', () => {
    const items = collect(new OpusDepacketizer(microphone, { startPackets: 1 }), [
      rtp(0, 2 ** 32 - 480),
      { data: senderReport(SSRC, 480, { cname: 'me' }), arrivalUs: 9 },
      rtp(1, 480),
      senderReport(SSRC, 1440),
    ])
    expect(senderReportsOf(items)).toEqual([
      {
        type: 'sender-report',
        trackId: 'microphone',
        epoch: 0,
        clockRate: 48_000,
        ntpUs: ntpToUnixUs(NTP, 0),
        rtpTimestamp: 2 ** 32 + 480,
        arrivalUs: 9,
        cname: 'me',
      },
      {
        type: 'sender-report',
        trackId: 'microphone',
        epoch: 0,
        clockRate: 48_000,
        ntpUs: ntpToUnixUs(NTP, 0),
        rtpTimestamp: 2 ** 32 + 1440,
        cname: 'me',
      },
    ])
  })

  test('before the first packet: kept, the latest four, and emitted when it comes', () => {
    const early = [1, 2, 3, 4, 5, 6].map((n) => senderReport(SSRC, n * 10))
    const items = collect(new OpusDepacketizer(microphone), [...early, ...run(2, 0, 100)])
    expect(summary(items)).toEqual([
      'report 0:30',
      'report 0:40',
      'report 0:50',
      'report 0:60',
      '0:100',
      '0:1060',
      'track-end',
    ])
  })

  test('across a wrap between the report and the first packet', () => {
    const items = collect(new OpusDepacketizer(microphone), [senderReport(SSRC, 2 ** 32 - 10), rtp(0, 10)])
    expect(summary(items)).toEqual(['report 0:-10', '0:10', 'track-end'])
  })

  test('of the new source before its first packet: with its epoch', () => {
    const items = collect(new OpusDepacketizer(microphone), [
      ...run(2, 0, 0),
      senderReport(8, 5000),
      ...run(2, 9, 5000, { ssrc: 8 }),
      senderReport(SSRC, 77),
    ])
    expect(summary(items)).toEqual(['0:0', '0:960', 'report 1:5000', '1:5000', '1:5960', 'track-end'])
  })

  test('of others, or without a time: not at all', () => {
    const depacketizer = new OpusDepacketizer({ ...microphone, ssrc: SSRC })
    const items = collect(depacketizer, [
      rtp(0, 0),
      senderReport(9, 0),
      Uint8Array.from([0x80, 200, 0, 6, ...words(SSRC, 0, 0, 0, 0, 0)]),
    ])
    expect(senderReportsOf(items)).toEqual([])
    expect(depacketizer.stats.malformed['sender-report-without-time']).toBe(1)
  })

  test('go on through a silence longer than half the range of timestamps', () => {
    const rate = 48_000
    const hours = Array.from({ length: 20 }, (_, i) => (i + 1) * 3600)
    const items = collect(new OpusDepacketizer(microphone, { startPackets: 1 }), [
      { data: rtp(0, 0), arrivalUs: 0 },
      ...hours.map((s) => ({ data: senderReport(SSRC, (s * rate) % 2 ** 32, { ntp: NTP + s }), arrivalUs: s * 1e6 })),
    ])
    expect(senderReportsOf(items).map(({ rtpTimestamp }) => rtpTimestamp)).toEqual(hours.map((s) => s * rate))
  })
})

describe('the end', () => {
  test('comes once, with flush', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const items = collect(depacketizer, run(2, 0, 0))
    depacketizer.flush((item) => void items.push(item))
    expect(summary(items)).toEqual(['0:0', '0:960', 'track-end'])
    expect(depacketizer.nextDeadline()).toBeUndefined()
  })

  test('comes with BYE, behind what was held, and nothing comes after it', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const items = collect(depacketizer, [
      rtp(0, 0),
      rtp(2, 1920),
      Uint8Array.from(bye(SSRC)),
      rtp(3, 2880),
      senderReport(SSRC, 1),
    ])
    expect(summary(items)).toEqual(['0:0', '0:1920 after 1 lost', 'track-end'])
    expect(depacketizer.stats.afterEnd).toBe(2)
  })

  test('a report behind BYE in one compound does not come after it', () => {
    const compound = Uint8Array.from([...bye(SSRC), ...senderReport(SSRC, 0)])
    const items = collect(new OpusDepacketizer(microphone), [...run(20, 0, 0), compound])
    expect(items.at(-1)?.type).toBe('track-end')
    expect(senderReportsOf(items)).toEqual([])
  })

  test('with a time it leaves that time to packets that the BYE has overtaken', () => {
    const depacketizer = new OpusDepacketizer(microphone, { startPackets: 1 })
    const items: SourceItem[] = []
    const emit = (item: SourceItem): void => void items.push(item)
    depacketizer.push({ data: rtp(0, 0), arrivalUs: 0 }, emit)
    depacketizer.push({ data: senderReport(SSRC, 0, { bye: true }), arrivalUs: 10_000 }, emit)
    depacketizer.push({ data: rtp(1, 960), arrivalUs: 20_000 }, emit)
    expect(depacketizer.nextDeadline()).toBe(520_000)
    depacketizer.tick(519_999, emit)
    expect(items.at(-1)?.type).not.toBe('track-end')
    depacketizer.tick(520_000, emit)
    expect(summary(items)).toEqual(['0:0', 'report 0:0', '0:960', 'track-end'])
  })

  test('a sender that said it too early is heard out, for 2 s', () => {
    const depacketizer = new OpusDepacketizer(microphone, { startPackets: 1 })
    const items: SourceItem[] = []
    const emit = (item: SourceItem): void => void items.push(item)
    depacketizer.push({ data: rtp(0, 0), arrivalUs: 0 }, emit)
    depacketizer.push({ data: Uint8Array.from(bye(SSRC)), arrivalUs: 0 }, emit)
    for (let index = 1; index <= 5; index++) {
      depacketizer.push({ data: rtp(index, index * 960), arrivalUs: index * 450_000 }, emit)
    }
    expect(summary(items)).toEqual(['0:0', '0:960', '0:1920', '0:2880', '0:3840', 'track-end'])
    expect(depacketizer.stats.afterEnd).toBe(1)
  })

  test('of an old or unknown source does not end the track', () => {
    const items = collect(new OpusDepacketizer(microphone), [
      Uint8Array.from(bye(SSRC)),
      ...run(2, 0, 0),
      ...run(2, 9, 9, { ssrc: 8 }),
      Uint8Array.from(bye(SSRC)),
      ...run(1, 11, 1929, { ssrc: 8 }),
    ])
    expect(summary(items)).toEqual(['0:0', '0:960', '1:9', '1:969', '1:1929', 'track-end'])
  })

  test('a source that restarts at once takes the BYE back', () => {
    const depacketizer = new OpusDepacketizer(microphone)
    const items = collect(depacketizer, [
      ...run(2, 0, 0).map((data) => ({ data, arrivalUs: 0 })),
      { data: Uint8Array.from(bye(SSRC)), arrivalUs: 0 },
      { data: rtp(0, 0, { ssrc: 8 }), arrivalUs: 499_999 },
      { data: rtp(1, 960, { ssrc: 8 }), arrivalUs: 519_999 },
      { data: rtp(2, 1920, { ssrc: 8 }), arrivalUs: 2_000_000 },
    ])
    expect(summary(items)).toEqual(['0:0', '0:960', '1:0', '1:960', '1:1920', 'track-end'])
  })

  test('endOnBye: false lets the input outlive its sender', () => {
    const items = collect(new OpusDepacketizer(microphone, { endOnBye: false }), [
      ...run(2, 0, 0).map((data) => ({ data, arrivalUs: 0 })),
      { data: Uint8Array.from(bye(SSRC)), arrivalUs: 0 },
      ...run(2, 0, 0, { ssrc: 8 }).map((data) => ({ data, arrivalUs: 9_000_000 })),
    ])
    expect(summary(items)).toEqual(['0:0', '0:960', '1:0', '1:960', 'track-end'])
  })
})

describe('configuration', () => {
  const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const
  test.each<[string, () => unknown]>([
    ['maxPackets', () => new OpusDepacketizer(microphone, { maxPackets: 0 })],
    ['maxPackets', () => new OpusDepacketizer(microphone, { maxPackets: 1.5 })],
    ['maxBytes', () => new OpusDepacketizer(microphone, { maxBytes: 10 })],
    ['maxDelayUs', () => new OpusDepacketizer(microphone, { maxDelayUs: -1 })],
    ['maxDelayUs', () => new OpusDepacketizer(microphone, { maxDelayUs: Number.NaN })],
    ['startPackets', () => new OpusDepacketizer(microphone, { startPackets: 0 })],
    ['startDelayUs', () => new OpusDepacketizer(microphone, { startDelayUs: Number.POSITIVE_INFINITY })],
    ['endOnBye', () => new OpusDepacketizer(microphone, { endOnBye: 'no' as unknown as boolean })],
    ['onSignal', () => new OpusDepacketizer(microphone, { onSignal: 5 as unknown as () => void })],
    ['afterLoss', () => new H264Depacketizer(camera, { afterLoss: 'stop' as 'freeze' })],
    ['acceptRecoveryPoint', () => new H264Depacketizer(camera, { acceptRecoveryPoint: 1 as unknown as boolean })],
    ['track.id', () => new OpusDepacketizer({ ...microphone, id: '' })],
    ['track.ssrc', () => new OpusDepacketizer({ ...microphone, ssrc: 2 ** 32 })],
    ['track.payloadType', () => new OpusDepacketizer({ ...microphone, payloadType: 128 })],
    ['track.clockRate', () => new OpusDepacketizer({ ...microphone, clockRate: 44_100 })],
    ['track.clockRate', () => new H264Depacketizer({ ...camera, clockRate: 0 })],
    ['track.channels', () => new OpusDepacketizer({ ...microphone, channels: 6 })],
    ['track.codec', () => new OpusDepacketizer({ ...microphone, codec: 'pcmu' })],
    ['track.codec', () => new H264Depacketizer({ ...camera, codec: 'vp8' })],
    ['track.codec', () => createDepacketizer({ ...camera, codec: 'mpeg2' as 'vp8' })],
    ['track.codec', () => createDepacketizer({ ...microphone, codec: 'aac' })],
  ])('%s is checked at construction', (field, construct) => {
    let thrown: unknown
    try {
      construct()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(ConfigurationError)
    expect(thrown).toMatchObject({ code: 'BAD_CONFIGURATION', field })
  })

  test('createDepacketizer picks by codec', () => {
    expect(createDepacketizer(camera)).toBeInstanceOf(H264Depacketizer)
    expect(createDepacketizer(microphone)).toBeInstanceOf(OpusDepacketizer)
  })
})
