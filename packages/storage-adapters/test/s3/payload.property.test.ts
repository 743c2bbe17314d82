import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Payload } from '../../src/s3/payload.js'

async function bytesOf(payload: Payload): Promise<Buffer> {
  const body = payload.body()
  if (Buffer.isBuffer(body)) return body
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('a payload', () => {
  it('is its pieces, as often as it is read', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 0, max: 300_000 }).map((size) => new Uint8Array(size).fill(size)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const whole = Buffer.concat(pieces)
        const payload = new Payload(pieces)
        expect(payload.bytes).toBe(whole.byteLength)
        for (let attempt = 0; attempt < 2; attempt += 1) expect(Buffer.compare(await bytesOf(payload), whole)).toBe(0)
        expect(payload.digest('MD5')).toBe(createHash('md5').update(whole).digest('base64'))
        expect(payload.digest('SHA256')).toBe(createHash('sha256').update(whole).digest('base64'))
        expect(Buffer.from(payload.digest('CRC32'), 'base64').readUInt32BE()).toBe(crc32(whole))
      }),
      { numRuns: 200 },
    )
  })

  it('of large pieces is not copied', async () => {
    const pieces = [new Uint8Array(100_000).fill(1), new Uint8Array(100_000).fill(2)]
    const seen: Buffer[] = []
    const body = new Payload(pieces).body() as Readable
    // As pipe() reads it.
    body.on('data', (chunk: Buffer) => seen.push(chunk))
    await once(body, 'end')
    expect(seen).toHaveLength(2)
    expect(seen.every(({ buffer }, index) => buffer === pieces[index]?.buffer)).toBe(true)
    const [only] = pieces
    expect((new Payload(only === undefined ? [] : [only]).body() as Buffer).buffer).toBe(only?.buffer)
  })

  it('of the pieces of a segment is sent in few blocks', async () => {
    const pieces = Array.from({ length: 5000 }, (_, index) => new Uint8Array(188).fill(index))
    let chunks = 0
    for await (const _ of new Payload(pieces).body() as AsyncIterable<Buffer>) chunks += 1
    expect(chunks).toBeLessThan(10)
  })
})
