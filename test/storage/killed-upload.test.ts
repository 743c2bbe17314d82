import { describe, expect, it } from 'vitest'
import { hasRadosgw } from '../servers/radosgw.js'
import { runKilledUpload } from './killed-upload-run.js'

describe.skipIf(!hasRadosgw && !process.env['CI'])('a large file whose process is killed in the middle', () => {
  it('goes on from the parts that have arrived, and leaves none behind', async () => {
    const report = await runKilledUpload(3, false)
    expect(report).toMatchObject({ uploads: 1, left: [], isSame: true, leftInSpool: [] })
    expect(report.partsAtDeath.every((parts) => parts < report.parts)).toBe(true)
    // A part that had arrived is sent again only when the word of it was not kept: two go at a time.
    expect(report.sentAgain).toBeLessThanOrEqual(2 * report.kills)
  })

  it('begins anew when its upload is gone', async () => {
    const report = await runKilledUpload(1, true)
    expect(report).toMatchObject({ left: [], isSame: true, leftInSpool: [] })
  })
})
