import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type ImportCapturesOptions,
  type ImportReport,
  importCaptures,
  openTake,
  type TakeRecord,
} from '../../src/index.js'
import { collect, fixture, plainRecords, rtp, temporaryFolder } from '../fixtures.js'
import { captureBytes, capturePath, plainFrames, plainMjr, udpFrame, writeMjr, writePcap } from '../import-fixtures.js'

async function importing(
  options: Omit<ImportCapturesOptions, 'dir'>,
): Promise<{ report: ImportReport; records: TakeRecord[] }> {
  const dir = join(temporaryFolder(), 'take')
  const report = await importCaptures({ writer: { sync: 'never' }, ...options, dir })
  return { report, records: await collect((await openTake(dir, { strict: true })).records()) }
}

const payloadTypes = { 96: 'video/H264', 111: { mimeType: 'audio/opus', fmtp: 'useinbandfec=1' } }

describe('captures of one call by several programs', () => {
  it.each([
    ['ethernet.pcap', 121, [2, 0]],
    ['nanoseconds.pcap', 121, [2, 0]],
    ['raw-ip.pcap', 121, [2, 0]],
    ['cooked-v1.pcap', 120, [2, 0]],
    ['cooked-v2.pcap', 121, [2, 1]],
    ['ethernet.pcapng', 121, [2, 1]],
  ] as const)('%s has the streams that tshark finds', async (name, opusPackets, [videoReports, audioReports]) => {
    const { report, records } = await importing({ inputs: [capturePath(name)], payloadTypes, roomId: 'room' })
    const cname = 'user1000540676@host-3b143c09'
    const audioOwner = audioReports === 0 ? '127.0.0.1' : cname
    expect(report.tracks).toEqual([
      {
        trackId: '::1-audio',
        participantId: '::1',
        mimeType: 'audio/PCMU',
        guessed: false,
        origin: '[::1]:6008 > [::1]:5008',
        rtpPackets: 120,
        rtcpPackets: 0,
      },
      {
        trackId: `${audioOwner}-audio`,
        participantId: audioOwner,
        mimeType: 'audio/opus',
        guessed: false,
        origin: '127.0.0.1:6006 > 127.0.0.1:5006',
        rtpPackets: opusPackets,
        rtcpPackets: audioReports,
      },
      {
        trackId: `${cname}-video`,
        participantId: cname,
        mimeType: 'video/H264',
        guessed: false,
        origin: '127.0.0.1:6004 > 127.0.0.1:5004',
        rtpPackets: 127,
        rtcpPackets: videoReports,
      },
    ])
    expect([report.skipped, report.refused]).toEqual([[], []])
    expect(report.inputs).toMatchObject([{ name, left: {}, cutBytes: 0 }])
    expect(report.session).toMatchObject({ roomId: 'room', startedAt: '2026-11-21T16:30:57.949Z', finished: true })
    expect(records).toHaveLength(120 + opusPackets + 127 + videoReports + audioReports)
    const ssrcs = report.session.participants.flatMap(({ tracks }) => tracks.map(({ ssrc }) => ssrc))
    expect(new Set(ssrcs)).toEqual(new Set([0x4501_ec5c, 0x0797_d068, 0x3d92_0eea]))
    // tshark: the first packet of the picture comes 4.049 ms after the first of all, which comes 0.365 ms after the start.
    const video = records.find(({ trackId }) => trackId.endsWith('-video'))
    expect(video?.arrivalUs).toBe(4000)
    expect(
      report.session.participants.flatMap(({ tracks }) => tracks).find(({ kind }) => kind === 'video'),
    ).toMatchObject({
      file: '3-video.rtpdump',
      clockRate: 90_000,
      payloadType: 96,
      joinedAtMs: 4,
    })
  })

  it('need not be told what Opus and H264 are', async () => {
    const { report } = await importing({ inputs: [capturePath('ethernet.pcap')] })
    expect(report.tracks.map(({ mimeType, guessed }) => [mimeType, guessed])).toEqual([
      ['audio/PCMU', false],
      ['audio/opus', true],
      ['video/H264', true],
    ])
  })

  it('may come in parts, which make one take', async () => {
    const frames = plainFrames(captureBytes('ethernet.pcap'))
    const inputs = [frames.slice(0, 150), frames.slice(150)].map((part, index) => ({
      name: `/ring/part${index}.pcap`,
      bytes: writePcap(part),
    }))
    const whole = await importing({ inputs: [capturePath('ethernet.pcap')] })
    const parts = await importing({ inputs })
    expect(parts.records).toEqual(whole.records)
    const reversed = await importing({ inputs: inputs.toReversed() })
    expect(reversed.records).toEqual(whole.records)
    expect(parts.report.inputs.map(({ name, frames: count }) => [name, count])).toEqual([
      ['part0.pcap', 150],
      ['part1.pcap', 220],
    ])
  })

  it('are given to whom the host says', async () => {
    const { report } = await importing({
      inputs: [capturePath('ethernet.pcap')],
      participantOf: ({ cname, kind, source, ssrc }) =>
        cname !== undefined
          ? 'alice'
          : kind === 'audio' && source?.startsWith('[') && ssrc > 0
            ? 'bob\u0007'
            : undefined,
    })
    expect(report.tracks.map(({ trackId }) => trackId)).toEqual(['bob-audio', '127.0.0.1-audio', 'alice-video'])
  })
})

describe('recordings of Janus', () => {
  const audio = captureBytes('room-alice-audio.mjr')
  const video = captureBytes('room-alice-video.mjr')

  it('become one take, at their own times', async () => {
    const bobs = plainMjr(audio)
    // Bob joined 1,500.5 ms later.
    const info = bobs.info.replace(
      /"u": (\d+)/,
      (_, us: string) => `"u": ${Number(us) + 1_500_500}, "x": {"4": "urn:x"}`,
    )
    const bob = { name: 'room-bob-audio-0.mjr', bytes: writeMjr(2, info, bobs.records) }
    const { report, records } = await importing({
      inputs: [capturePath('room-alice-audio.mjr'), capturePath('room-alice-video.mjr'), bob],
    })
    // janus-pp-rec --parse counts 121 and 127 packets.
    expect(
      report.tracks.map(({ trackId, mimeType, rtpPackets, origin }) => [trackId, mimeType, rtpPackets, origin]),
    ).toEqual([
      ['room-alice-audio', 'audio/opus', 121, 'room-alice-audio.mjr'],
      ['room-alice-video', 'video/H264', 127, 'room-alice-video.mjr'],
      ['room-bob-audio', 'audio/opus', 121, 'room-bob-audio-0.mjr'],
    ])
    expect(records).toHaveLength(121 + 127 + 121)
    const startUs = Date.parse(report.session.startedAt) * 1000
    const audioUs = Number(/"u": (\d+)/.exec(bobs.info)?.[1])
    for (const [trackId, offsetUs] of [
      ['room-alice-audio', 0],
      ['room-bob-audio', 1_500_500],
    ] as const) {
      const own = records.filter((record) => record.trackId === trackId)
      expect(own.map(({ data }) => data)).toEqual(bobs.records.map(({ data }) => data))
      const expected = bobs.records.map(
        ({ timeMs }) => Math.floor((audioUs - startUs + offsetUs) / 1000 + timeMs) * 1000,
      )
      expect(own.map(({ arrivalUs }) => arrivalUs)).toEqual(expected)
    }
    const bobTrack = report.session.participants.find(({ id }) => id === 'room-bob')?.tracks[0]
    expect(bobTrack).toMatchObject({ headerExtensions: { 4: 'urn:x' }, channels: 2, ssrc: 1, payloadType: 111 })
  })

  it('of older formats are placed by their RTP timestamps, also across their wrap', async () => {
    const { info, records } = plainMjr(video)
    const wrapped = records.map(({ timeMs, data }) => {
      const copy = Buffer.from(data)
      copy.writeUInt32BE((copy.readUInt32BE(4) + 0xffff_8000) >>> 0, 4)
      return { timeMs, data: new Uint8Array(copy) }
    })
    const first = await importing({ inputs: [{ name: 'a.mjr', bytes: writeMjr(1, info, wrapped) }] })
    const arrivals = first.records.map(({ arrivalUs }) => arrivalUs)
    // 36 pictures at 15 a second.
    expect(arrivals.at(-1)).toBeGreaterThan(2_300_000)
    expect(arrivals.at(-1)).toBeLessThan(2_400_000)
    const oldest = await importing({
      inputs: [{ name: 'b.mjr', bytes: writeMjr(0, 'video', wrapped) }],
      startedAt: '2014-05-01T00:00:00Z',
    })
    expect(oldest.report).toMatchObject({
      session: { startedAt: '2014-05-01T00:00:00.000Z' },
      tracks: [{ participantId: 'b', mimeType: 'video/VP8', rtpPackets: 127 }],
    })
    const beside = await importing({
      inputs: [
        { name: 'c.mjr', bytes: writeMjr(0, 'audio', plainMjr(audio).records) },
        capturePath('room-alice-video.mjr'),
      ],
    })
    expect(beside.records.find(({ trackId }) => trackId === 'c-audio')?.arrivalUs).toBe(0)
  })

  it('that cannot be used are named, with the reason', async () => {
    const { info, records } = plainMjr(audio)
    const withInfo = (name: string, change: object, format: 0 | 1 | 2 = 2): { name: string; bytes: Uint8Array } => ({
      name,
      bytes: writeMjr(format, JSON.stringify({ ...(JSON.parse(info) as object), ...change }), records),
    })
    const { report } = await importing({
      inputs: [
        capturePath('room-alice-audio.mjr'),
        withInfo('e2ee.mjr', { e: true }),
        withInfo('data.mjr', { t: 'd', c: 'text' }),
        withInfo('speex.mjr', { c: 'speex' }),
        withInfo('g711.mjr', { c: 'g711' }),
        { name: 'torn.mjr', bytes: audio.slice(0, 60) },
        { name: 'tail.mjr', bytes: new Uint8Array(Buffer.concat([audio, Buffer.from('garbage....')])) },
      ],
    })
    expect(report.skipped).toEqual([
      { origin: 'e2ee.mjr', packets: 121, cause: 'encrypted' },
      { origin: 'data.mjr', packets: 121, cause: 'data-channel' },
      { origin: 'speex.mjr', packets: 121, cause: 'unknown-codec' },
      { origin: 'g711.mjr', packets: 121, cause: 'unknown-codec' },
    ])
    expect(report.tracks.map(({ participantId }) => participantId)).toEqual(['room-alice', 'tail'])
    expect(report.inputs.find(({ name }) => name === 'torn.mjr')).toMatchObject({
      cutCause: 'bad-header',
      cutBytes: 60,
    })
    expect(report.inputs.find(({ name }) => name === 'tail.mjr')).toMatchObject({
      cutCause: 'bad-record',
      cutBytes: 11,
    })
  })
})

describe('what is no stream of RTP', () => {
  const frames = plainFrames(captureBytes('ethernet.pcap'))
  const startUs = frames[0]?.timestampUs ?? 0
  const file = (extra: readonly Uint8Array[]): { name: string; bytes: Uint8Array } => {
    const added = extra.map((data, index) => ({ timestampUs: startUs + index * 1000, data }))
    return { name: 'mixed.pcap', bytes: writePcap([...frames, ...added]) }
  }

  it('is counted by what it is', async () => {
    const random = Array.from({ length: 8 }, (_, index) => udpFrame(rtp(index * 7919, 60), [7000, 7001]))
    const unordered = Array.from({ length: 40 }, (_, index) => udpFrame(rtp((index * 7919) & 0xffff, 60), [7002, 7003]))
    const { report } = await importing({
      inputs: [
        file([
          udpFrame(Uint8Array.of(0, 1, 0, 0, 33, 18, 164, 66)),
          udpFrame(Uint8Array.of(64, 0, 0, 0)),
          udpFrame(new Uint8Array(30).fill(255)),
          udpFrame(Uint8Array.of(0x81, 200, 0, 9, 1, 2, 3, 4)),
          udpFrame(Uint8Array.of(0x80, 201, 0, 1, 1, 2, 3, 4)),
          udpFrame(Uint8Array.of(0x9f, 96, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9)),
          new Uint8Array(60),
          ...random,
          ...unordered,
        ]),
      ],
    })
    expect(report.inputs[0]?.left).toEqual({
      stun: 1,
      turn: 1,
      'not-rtp': 2,
      'bad-rtcp': 1,
      'rtcp-without-stream': 1,
      'not-ip': 1,
      'not-a-stream': 48,
    })
    expect(report.tracks).toHaveLength(3)
  })

  it('is encrypted where a DTLS handshake was seen, in either direction', async () => {
    const encrypted = Array.from({ length: 30 }, (_, index) => udpFrame(rtp(index, 60), [7000, 7001]))
    const handshake = udpFrame(Uint8Array.of(22, 254, 255, 0, 0), [7001, 7000], [2, 1])
    const { report } = await importing({ inputs: [file([...encrypted, handshake])], payloadTypes })
    const origin = '10.0.0.1:7000 > 10.0.0.2:7001'
    expect(report.skipped).toEqual([{ origin, ssrc: 0xabab_abab, payloadType: 96, packets: 30, cause: 'encrypted' }])
    expect(report.inputs[0]?.left).toEqual({ dtls: 1, encrypted: 30 })
  })

  it('makes no take when nothing else is there: the error says what was', async () => {
    const dir = join(temporaryFolder(), 'take')
    const bytes = writePcap([{ timestampUs: 0, data: udpFrame(Uint8Array.of(0, 1, 0, 0)) }])
    const nothing = importCaptures({ inputs: [{ name: 'x.pcap', bytes }], dir })
    await expect(nothing).rejects.toMatchObject({ code: 'TAKE_BAD_CAPTURE' })
    await expect(nothing).rejects.toThrow('x.pcap: 1 frames, 1 stun')
    expect(existsSync(dir)).toBe(false)
    const unknown = Array.from({ length: 20 }, (_, index) => ({
      timestampUs: index * 20_000,
      data: udpFrame(rtp(index)),
    }))
    await expect(importCaptures({ inputs: [{ name: 'y.pcap', bytes: writePcap(unknown) }], dir })).rejects.toThrow(
      '10.0.0.1:6000 > 10.0.0.2:5000 (payload type 96): unknown-codec',
    )
  })
})

describe('a real WebRTC call as a capture', () => {
  it('is imported as it was recorded, codecs guessed', async () => {
    const startUs = Date.parse('2026-11-21T11:36:26.977Z') * 1000
    const packets = ['alice-video', 'alice-audio']
      .flatMap((name, index) =>
        plainRecords(join(fixture('solo'), `${name}.rtpdump`)).map(({ data, offsetMs }) => ({
          timestampUs: startUs + offsetMs * 1000,
          data: udpFrame(data, [40_000 + index, 5000]),
        })),
      )
      .sort((one, other) => one.timestampUs - other.timestampUs)
    const { report, records } = await importing({ inputs: [{ name: 'solo.pcap', bytes: writePcap(packets) }] })
    expect(new Map(report.tracks.map(({ mimeType, guessed }) => [mimeType, guessed]))).toEqual(
      new Map([
        ['audio/opus', true],
        ['video/H264', true],
      ]),
    )
    expect(new Set(report.tracks.map(({ participantId }) => participantId)).size, 'one CNAME').toBe(1)
    expect(records).toHaveLength(packets.length)
    expect(report.inputs[0]?.left).toEqual({})
  })
})

describe('an import', () => {
  it('tells its progress, and removes what it made when it is ended', async () => {
    const root = temporaryFolder()
    const inputs = [capturePath('ethernet.pcap'), capturePath('room-alice-audio.mjr')]
    const progress: number[] = []
    let total = 0
    await importing({
      inputs,
      onProgress: ({ doneBytes, totalBytes }) => {
        progress.push(doneBytes)
        total = totalBytes
      },
    })
    expect(progress.at(-1)).toBe(total)
    expect(total).toBe(2 * (67_224 + 8066))
    const controller = new AbortController()
    const reason = new Error('enough')
    const dir = join(root, 'take')
    const ended = importCaptures({
      inputs,
      dir,
      signal: controller.signal,
      onProgress: ({ doneBytes, totalBytes }) => {
        if (doneBytes > totalBytes / 2) controller.abort(reason)
      },
    })
    await expect(ended).rejects.toBe(reason)
    expect(readdirSync(dir)).toEqual([])
  })

  it('says which option or file is wrong', async () => {
    const dir = join(temporaryFolder(), 'take')
    const inputs = [capturePath('ethernet.pcap')]
    const refused: readonly (readonly [Partial<ImportCapturesOptions>, object])[] = [
      [{ inputs: [] }, { field: 'inputs' }],
      [{ minPackets: 1 }, { field: 'minPackets' }],
      [{ startedAt: 'noon' }, { field: 'startedAt' }],
      [{ payloadTypes: { 128: 'video/H264' } }, { field: 'payloadTypes[128]' }],
      [{ payloadTypes: { 96: 'video/theora' } }, { field: 'payloadTypes[96].mimeType' }],
      [{ payloadTypes: { 96: 'audio/mpeg4-generic' } }, { field: 'payloadTypes[96].clockRate' }],
      [{ inputs: [join(dir, 'nothing')] }, { code: 'TAKE_READ_FAILED' }],
      [{ inputs: [capturePath('README.md')] }, { code: 'TAKE_BAD_CAPTURE', path: 'README.md' }],
    ]
    for (const [options, error] of refused) {
      await expect(importCaptures({ inputs, dir, ...options })).rejects.toMatchObject(error)
    }
    writeFileSync(join(temporaryFolder(), 'x'), '')
    expect(existsSync(dir)).toBe(false)
  })
})
