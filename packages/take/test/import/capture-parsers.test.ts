import { describe, expect, it } from 'vitest'
import { type CapturedFrame, type CaptureStats, PcapngParser, PcapParser } from '../../src/index.js'
import { captureBytes, plainFrames, writePcap } from '../import-fixtures.js'

type Parser = PcapParser | PcapngParser

function parse(parser: Parser, bytes: Uint8Array): { frames: CapturedFrame[]; stats: CaptureStats } {
  const frames: CapturedFrame[] = []
  parser.push(bytes, (frame) => frames.push(frame))
  parser.flush()
  return { frames, stats: parser.stats }
}

const ethernet = captureBytes('ethernet.pcap')
const frames = plainFrames(ethernet)

/** Frames, and the times of the first and the last one, as tshark gives them. */
const counted = [
  ['ethernet.pcap', 1, 370, 1_795_278_657_949_365, 1_795_278_660_343_032],
  ['nanoseconds.pcap', 1, 370, 1_795_278_657_949_365, 1_795_278_660_343_032],
  ['raw-ip.pcap', 101, 370, 1_795_278_657_949_365, 1_795_278_660_343_032],
  ['cooked-v1.pcap', 113, 369, 1_795_278_657_949_365, 1_795_278_660_329_336],
  ['cooked-v2.pcap', 276, 371, 1_795_278_657_949_365, 1_795_278_660_349_727],
  ['ethernet.pcapng', 1, 371, 1_795_278_657_949_365, 1_795_278_660_349_727],
] as const

describe('captures of real programs', () => {
  it.each(counted)('%s has the frames that tshark counts', (name, linkType, count, firstUs, lastUs) => {
    const parser = name.endsWith('ng') ? new PcapngParser() : new PcapParser()
    const bytes = captureBytes(name)
    const parsed = parse(parser, bytes)
    expect(parsed.stats).toEqual({ bytes: bytes.byteLength, frames: count, cutBytes: 0 })
    expect(parsed.frames).toHaveLength(count)
    expect([parsed.frames[0]?.timestampUs, parsed.frames.at(-1)?.timestampUs]).toEqual([firstUs, lastUs])
    expect(new Set(parsed.frames.map((frame) => frame.linkType))).toEqual(new Set([linkType]))
  })

  it('are the same frames in pcap and pcapng', () => {
    const pcapng = parse(new PcapngParser(), captureBytes('ethernet.pcapng')).frames
    for (const [index, frame] of frames.entries()) {
      expect(Buffer.compare(pcapng[index]?.data as Uint8Array, frame.data)).toBe(0)
      expect(pcapng[index]?.timestampUs).toBe(frame.timestampUs)
    }
  })
})

describe('the classic format', () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('is read with big-endian %s, nanoseconds %s', (bigEndian, nanoseconds) => {
    const parsed = parse(new PcapParser(), writePcap(frames, { bigEndian, nanoseconds }))
    expect(parsed.frames).toEqual(frames.map((frame) => ({ ...frame, linkType: 1 })))
  })

  it('may say that a check sequence follows each frame', () => {
    const bytes = writePcap(frames.slice(0, 1), { linkType: 0x5000_0001 })
    expect(parse(new PcapParser(), bytes).frames[0]?.linkType).toBe(1)
  })

  it('is cut where a record cannot be one, or is torn', () => {
    const bytes = writePcap(frames.slice(0, 3))
    const torn = parse(new PcapParser(), bytes.subarray(0, -1))
    expect(torn.stats).toMatchObject({ frames: 2, cutCause: 'torn' })
    const broken = bytes.slice()
    broken[24 + 8 + 3] = 0x7f
    expect(parse(new PcapParser(), broken).stats).toMatchObject({
      frames: 0,
      cutCause: 'bad-record',
      cutBytes: bytes.length - 24,
    })
    expect(parse(new PcapParser(), new Uint8Array(30)).stats).toMatchObject({ cutCause: 'bad-header', cutBytes: 30 })
    expect(parse(new PcapParser(), bytes.subarray(0, 20)).stats).toMatchObject({ cutCause: 'bad-header', cutBytes: 20 })
    expect(parse(new PcapParser(), bytes.subarray(0, 0)).stats).toEqual({ bytes: 0, frames: 0, cutBytes: 0 })
  })
})

/** A block in either byte order: numbers are words of 32 bits, a pair is two halves of one. */
function block(
  type: number,
  body: readonly (number | readonly [number, number] | Uint8Array)[],
  bigEndian: boolean,
): Buffer {
  const number = (value: number, bytes: 2 | 4): Buffer => {
    const buffer = Buffer.alloc(bytes)
    if (bigEndian) buffer.writeUIntBE(value, 0, bytes)
    else buffer.writeUIntLE(value, 0, bytes)
    return buffer
  }
  const parts = body.map((part) => {
    if (typeof part === 'number') return number(part, 4)
    if (part instanceof Uint8Array) return Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)])
    return Buffer.concat(part.map((half) => number(half, 2)))
  })
  const content = Buffer.concat(parts)
  const length = number(content.length + 12, 4)
  return Buffer.concat([number(type, 4), length, content, length])
}

describe('pcapng', () => {
  const frame = Uint8Array.of(1, 2, 3, 4, 5)
  const section = (bigEndian: boolean): Buffer =>
    block(0x0a0d_0d0a, [0x1a2b_3c4d, [1, 0], 0xffff_ffff, 0xffff_ffff], bigEndian)

  it.each([true, false])('has several interfaces with their own time, big-endian %s', (bigEndian) => {
    // An option's length stands behind its code; 9 is the resolution, 14 the offset in seconds.
    const offset = bigEndian ? Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 100) : Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0)
    const bytes = Buffer.concat([
      section(bigEndian),
      block(1, [[1, 0], 0], bigEndian),
      block(1, [[276, 0], 0, [9, 1], Uint8Array.of(9), [14, 8], offset, [0, 0]], bigEndian),
      block(1, [[101, 0], 3, [9, 1], Uint8Array.of(0x80 | 10)], bigEndian),
      block(6, [0, 1, 5, 5, 5, frame], bigEndian),
      block(6, [1, 1, 705_032_704, 5, 5, frame], bigEndian),
      block(6, [2, 0, 2048, 3, 5, frame.subarray(0, 3)], bigEndian),
      block(0x0bad, [1, 2, 3], bigEndian),
      block(2, [[2, 0], 0, 3072, 3, 5, frame.subarray(0, 3)], bigEndian),
      block(6, [7, 0, 0, 5, 5, frame], bigEndian),
      block(3, [5, frame], bigEndian),
    ])
    const parsed = parse(new PcapngParser(), new Uint8Array(bytes))
    expect(parsed.frames.map(({ linkType, timestampUs, data }) => [linkType, timestampUs, data.length])).toEqual([
      [1, 2 ** 32 + 5, 5],
      [276, 5_000_000 + 100_000_000, 5],
      [101, 2_000_000, 3],
      [101, 3_000_000, 3],
      // A simple packet has no time: that of the frame before.
      [1, 3_000_000, 5],
    ])
  })

  it('may change the byte order with a new section, which has its own interfaces', () => {
    const bytes = Buffer.concat(
      [true, false].flatMap((bigEndian) => [
        section(bigEndian),
        block(1, [[bigEndian ? 1 : 101, 0], 0], bigEndian),
        block(6, [0, 0, 7, 5, 5, frame], bigEndian),
      ]),
    )
    const { frames, stats } = parse(new PcapngParser(), new Uint8Array(bytes))
    expect(frames.map(({ linkType, timestampUs }) => [linkType, timestampUs])).toEqual([
      [1, 7],
      [101, 7],
    ])
    expect(stats.cutCause).toBeUndefined()
  })

  it('is cut where a block cannot be one, or is torn', () => {
    const whole = Buffer.concat([section(false), block(1, [[1, 0], 0], false), block(6, [0, 0, 7, 5, 5, frame], false)])
    const stats = (bytes: Buffer): CaptureStats => parse(new PcapngParser(), new Uint8Array(bytes)).stats
    expect(stats(whole.subarray(0, -3))).toMatchObject({ frames: 0, cutCause: 'torn' })
    expect(stats(Buffer.concat([whole, block(6, [], false).fill(0xff, 4, 8)]))).toMatchObject({
      frames: 1,
      cutCause: 'bad-record',
      cutBytes: 12,
    })
    expect(stats(Buffer.from(whole).fill(0, 8, 12))).toMatchObject({ cutCause: 'bad-header', cutBytes: whole.length })
    expect(stats(Buffer.alloc(50))).toMatchObject({ cutCause: 'bad-header' })
  })
})

describe('pcapng', () => {
  it('gives a frame whose time no clock shows the time of the frame before', () => {
    const bytes = captureBytes('ethernet.pcapng').slice()
    const whole = parse(new PcapngParser(), bytes).frames
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // The second enhanced packet block: the upper half of its timestamp stands behind type, length and interface.
    const blocks: number[] = []
    for (let at = 0; at + 12 <= bytes.byteLength; at += view.getUint32(at + 4, true)) {
      if (view.getUint32(at, true) === 6) blocks.push(at)
    }
    view.setUint32((blocks[1] as number) + 12, 0xffff_ffff, true)
    const { frames, stats } = parse(new PcapngParser(), bytes)
    expect(stats.frames).toBe(whole.length)
    expect(frames.map(({ timestampUs }) => timestampUs).slice(0, 3)).toEqual([
      whole[0]?.timestampUs,
      whole[0]?.timestampUs,
      whole[2]?.timestampUs,
    ])
  })
})
