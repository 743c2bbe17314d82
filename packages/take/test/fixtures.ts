import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { onTestFinished } from 'vitest'
import type { RtpdumpRecord, SessionTrack, TakeItem, TakeRecord } from '../src/index.js'

export const fixtureNames = ['solo', 'meeting3', 'lossy', 'burst-loss', 'mutes', 'rejoin', 'ramp'] as const

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${name}/`, import.meta.url))
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-take-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Reads an rtpdump file in the plainest way: the counts that the package's own readers are measured against. */
export function plainRecords(path: string): RtpdumpRecord[] {
  const bytes = readFileSync(path)
  const records: RtpdumpRecord[] = []
  for (let at = bytes.indexOf(10) + 17; at < bytes.length; at += bytes.readUInt16BE(at)) {
    const data = bytes.subarray(at + 8, at + bytes.readUInt16BE(at))
    records.push({ data, offsetMs: bytes.readUInt32BE(at + 4), rtcp: bytes.readUInt16BE(at + 2) === 0 })
  }
  return records
}

export async function collect<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const batch of batches) all.push(...batch)
  return all
}

export function packetsOf(items: readonly TakeItem[]): TakeRecord[] {
  return items.filter((item) => item.type === 'packet')
}

/** An RTP packet of `size` bytes (12 or more). */
export function rtp(sequenceNumber: number, size = 40): Uint8Array {
  const bytes = new Uint8Array(size).fill(0xab)
  bytes[0] = 0x80
  bytes[1] = 96
  bytes[2] = sequenceNumber >>> 8
  bytes[3] = sequenceNumber
  return bytes
}

/** An RTCP receiver report without blocks. */
export const rtcp: Uint8Array = Uint8Array.of(0x80, 201, 0, 1, 1, 2, 3, 4)

export function videoTrack(id: string, joinedAtMs = 0): SessionTrack {
  return { id, kind: 'video', file: `${id}.rtpdump`, mimeType: 'video/H264', clockRate: 90_000, joinedAtMs }
}

export const startedAt = '2026-11-21T11:36:26.977Z'

/** Bytes that a journal accepts: RTP or RTCP of any content. */
export const packetArbitrary: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.uint8Array({ minLength: 12, maxLength: 200 }), fc.boolean())
  .map(([bytes, isRtcp]) => {
    bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x3f)
    bytes[1] = isRtcp ? 192 + ((bytes[1] ?? 0) & 31) : (bytes[1] ?? 0) & 127
    return bytes
  })
