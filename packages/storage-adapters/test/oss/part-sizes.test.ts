import { describe, expect, it } from 'vitest'
import { filePartBytes } from '../../src/oss/oss-file-upload.js'
import { streamPartBytes } from '../../src/oss/oss-stream-upload.js'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

describe('sizes of parts', () => {
  it.each([
    [1, 8 * MIB],
    [1000, 8 * MIB],
    [1001, 16 * MIB],
    [10_000, 80 * MIB],
  ])('of streams: part %i has %i bytes', (number, bytes) => {
    expect(streamPartBytes(number, 8 * MIB)).toBe(bytes)
  })

  it('of streams stay within what OSS takes', () => {
    expect(streamPartBytes(10_000, GIB)).toBe(5 * GIB)
  })

  it.each([
    [0, 8 * MIB],
    [80_000 * MIB, 8 * MIB],
    [80_000 * MIB + 1, 9 * MIB],
    [48_000 * GIB, 4916 * MIB],
  ])('of files: %i bytes in parts of %i', (file, part) => {
    expect(filePartBytes(file, 8 * MIB)).toBe(part)
    expect(Math.ceil(file / part)).toBeLessThanOrEqual(10_000)
  })
})
