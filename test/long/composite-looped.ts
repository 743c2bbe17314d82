/** Composes a looped take in a process of its own and prints what it used: `MINUTES SIZE FPS OUT` -> one line of JSON. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake, type TakeSource } from '@rushes/take'
import { LoopedSource } from './looped-source.js'

/** Of recording time. */
const LOOK_EVERY_US = 5_000_000

const [minutes, size, fps, root] = process.argv.slice(2)
if (!Number(minutes) || size === undefined || !Number(fps) || root === undefined) {
  throw new Error('usage: MINUTES SIZE FPS OUT')
}
const { gc } = globalThis
if (gc === undefined) throw new Error('run it with --expose-gc: what is only waiting to be collected is not counted')
const take = await openTake(new URL('../fixtures/meeting3', import.meta.url).pathname)
const looped = new LoopedSource(take, Number(minutes))
// Whoever left in the take comes back in the next round: nobody ever leaves.
const source: TakeSource = {
  finished: true,
  session: { ...looped.session, events: [] },
  items: (options) => looped.items(options),
}
const rssMiB: number[] = []
let nextLookUs = 0
const startedAt = performance.now()
const manifest = await render(
  source,
  {
    outputs: [
      { composite: { layout: { type: 'grid', tile: { fit: 'contain' } }, size, fps: Number(fps), transitionMs: 0 } },
    ],
    formats: ['mp4'],
  },
  {
    store: createLocalStore({ root }),
    onEvent: (event) => {
      if (event.type !== 'progress' || event.recordedUs < nextLookUs) return
      nextLookUs = event.recordedUs + LOOK_EVERY_US
      gc()
      rssMiB.push(process.memoryUsage().rss / 2 ** 20)
    },
  },
)
await writeFile(join(root, 'looped.json'), JSON.stringify(manifest))
const quarter = Math.ceil(rssMiB.length / 4)
const lowest = (looks: readonly number[]): number => Math.round(Math.min(...looks) * 10) / 10
console.log(
  JSON.stringify({
    minutes: Number(minutes),
    key: manifest.outputs[0]?.key,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    cpuSeconds: Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1e5) / 10,
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    // The lowest of each: what is kept. A peak also has what was under way.
    keptRssMiB: [0, 1, 2, 3].map((q) => lowest(rssMiB.slice(q * quarter, (q + 1) * quarter))),
  }),
)
