/**
 * `pnpm long:kill [--runs 50] [--parallel 3] [--seed 1]`: kills a live recording of three participants at random
 * instants, each time recovers it in a new process, and prints what was missing. A line per run, the summary last.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type KilledRecording, killRecording } from '../faults/kill-recording.js'
import { seededRandom } from './seeded-random.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    parallel: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
  },
})
const random = seededRandom(Number(values.seed))
const moments = Array.from({ length: Number(values.runs) }, () => 500 + random.integer(18_500))
const take = fileURLToPath(new URL('../fixtures/meeting3', import.meta.url))
const all: KilledRecording[] = []

async function run(): Promise<void> {
  for (let atMs = moments.pop(); atMs !== undefined; atMs = moments.pop()) {
    const dir = mkdtempSync(join(tmpdir(), 'rushes-kill-'))
    try {
      const killed = await killRecording(take, dir, atMs)
      all.push(killed)
      const { events: _, ...figures } = killed
      process.stdout.write(`${JSON.stringify(figures)}\n`)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

await Promise.all(Array.from({ length: Number(values.parallel) }, run))
const missing = all.map(({ missingMs }) => missingMs).sort((a, b) => a - b)
const summary = {
  runs: all.length,
  ready: all.filter(({ outcome, events }) => outcome === 'ready' || events.at(-1) === 'READY').length,
  findings: all.reduce((sum, { findings }) => sum + findings.length, 0),
  webhookFaults: all.reduce((sum, { webhookFaults }) => sum + webhookFaults.length, 0),
  medianMissingMs: missing[Math.floor(missing.length / 2)],
  worstMissingMs: missing.at(-1),
}
process.stdout.write(`${JSON.stringify(summary)}\n`)
const good = summary.ready === all.length && summary.findings + summary.webhookFaults === 0
process.exitCode = good && (summary.worstMissingMs ?? 0) <= 250 ? 0 : 1
