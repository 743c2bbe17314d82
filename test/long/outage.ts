/**
 * `pnpm long:outage [--minutes 5] [--segment-ms 1000] [--s3]`: three recordings go on while the store is down in six
 * ways, one after the other; with `--s3` the store is a radosgw. Prints what was seen; fails when anything is missing,
 * or a reader ever saw a playlist that named what was not there.
 */
import { parseArgs } from 'node:util'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { startRadosgw } from '../servers/radosgw.js'
import { type OutageSite, outagePhases, outageServerSite, runOutage } from '../storage/outage-run.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    'segment-ms': { type: 'string', default: '1000' },
    s3: { type: 'boolean', default: false },
  },
})

async function radosgwSite(): Promise<OutageSite> {
  const server = await startRadosgw()
  await server.createBucket('calls')
  return {
    port: server.port,
    createStore: (port) =>
      createS3Store({
        bucket: 'calls',
        endpoint: `http://127.0.0.1:${port}`,
        forcePathStyle: true,
        credentials: server.owner,
        maxAttempts: 1,
        requestTimeoutMs: 5000,
      }),
    read: (key) => server.read('calls', key),
    close: () => server.stop(),
  }
}

const site = values.s3 ? await radosgwSite() : await outageServerSite()
const report = await runOutage(site, outagePhases(Number(values.minutes) * 60_000), Number(values['segment-ms']))
process.stdout.write(`${JSON.stringify(report)}\n`)
process.exitCode = report.missing.length + report.violations.length === 0 ? 0 : 1
