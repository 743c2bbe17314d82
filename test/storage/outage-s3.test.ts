import { createS3Store } from '@rushes/storage-adapters/s3'
import { describe, expect, it } from 'vitest'
import { hasRadosgw, startRadosgw } from '../servers/radosgw.js'
import { outagePhases, runOutage } from './outage-run.js'

describe.skipIf(!hasRadosgw && !process.env['CI'])('an outage of S3', () => {
  it('loses nothing, and shows readers nothing half', async () => {
    const server = await startRadosgw()
    const report = await server.createBucket('calls').then(
      () =>
        runOutage(
          {
            port: server.port,
            createStore: (port) =>
              createS3Store({
                bucket: 'calls',
                endpoint: `http://127.0.0.1:${port}`,
                forcePathStyle: true,
                credentials: server.owner,
                // Patience is the spool's.
                maxAttempts: 1,
                requestTimeoutMs: 1000,
              }),
            read: (key) => server.read('calls', key),
            close: () => server.stop(),
          },
          outagePhases(6000),
          200,
        ),
      async (error: unknown) => {
        await server.stop()
        throw error
      },
    )
    expect(report.missing).toEqual([])
    expect(report.violations).toEqual([])
    expect(report.events).toMatchObject({ blocked: expect.any(Number), resumed: expect.any(Number) })
    expect(report.events).not.toHaveProperty('failed')
    expect(report.attempts).toBeLessThan(150)
  })
})
