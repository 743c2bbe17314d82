/**
 * `pnpm conformance [--json] [--out DIR] [--take NAME]… [--no-browser]`: every output of every take, held against the
 * raw packets and against tools of others. Exits 1 where something is not as it must be.
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CHANGING_TAKES, conform, type OutputReport, type PlaybackReport, playInChromium, TAKES } from './conform.js'
import { complaintsAbout, playbackComplaints } from './judge.js'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    take: { type: 'string', multiple: true },
    'no-browser': { type: 'boolean', default: false },
  },
})
const outDir = values.out ?? (await mkdtemp(join(tmpdir(), 'rushes-conformance-')))
const takes = values.take ?? TAKES
const outputs: (OutputReport & { complaints: string[] })[] = []
const playbacks: (PlaybackReport & { complaints: string[] })[] = []
for (const take of takes) {
  for (const mode of ['offline', 'live'] as const) {
    for (const report of await conform(take, mode, outDir)) {
      const judged = { ...report, complaints: complaintsAbout(report) }
      outputs.push(judged)
      if (!values.json) printOutput(judged)
    }
  }
  if (values['no-browser'] || !CHANGING_TAKES.includes(take)) continue
  for (const playback of await playInChromium(take, outDir, 2)) {
    const judged = { ...playback, complaints: playbackComplaints(playback) }
    playbacks.push(judged)
    if (!values.json) printPlayback(judged)
  }
}
const failed = [...outputs, ...playbacks].filter((report) => report.complaints.length > 0).length
if (values.json) console.log(JSON.stringify({ failed, outputs, playbacks }, null, 2))
else
  console.log(
    `${outputs.length} outputs and ${playbacks.length} play-throughs, ${failed} with complaints; files in ${outDir}`,
  )
process.exitCode = failed > 0 ? 1 : 0

function printOutput(report: (typeof outputs)[number]): void {
  const ms = (value: number): string => `${value.toFixed(2).padStart(7)} ms`
  console.log(
    [
      `${report.take.padEnd(10)} ${report.participantId.padEnd(6)} ${report.container.padEnd(4)} ${report.mode.padEnd(7)}`,
      `frames ${report.framesInOutput}/${report.framesSent}`,
      `counters off ${report.counterMismatches}`,
      `sync median ${ms(report.syncMs.median)} worst ${ms(report.syncMs.worst)}`,
      `picture worst ${ms(report.pictureMs.worst)}`,
      `sound ${ms(report.soundStartMs)} .. ${ms(report.soundEndMs)}`,
      `gaps silent ${report.gapsSilent}/${report.gapsSent}`,
      `losses concealed ${report.lossesConcealed}/${report.lossesOfSound}`,
      `findings ${report.findings.length}`,
    ].join('  '),
  )
  for (const complaint of report.complaints) console.log(`    ! ${complaint}`)
}

function printPlayback(report: (typeof playbacks)[number]): void {
  const sizes = report.sizes.map(({ at, width, height }) => `${width}x${height} at ${at.toFixed(1)}`).join(', ')
  console.log(
    `${report.take.padEnd(10)} ${report.participantId.padEnd(6)} ${report.container.padEnd(4)} Chromium ` +
      `${report.currentTime.toFixed(2)} of ${report.duration.toFixed(2)} s, ${report.frames} frames, sizes ${sizes}`,
  )
  for (const complaint of report.complaints) console.log(`    ! ${complaint}`)
}
