import { describe, expect, it } from 'vitest'
import { crc32Mpeg2 } from '../src/crc32-mpeg2.js'
import { programAssociationSection, programMapSection, sectionPackets, writeSection } from '../src/psi.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('sections', () => {
  it('PAT: as ffmpeg writes it for one program at PID 0x1000', () => {
    expect(hex(programAssociationSection())).toBe('00b00d0001c100000001f0002ab104b2')
  })

  it('PMT', () => {
    const section = programMapSection(
      [
        { streamType: 0x1b, pid: 0x100 },
        { streamType: 0x0f, pid: 0x101 },
      ],
      0x100,
      5,
    )
    expect(hex(section.subarray(0, -4))).toBe('02b0170001cb0000e100f000' + '1be100f000' + '0fe101f000')
    expect(crc32Mpeg2(section)).toBe(0)
  })
})

describe('writeSection', () => {
  it('one packet, padded with 0xFF', () => {
    const counter = { continuityCounter: 15 }
    const out = new Uint8Array(2 * 188)
    const pat = programAssociationSection()
    expect(writeSection(out, 188, 0, counter, pat)).toBe(2 * 188)
    expect(hex(out.subarray(0, 188))).toBe('00'.repeat(188))
    expect(hex(out.subarray(188))).toBe(`4740001000${hex(pat)}${'ff'.repeat(188 - 5 - pat.length)}`)
    expect(counter.continuityCounter).toBe(0)
  })

  it.each([
    [33, 1],
    [34, 2],
    [48, 2],
  ])('%i streams take %i packets', (count, packets) => {
    const streams = Array.from({ length: count }, (_, i) => ({ streamType: 0x0f, pid: 0x100 + i }))
    const section = programMapSection(streams, 0x100, 0)
    expect(sectionPackets(section)).toBe(packets)
    const counter = { continuityCounter: 3 }
    const out = Buffer.alloc(packets * 188)
    expect(writeSection(out, 0, 0x1000, counter, section)).toBe(packets * 188)
    expect(counter.continuityCounter).toBe(3 + packets)
    const payload = Buffer.concat([out.subarray(5, 188), ...(packets === 2 ? [out.subarray(192)] : [])])
    expect(hex(payload.subarray(0, section.length))).toBe(hex(section))
    expect(hex(payload.subarray(section.length))).toBe('ff'.repeat(payload.length - section.length))
    if (packets === 2) expect(hex(out.subarray(188, 192))).toBe('47100015')
  })
})
