import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Transferable, Worker } from 'node:worker_threads'

/**
 * The first lines of a thread, as a string: they run from sources, from packages and from bundles alike. Sources need a
 * loader that knows TypeScript, which only a checkout of Rushes has.
 */
const PROGRAM = `
const { workerData } = require('node:worker_threads')
const start = async () => {
  if (workerData.loader !== undefined) (await import(workerData.loader)).register()
  await import(workerData.entry)
}
start()
`

/** What a thread is. */
export interface ThreadOptions {
  /** `import.meta.url` of whoever starts it. */
  readonly from: string
  /** The module that runs in it: its file beside `from`, without extension. */
  readonly module: string
  /** Shown in debuggers. */
  readonly name: string
  /** What the module finds as `workerData.data`. */
  readonly data: unknown
  /** What of `data` goes over for good. */
  readonly transfer?: readonly Transferable[]
}

/**
 * Starts a module in a thread of its own. A thread that uses native codecs must end by itself, with synchronous calls
 * only: one that is ended, or whose process ends, within an asynchronous call of node-av takes the process with it.
 */
export function startThread({ from, module, name, data, transfer = [] }: ThreadOptions): Worker {
  const isSource = from.endsWith('.ts')
  const entry = new URL(`${module}.${isSource ? 'ts' : 'js'}`, from).href
  const loader = isSource
    ? new URL('dist/esm/api/index.mjs', pathToFileURL(createRequire(from).resolve('tsx/package.json'))).href
    : undefined
  return new Worker(PROGRAM, {
    eval: true,
    name,
    workerData: { entry, loader, data },
    transferList: [...transfer],
    ...(isSource ? { execArgv: ['--conditions=@rushes/source'] } : undefined),
  })
}
