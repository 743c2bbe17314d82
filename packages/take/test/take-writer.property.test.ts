import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTakeWriter, isRtcpPacket, openTake, tailTake } from '../src/index.js'
import { collect, packetArbitrary, packetsOf, startedAt, temporaryFolder, videoTrack } from './fixtures.js'

const steps = fc.array(
  fc.record({
    track: fc.nat(2),
    data: packetArbitrary,
    laterMs: fc.nat(40),
    next: fc.constantFrom('go on', 'go on', 'go on', 'flush', 'turn'),
  }),
  { maxLength: 25 },
)

describe('a take', () => {
  // Each run writes and reads several files.
  it('is read as it was written, afterwards and while it is written', async () => {
    const root = temporaryFolder()
    let run = 0
    await fc.assert(
      fc.asyncProperty(steps, async (packets) => {
        const dir = join(root, String(run))
        run += 1
        const writer = await createTakeWriter(dir, { startedAt }, { sync: 'never', maxDelayMs: 1 })
        const following = collect((await tailTake(dir, { pollMs: 1 })).items())
        const expected: { trackId: string; data: Buffer; arrivalUs: number; rtcp: boolean }[] = []
        const known = new Set<string>()
        let atMs = 0
        for (const { track, data, laterMs, next } of packets) {
          const trackId = `t${track}`
          atMs += laterMs
          if (!known.has(trackId)) writer.addTrack('alice', videoTrack(trackId, atMs))
          known.add(trackId)
          expect(writer.write(trackId, data, atMs * 1000 + 999)).toBe(true)
          expected.push({ trackId, data: Buffer.from(data), arrivalUs: atMs * 1000, rtcp: isRtcpPacket(data) })
          if (next === 'flush') await writer.flush()
          if (next === 'turn') await new Promise((resolve) => setImmediate(resolve))
        }
        await writer.finish()
        // Packets of one millisecond are ordered by track, as the tracks were added.
        const rank = [...known]
        expected.sort(
          (one, other) => one.arrivalUs - other.arrivalUs || rank.indexOf(one.trackId) - rank.indexOf(other.trackId),
        )
        const plain = (list: Awaited<typeof following>): typeof expected =>
          packetsOf(list).map(({ type: _, data, ...rest }) => ({ ...rest, data: Buffer.from(data) }))
        expect(plain(await collect((await openTake(dir, { strict: true })).items()))).toEqual(expected)
        const live = plain(await following)
        for (const trackId of known) {
          expect(live.filter((record) => record.trackId === trackId)).toEqual(
            expected.filter((record) => record.trackId === trackId),
          )
        }
        expect(live.length).toBe(expected.length)
      }),
      // A run costs some ten file operations: half as many keep it below ten seconds.
      { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 1000) / 2) },
    )
  })
})
