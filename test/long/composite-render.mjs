/**
 * Renders the composite of a take in a process of its own and prints what it used: `TAKE OUT SETTINGS` -> one line of JSON.
 * Plain JavaScript on the built packages, as they are installed: a loader for TypeScript would be measured, too.
 */
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'

const [take, root, settings] = process.argv.slice(2)
if (take === undefined || root === undefined || settings === undefined) throw new Error('usage: TAKE OUT SETTINGS')
const before = process.cpuUsage()
const startedAt = performance.now()
const manifest = await render(
  await openTake(take),
  { outputs: [{ composite: JSON.parse(settings) }], formats: ['mp4'], media: 'video' },
  { store: createLocalStore({ root }) },
)
const wallMs = performance.now() - startedAt
const { user, system } = process.cpuUsage(before)
console.log(
  JSON.stringify({
    key: manifest.outputs[0]?.key,
    bytes: manifest.outputs[0]?.bytes,
    durationUs: manifest.outputs[0]?.durationUs,
    wallSeconds: wallMs / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
)
