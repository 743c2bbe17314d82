/** Renders a looped take in a process of its own and prints what it used: `FORMAT MINUTES` -> one line of JSON. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { LoopedSource } from './looped-source.js'

/** Each half second of the recording is told; each fifth second is looked at. */
const COLLECT_EVERY = 10

const [format, minutes] = process.argv.slice(2)
if ((format !== 'hls' && format !== 'mp4') || !Number(minutes)) throw new Error('usage: hls|mp4 MINUTES')
const root = await mkdtemp(join(tmpdir(), 'rushes-long-'))
try {
  const take = await openTake(new URL('../fixtures/solo', import.meta.url).pathname)
  const source = new LoopedSource(take, Number(minutes))
  const { gc } = globalThis
  if (gc === undefined) throw new Error('run it with --expose-gc: what is only waiting to be collected is not counted')
  const looks: number[] = []
  let told = 0
  const manifest = await render(
    source,
    { formats: [format] },
    {
      store: createLocalStore({ root }),
      onEvent: ({ type }) => {
        if (type !== 'progress' || told++ % COLLECT_EVERY !== 0) return
        gc()
        const { heapUsed, arrayBuffers } = process.memoryUsage()
        looks.push(heapUsed + arrayBuffers)
      },
    },
  )
  const output = manifest.outputs[0]
  const inMiB = (bytes: number): number => Math.round((bytes / 2 ** 20) * 10) / 10
  console.log(
    JSON.stringify({
      format,
      minutes: Number(minutes),
      durationUs: output?.durationUs,
      bytes: output?.bytes,
      peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      peakLiveMiB: inMiB(Math.max(...looks)),
      keptLiveMiB: inMiB(Math.min(...looks.slice(-Math.ceil(looks.length / 4)))),
    }),
  )
} finally {
  await rm(root, { recursive: true, force: true })
}
