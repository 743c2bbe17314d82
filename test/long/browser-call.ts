/**
 * `pnpm long:browser-call [--seconds 60] [--transport whip]… [--loss 5] [--jitter 30] [--seed 1] [--redundancy] [--json]
 * [--keep]`: two pages call over WHIP, then over werift, each through a path that loses, delays and reorders; prints what
 * became of the packets, the pictures and the sync. Exits 1 where something is not as it must be.
 */
import { parseArgs } from 'node:util'
import { syncErrorsMs } from '../browser-call/judge-call.js'
import { BAD_NETWORK, type JudgedCall, judgedCall } from '../browser-call/judged-call.js'
import type { Transport } from '../browser-call/offer-takers.js'
import { spreadOf } from '../conformance/statistics.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    transport: { type: 'string', multiple: true, default: ['whip', 'werift'] },
    loss: { type: 'string', default: '5' },
    jitter: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    redundancy: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const path = {
  ...BAD_NETWORK,
  lossRate: Number(values.loss) / 100,
  jitterMs: Number(values.jitter),
  seed: Number(values.seed),
}
let complaints = 0
for (const transport of values.transport as Transport[]) {
  const judged = await judgedCall({
    ...{ transport, path, seconds: Number(values.seconds) },
    ...{ audioRedundancy: values.redundancy, keep: values.keep },
  })
  complaints += judged.participants.reduce((sum, participant) => sum + participant.complaints.length, 0)
  if (values.json) print(judged)
  else summarize(transport, judged)
}
process.exitCode = complaints > 0 ? 1 : 0

/** Everything but the sets of single packets. */
function print({ call, participants }: JudgedCall): void {
  const { wayIn, warnings, live, root } = call
  const text = JSON.stringify({ wayIn, warnings, repairs: live.repairs, root, participants }, (_key, value: unknown) =>
    value instanceof Set ? value.size : value,
  )
  process.stdout.write(`${text}\n`)
}

function summarize(transport: string, { call, participants }: JudgedCall): void {
  for (const { called, measure, complaints: list } of participants) {
    const { rtp, rtpLost, overtaken } = called.toServer
    const lines = [`${transport} ${called.id}: ${rtpLost} of ${rtp} packets lost, ${overtaken} overtaken`]
    for (const { kind, packets, lost, repaired, lostForGood } of measure.tracks) {
      lines.push(`${kind}: ${packets} sent, ${lost} lost, ${repaired} came back, ${lostForGood} did not`)
    }
    const { picturesSent, picturesJournalled, picturesDecodable, ownSyncMs, reports } = measure
    lines.push(
      `pictures: ${picturesSent} sent, ${picturesJournalled} whole in the journal, ${picturesDecodable} decodable`,
      `own sync by ${reports.join(' and ')} reports: median ${ms(ownSyncMs.median)}, worst ${ms(ownSyncMs.worst)}`,
    )
    for (const output of measure.outputs) {
      const { mode, container, framesInOutput, framesMissing, framesBeforeStart, beeps, findings, decodeComplaints } =
        output
      const byPage = spreadOf(beeps.map((beep) => beep.byPage).filter(Number.isFinite))
      const byReports = spreadOf(beeps.map((beep) => beep.byReports).filter(Number.isFinite))
      lines.push(
        `${mode} ${container}: ${framesInOutput} pictures, ${framesMissing.length} missing, ${framesBeforeStart} before the start; ` +
          `sync by page median ${ms(byPage.median)} worst ${ms(byPage.worst)}, by reports median ${ms(byReports.median)} ` +
          `worst ${ms(byReports.worst)}, error at worst ${ms(Math.max(...syncErrorsMs(beeps)))}; ` +
          `${findings.length} findings, ${decodeComplaints.length} decode errors`,
      )
    }
    const actions = new Map<string, number>()
    for (const { action } of measure.repairs) actions.set(action, (actions.get(action) ?? 0) + 1)
    lines.push(`repairs: ${[...actions].map(([action, count]) => `${count} ${action}`).join(', ')}`)
    lines.push(...list.map((complaint) => `! ${complaint}`))
    process.stdout.write(`${lines.join('\n    ')}\n`)
  }
  for (const warning of call.warnings) process.stdout.write(`    warning ${warning}\n`)
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}
