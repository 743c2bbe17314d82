// Speed of the muxing path against other tools, all in one run. Build the packages first.
//   node bench/run.mjs [--json] [--rounds 7] [--megabytes 60] [--only 'access units -> ts']
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { accessUnitsToFfmpeg } from './src/access-units-to-ts.mjs'
import { bytesOf, encodeLoop, readVideo } from './src/input.mjs'
import { startLibrary } from './src/library-process.mjs'
import { runRounds } from './src/rounds.mjs'
import { rtpToGStreamer } from './src/rtp-to-ts.mjs'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    megabytes: { type: 'string', default: '60' },
    only: { type: 'string' },
  },
})
const rounds = Number(values.rounds)

/** Contenders of each bench; all others are compared with the first. */
const benches = {
  'access units -> ts': async (dir, video) => ({
    rushes: await startLibrary('accessUnitsToRushes', dir, values.megabytes),
    mediabunny: await startLibrary('accessUnitsToMediabunny', dir, values.megabytes),
    'ffmpeg -c copy': accessUnitsToFfmpeg(dir, video),
  }),
  'rtp -> h264 -> ts': async (dir, video) => ({
    rushes: await startLibrary('rtpToRushes', dir, values.megabytes),
    gstreamer: rtpToGStreamer(dir, video),
  }),
}

const dir = mkdtempSync(join(tmpdir(), 'rushes-bench-'))
try {
  encodeLoop(dir)
  const video = readVideo(dir, Number(values.megabytes))
  const megabytes = bytesOf(video.accessUnits) / 1e6
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0] }
  const done = []
  for (const [name, start] of Object.entries(benches)) {
    if (values.only !== undefined && values.only !== name) continue
    const contenders = Object.entries(await start(dir, video)).filter(([, contender]) => contender !== undefined)
    done.push({ name, rounds, results: await runRounds(contenders, rounds, megabytes) })
    for (const [, contender] of contenders) contender.close()
  }
  if (values.json) {
    console.log(JSON.stringify({ machine, megabytes, benches: done }, undefined, 2))
  } else {
    console.log(`${machine.node}, ${machine.cpu} x ${machine.cores}, load ${machine.load.toFixed(1)}`)
    for (const { name, results } of done) {
      console.log(`\n${name}: ${megabytes.toFixed(1)} MB of H264, ${rounds} rounds`)
      console.table(Object.fromEntries(results.map(({ name: contender, ...figures }) => [contender, figures])))
    }
  }
} finally {
  rmSync(dir, { recursive: true })
}
