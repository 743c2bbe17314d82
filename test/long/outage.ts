/**
 * `pnpm long:outage [--minutes 5] [--segment-ms 1000] [--s3] [--recordings 3]`: three writers go on while the store is
 * down in six ways, one after the other; with `--s3` the store is a radosgw. With `--recordings` they are so many real
 * ones: calls of three people each, played in real time into a recorder whose live outputs go through the spool (half a
 * minute before and after too). Prints what was seen; fails when anything is missing, or a reader ever saw a playlist
 * that named what was not there.
 */
import { parseArgs } from 'node:util'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { startRadosgw } from '../servers/radosgw.js'
import { type OutageSite, outagePhases, outageServerSite, runOutage } from '../storage/outage-run.js'
import { runRecordedOutage } from '../storage/recorded-outage-run.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    'segment-ms': { type: 'string', default: '1000' },
    s3: { type: 'boolean', default: false },
    recordings: { type: 'string', default: '0' },
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
const phases = outagePhases(Number(values.minutes) * 60_000)
const recordings = Number(values.recordings)
let faults: readonly string[]
if (recordings > 0) {
  const report = await runRecordedOutage(site, phases, { recordings, aroundMs: 30_000 })
  process.stdout.write(`${JSON.stringify(report, undefined, 1)}\n`)
  faults = [...report.violations, ...report.findings, ...(report.ready === recordings ? [] : ['not all are ready'])]
} else {
  const report = await runOutage(site, phases, Number(values['segment-ms']))
  process.stdout.write(`${JSON.stringify(report)}\n`)
  faults = [...report.missing, ...report.violations]
}
process.exitCode = faults.length === 0 ? 0 : 1
