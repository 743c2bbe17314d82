import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isRtcpPacket,
  parseRtpdump,
  RtpdumpParser,
  type RtpdumpRecord,
  serializeRtpdumpHeader,
  serializeRtpdumpRecord,
} from '../src/index.js'
import { fixture, packetArbitrary, plainRecords } from './fixtures.js'

const header = serializeRtpdumpHeader({ address: '10.0.0.1/40000', startUs: 1_700_000_000_123_456 })

const recordsArbitrary: fc.Arbitrary<RtpdumpRecord[]> = fc
  .array(fc.tuple(packetArbitrary, fc.nat(100_000)), { maxLength: 12 })
  .map((entries) => entries.map(([data, offsetMs]) => ({ data, offsetMs, rtcp: isRtcpPacket(data) })))

function serialize(records: readonly RtpdumpRecord[]): Buffer {
  return Buffer.concat([header, ...records.map(serializeRtpdumpRecord)])
}

describe('rtpdump files', () => {
  it('are read as they were written, in chunks of any size', () => {
    fc.assert(
      fc.property(recordsArbitrary, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (records, sizes) => {
        const bytes = serialize(records)
        const parser = new RtpdumpParser()
        const seen: RtpdumpRecord[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] as number
          // Each chunk is its own memory, as from a file.
          parser.push(new Uint8Array(bytes.subarray(at, at + size)), (record) => seen.push(record))
          at += size
        }
        parser.flush((record) => seen.push(record))
        expect(seen).toEqual(records)
        expect(parser.stats.cutCause).toBeUndefined()
      }),
    )
  })

  it('lose nothing but what was not there, wherever they are torn and whatever zeros follow', () => {
    fc.assert(
      fc.property(recordsArbitrary, fc.nat(), fc.nat(5000), (records, tear, zeros) => {
        const bytes = serialize(records)
        const end = tear % (bytes.length + 1)
        const torn = new Uint8Array(end + zeros)
        torn.set(bytes.subarray(0, end))
        const parsed = parseRtpdump(torn)
        const ends = records.map((_, index) => serialize(records.slice(0, index + 1)).length)
        const whole = ends.filter((at) => at <= end).length
        // The one doubt: a packet that ends in zeros, before zeros, may be given up.
        const read = parsed.records.length
        expect(parsed.records.slice(0, whole)).toEqual(records.slice(0, Math.min(read, whole)))
        if (zeros === 0) expect(read).toBe(whole)
        else expect(read).toBeGreaterThanOrEqual(whole - 1)
        for (const extra of parsed.records.slice(whole)) expect(extra.data.at(-1)).toBe(0)
      }),
    )
  })

  it('never make the parser throw, nor count other bytes than they have', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, withHeader) => {
        const bytes = withHeader ? Buffer.concat([header, noise]) : Buffer.from(noise)
        const { stats, records } = parseRtpdump(bytes)
        const used = records.reduce((sum, record) => sum + record.data.byteLength + 8, 0)
        expect(stats.bytes).toBe(bytes.length)
        expect(used + stats.cutBytes).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })
})

describe('a real capture torn at every byte of its last three records', () => {
  it('gives the records that are whole, and counts the rest', () => {
    const path = join(fixture('solo'), 'alice-video.rtpdump')
    const records = plainRecords(path).slice(-40)
    const bytes = new Uint8Array(Buffer.concat([header, ...records.map(serializeRtpdumpRecord)]))
    const ends = records.map((_, index) => header.byteLength + sizeOf(records.slice(0, index + 1)))
    for (let end = ends.at(-4) as number; end <= bytes.byteLength; end += 1) {
      const whole = ends.filter((at) => at <= end).length
      const parsed = parseRtpdump(bytes.subarray(0, end))
      expect(parsed.records.length).toBe(whole)
      expect(parsed.stats.cutBytes).toBe(end - (ends[whole - 1] as number))
      // The same with the zeros of a file system that had made room before the power failed.
      const filled = new Uint8Array(end + 8192)
      filled.set(bytes.subarray(0, end))
      const zeroed = parseRtpdump(filled)
      expect(zeroed.records.length).toBeGreaterThanOrEqual(whole)
      expect(zeroed.records.length).toBeLessThanOrEqual(whole + 1)
      expect(zeroed.stats.cutCause).toBe('zero-filled')
    }
  })
})

function sizeOf(records: readonly RtpdumpRecord[]): number {
  return records.reduce((sum, record) => sum + record.data.byteLength + 8, 0)
}
