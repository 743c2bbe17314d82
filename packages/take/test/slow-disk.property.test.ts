import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTakeWriter, type NotJournalledEvent, openTake } from '../src/index.js'
import { troubledFileSystem, type WriteFault } from './faulty-file-system.js'
import { collect, rtp, startedAt, temporaryFolder, videoTrack } from './fixtures.js'
import { ManualClock } from './manual-clock.js'

const faults = fc.array(
  fc.constantFrom<WriteFault>('none', 'none', 'short', 'stall', 'stall', 'ENOSPC', 'half, then EIO'),
  { maxLength: 20 },
)
const steps = fc.array(
  fc.record({
    track: fc.nat(1),
    packets: fc.nat(6),
    bytes: fc.integer({ min: 12, max: 400 }),
    next: fc.constantFrom('go on', 'flush', 'time passes', 'look'),
  }),
  { maxLength: 16 },
)

describe('for any schedule of stalls and failures', () => {
  it('what is on the disk is a prefix of what was taken, and what was taken and refused is what was written', async () => {
    const root = temporaryFolder()
    let run = 0
    await fc.assert(
      fc.asyncProperty(steps, faults, async (schedule, trouble) => {
        const dir = join(root, String(run))
        run += 1
        const clock = new ManualClock()
        let healthy = true
        const pending = [...trouble]
        const stalled: (() => void)[] = []
        const release = (): void => {
          for (const go of stalled.splice(0)) go()
        }
        const fileSystem = troubledFileSystem(async () => {
          const fault = healthy ? 'none' : (pending.shift() ?? 'none')
          if (fault === 'stall') await new Promise<void>((resolve) => void stalled.push(resolve))
          return fault
        })
        const writer = await createTakeWriter(
          dir,
          { startedAt },
          { clock, fileSystem, maxBufferedBytes: 3000, sync: 'never' },
        )
        const ids = ['t0', 't1'] as const
        for (const id of ids) writer.addTrack('alice', videoTrack(id))
        await writer.flush()
        healthy = false
        const taken = { t0: [] as number[], t1: [] as number[] }
        let written = 0
        const check = async (): Promise<{ t0: number[]; t1: number[] }> => {
          const found = { t0: [] as number[], t1: [] as number[] }
          for (const { trackId, data } of await collect((await openTake(dir)).records())) {
            found[trackId as 't0'].push(((data[2] as number) << 8) | (data[3] as number))
          }
          for (const id of ids) expect(found[id]).toEqual(taken[id].slice(0, found[id].length))
          return found
        }
        for (const { track, packets, bytes, next } of schedule) {
          const id = ids[track] ?? 't0'
          for (let packet = 0; packet < packets; packet += 1) {
            const before = writer.stats.packets
            writer.write(id, rtp(written, bytes), written * 1000)
            if (writer.stats.packets > before) taken[id].push(written)
            written += 1
          }
          if (next === 'time passes') {
            clock.advance(1000)
            await new Promise((resolve) => setImmediate(resolve))
          }
          if (next === 'look') await check()
          if (next === 'flush') {
            const flushed = writer.flush().catch(() => {})
            await new Promise((resolve) => setImmediate(resolve))
            release()
            await Promise.race([flushed, new Promise((resolve) => setImmediate(resolve))])
          }
        }
        healthy = true
        release()
        // An attempt that was under way may still meet its fault.
        const session = await writer.finish().catch(() => writer.finish())
        const found = await check()
        expect(found).toEqual(taken)
        let refused = 0
        for (const { count } of writer.stats.refused) refused += count
        expect(taken.t0.length + taken.t1.length + refused).toBe(written)
        let noted = 0
        for (const event of session.events) {
          if (event.type === 'not-journalled') noted += (event as NotJournalledEvent).packets
        }
        expect(noted).toBe(refused)
      }),
      // A run costs some twenty file operations.
      { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 1000) / 3) },
    )
  })
})
