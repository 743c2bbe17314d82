import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  isRtcpPacket,
  parseRtpdump,
  parseRtpdumpHeader,
  RtpdumpParser,
  type RtpdumpRecord,
  serializeRtpdumpHeader,
  serializeRtpdumpRecord,
} from '../src/index.js'
import { fixture, fixtureNames, plainRecords, rtcp, rtp } from './fixtures.js'

const header = serializeRtpdumpHeader({ address: '127.0.0.1/5004', startUs: 1_795_260_986_977_000 })

function file(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([header, ...parts]))
}

function record(data: Uint8Array, offsetMs: number): Uint8Array {
  return serializeRtpdumpRecord({ data, offsetMs, rtcp: isRtcpPacket(data) })
}

describe('the rtpdump format', () => {
  it('writes the header that the fixtures have, byte for byte', () => {
    const bytes = readFileSync(join(fixture('solo'), 'alice-video.rtpdump'))
    expect(Buffer.from(header)).toEqual(bytes.subarray(0, header.byteLength))
  })

  for (const name of fixtureNames) {
    it(`writes every file of ${name} again byte for byte`, () => {
      for (const entry of readdirSync(fixture(name)).filter((found) => found.endsWith('.rtpdump'))) {
        const path = join(fixture(name), entry)
        const bytes = readFileSync(path)
        const parsed = parseRtpdump(bytes)
        expect(parsed.records.length).toBe(plainRecords(path).length)
        expect(parsed.stats).toEqual({ records: parsed.records.length, bytes: bytes.length, notRtp: 0, cutBytes: 0 })
        if (parsed.header === undefined) throw new Error('no header')
        const again = [serializeRtpdumpHeader(parsed.header), ...parsed.records.map(serializeRtpdumpRecord)]
        expect(Buffer.concat(again).equals(bytes)).toBe(true)
      }
    })
  }

  it('knows a header that is not whole from what is none', () => {
    for (let length = 0; length < header.byteLength; length += 1) {
      expect(parseRtpdumpHeader(header.subarray(0, length))).toBe('incomplete')
    }
    expect(parseRtpdumpHeader(new TextEncoder().encode('#!rtpplay2'))).toBeUndefined()
    expect(parseRtpdumpHeader(new TextEncoder().encode(`#!rtpplay1.0 ${'x'.repeat(200)}`))).toBeUndefined()
  })

  it('accepts the largest record there can be', () => {
    const data = rtp(1, 65_527)
    expect(parseRtpdump(file(record(data, 0xffff_ffff))).records).toEqual([
      { data, offsetMs: 0xffff_ffff, rtcp: false },
    ])
  })
})

describe('the end of a file', () => {
  const first = record(rtp(1), 0)
  const second = record(rtp(2), 20)
  const whole = [
    { data: rtp(1), offsetMs: 0, rtcp: false },
    { data: rtp(2), offsetMs: 20, rtcp: false },
  ]
  const cases: readonly [string, readonly Uint8Array[], readonly RtpdumpRecord[], string | undefined, number][] = [
    ['whole', [first, second], whole, undefined, 0],
    ['torn in the record header', [first, second, second.subarray(0, 5)], whole, 'torn', 5],
    ['torn in the data', [first, second, second.subarray(0, 30)], whole, 'torn', 30],
    ['zeros', [first, second, new Uint8Array(5000)], whole, 'zero-filled', 5000],
    ['fewer zeros than a record header', [first, second, new Uint8Array(3)], whole, 'zero-filled', 3],
    [
      'zeros from the middle of the last record on',
      [first, second, second.subarray(0, 24), new Uint8Array(4096)],
      whole,
      'zero-filled',
      4096 + 24,
    ],
    [
      'zeros from within the length field on',
      [first, second, Uint8Array.of(0x04), new Uint8Array(4096)],
      whole,
      'zero-filled',
      4097,
    ],
    [
      'a length that contradicts the packet length',
      [first, second, Uint8Array.of(0, 48, 0, 41, 0, 0, 0, 0), rtp(3), first],
      whole,
      'bad-record',
      96,
    ],
    ['a length below the record header', [first, second, Uint8Array.of(0, 7, 0, 1, 9), first], whole, 'bad-record', 53],
  ]
  for (const [name, parts, records, cutCause, cutBytes] of cases) {
    it(`${name}: ${cutBytes} bytes are cut`, () => {
      const bytes = file(...parts)
      const parsed = parseRtpdump(bytes)
      expect(parsed.records).toEqual(records)
      const expected = { records: 2, bytes: bytes.byteLength, notRtp: 0, cutBytes }
      expect(parsed.stats).toEqual(cutCause === undefined ? expected : { ...expected, cutCause })
    })
  }

  it('keeps a last packet that ends in zeros when no zeros follow', () => {
    const data = rtp(3)
    data.fill(0, 20)
    expect(parseRtpdump(file(first, record(data, 5))).stats.records).toBe(2)
  })

  it('leaves out records in the middle that hold no RTP, and counts them', () => {
    const stun = new Uint8Array(20).fill(1)
    const foreign = serializeRtpdumpRecord({ data: stun, offsetMs: 3, rtcp: false })
    const parsed = parseRtpdump(file(first, foreign, second, record(rtcp, 21)))
    expect(parsed.records).toEqual([...whole, { data: rtcp, offsetMs: 21, rtcp: true }])
    expect(parsed.stats.notRtp).toBe(1)
  })

  it('does not hold the last record back when it follows a growing file', () => {
    const parser = new RtpdumpParser({ holdLast: false })
    const seen: RtpdumpRecord[] = []
    parser.push(file(first), (found) => seen.push(found))
    expect(seen).toHaveLength(1)
  })

  it.each([
    // Two lengths that contradict each other, more bytes claimed than follow; then too few bytes to tell.
    ['a record that cannot be one', [0x49, 0x40, 0x48, 0xcd, 0, 0, 0, 1, 0x80, 96, 0, 1, 7, 7], 'bad-record'],
    ['less than the shortest record', [0, 3, 0, 0, 0, 0, 0, 1, 0x80], 'torn'],
  ] as const)('tells the same of %s, whatever the chunks', (_, tail, cutCause) => {
    const bytes = file(first, Uint8Array.from(tail))
    for (let size = 1; size <= bytes.byteLength; size += 1) {
      const parser = new RtpdumpParser()
      for (let at = 0; at < bytes.byteLength; at += size) parser.push(bytes.slice(at, at + size), () => {})
      parser.flush(() => {})
      expect(parser.stats).toMatchObject({ records: 1, cutCause, cutBytes: tail.length })
    }
  })

  it('is no file at all', () => {
    const bytes = new TextEncoder().encode('something else that is long enough to be told from a header')
    expect(parseRtpdump(bytes).stats).toEqual({
      records: 0,
      bytes: bytes.byteLength,
      notRtp: 0,
      cutCause: 'bad-header',
      cutBytes: bytes.byteLength,
    })
    expect(parseRtpdump(new Uint8Array(0)).stats).toEqual({ records: 0, bytes: 0, notRtp: 0, cutBytes: 0 })
  })
})
