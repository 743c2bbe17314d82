/**
 * The first lines of a thread, as a string: they run from sources, from packages and from bundles alike. Sources need a
 * loader that knows TypeScript, which only a checkout of Rushes has.
 */
export const THREAD_PROGRAM = `
const { workerData } = require('node:worker_threads')
const start = async () => {
  if (workerData.entry.endsWith('.ts')) (await import('tsx/esm/api')).register()
  await import(workerData.entry)
}
start()
`
