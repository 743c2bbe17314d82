import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { datagramOf } from '../../src/import/datagram.js'
import { rtcpSendersOf } from '../../src/import/rtcp-senders.js'
import { RtpStreamFinder } from '../../src/import/rtp-streams.js'
import { type CapturedFrame, MjrParser, type MjrRecord, PcapngParser, PcapParser } from '../../src/index.js'
import { captureBytes, plainFrames, plainMjr, writePcap } from '../import-fixtures.js'

type Item = CapturedFrame | MjrRecord
interface Parser {
  push(chunk: Uint8Array, emit: (item: Item) => void): void
  flush(): void
  readonly stats: { readonly bytes: number; readonly frames: number; readonly cutBytes: number }
}

// The beginnings of real files: what comes behind them is not different.
const mjr = captureBytes('room-alice-video.mjr').slice(0, 3000)
const pcapng = captureBytes('ethernet.pcapng').slice(0, 4000)
const pcap = writePcap(plainFrames(captureBytes('ethernet.pcap')).slice(0, 12))

const formats: readonly (readonly [string, Uint8Array, () => Parser])[] = [
  ['pcap', pcap, () => new PcapParser()],
  ['pcapng', pcapng, () => new PcapngParser()],
  ['mjr', mjr, () => new MjrParser()],
]

function run(parser: Parser, bytes: Uint8Array, sizes: readonly number[]): Item[] {
  const items: Item[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] as number
    parser.push(bytes.slice(at, at + size), (item) => items.push(item))
    at += size
  }
  parser.flush()
  return items
}

describe.each(formats)('%s', (_name, bytes, create) => {
  const whole = run(create(), bytes, [bytes.length])

  it('is read in chunks of any size as in one piece, torn anywhere as far as it is there', () => {
    expect(whole.length).toBeGreaterThan(5)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), fc.nat(bytes.length), (sizes, end) => {
        const parser = create()
        const items = run(parser, bytes.subarray(0, end), sizes)
        expect(items).toEqual(whole.slice(0, items.length))
        expect(parser.stats.bytes).toBe(end)
        expect(parser.stats.frames).toBe(items.length)
      }),
      { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 1000) / 4) },
    )
  })

  it('never makes anything throw, whatever bytes are changed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        (changes) => {
          const damaged = bytes.slice()
          for (const [at, value] of changes) damaged[at] = value
          const parser = create()
          const finder = new RtpStreamFinder()
          let seen = 0
          for (const item of run(parser, damaged, [700])) {
            seen += item.data.byteLength
            if (!('linkType' in item)) continue
            const datagram = datagramOf(item)
            if (typeof datagram !== 'string') finder.push(datagram, item.timestampUs)
          }
          expect(seen + parser.stats.cutBytes).toBeLessThanOrEqual(bytes.length)
          finder.streams(2)
        },
      ),
    )
  })
})

describe('frames of any bytes', () => {
  it('are decoded or refused, never more', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 12, 101, 108, 113, 228, 229, 276, 147),
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom(0x0800, 0x86dd, 0x8100, 0),
        (linkType, data, type) => {
          if (data.length > 20 && type !== 0) data.set([type >>> 8, type & 255], linkType === 276 ? 0 : 12)
          const datagram = datagramOf({ linkType, data, timestampUs: 0 })
          if (typeof datagram === 'string') return
          expect(datagram.payload.byteLength).toBeLessThan(data.length)
          rtcpSendersOf(datagram.payload)
        },
      ),
    )
  })

  it('of RTCP are read to their end or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        if (bytes.length > 1) bytes.set([0x81, 202])
        for (const { cname } of rtcpSendersOf(bytes)?.cnames ?? []) expect(cname.length).toBeLessThanOrEqual(255)
      }),
    )
  })
})

describe('a Janus recording', () => {
  it('has the packets that are in it', () => {
    const bytes = captureBytes('room-alice-audio.mjr')
    expect(run(new MjrParser(), bytes, [bytes.length])).toEqual(plainMjr(bytes).records)
  })
})
