import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCheckpoint, type UploadCheckpoint } from '../../src/s3/upload-checkpoint.js'

const good: UploadCheckpoint = {
  version: 1,
  bucket: 'calls',
  objectKey: 'a/b',
  uploadId: 'u',
  digest: 'CRC32',
  partSize: 10,
  size: 95,
  mtimeMs: 1.5,
  parts: [
    { number: 1, etag: '"e1"', checksum: 'AAAA' },
    { number: 10, etag: '"e2"' },
  ],
}

describe('a checkpoint', () => {
  it('comes back from JSON as it was', () => {
    expect(parseCheckpoint(JSON.parse(JSON.stringify(good)) as UploadCheckpoint)).toEqual(good)
  })

  const spoiled: readonly object[] = [
    { version: 2 },
    { bucket: '' },
    { uploadId: undefined },
    { digest: 'CRC64' },
    { partSize: 0 },
    { partSize: 0.001 },
    { size: -1 },
    { mtimeMs: '1' },
    { parts: 'all' },
    { parts: [{ number: 0, etag: 'e' }] },
    { parts: [{ number: 11, etag: 'e' }] },
    { parts: [{ number: 1 }] },
    {
      parts: [
        { number: 1, etag: 'e' },
        { number: 1, etag: 'e' },
      ],
    },
    { parts: [null] },
    { size: 1_000_000 },
  ]
  for (const change of spoiled) {
    it(`that was spoiled is none: ${JSON.stringify(change)}`, () => {
      expect(parseCheckpoint({ ...good, ...change })).toBeUndefined()
    })
  }

  it('never throws, whatever a disk gives back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(good)), fc.anything()), (changes) => {
        const parsed = parseCheckpoint({ ...good, ...changes })
        if (parsed !== undefined) expect(parsed.parts.every(({ number }) => number >= 1)).toBe(true)
      }),
    )
  })
})
