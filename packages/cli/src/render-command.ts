import { access, constants, mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Manifest, render } from '@rushes/render'
import { openStore } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { outputsOf } from './composite-options.js'
import { isStoreUrl } from './destination.js'
import { CliError } from './errors.js'
import { makeFolder } from './make-folder.js'
import { inTermsOfOptions, planOf, type RenderArguments } from './render-options.js'
import { RenderProgress } from './render-progress.js'
import { formatRenderSummary } from './render-summary.js'
import { StagedStore } from './staged-store.js'
import { styleOf, type Terminal } from './terminal.js'
import { pathFrom } from './text/path-from.js'

/** `rushes render TAKE --out DIR`: makes the recordings of a take and says what came out. */
export async function renderCommand(
  takeDir: string,
  options: RenderArguments,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const outputs = await outputsOf(options, terminal.cwd)
  const plan = { ...planOf(options), ...(outputs === undefined ? {} : { outputs }) }
  const take = await openTake(resolve(terminal.cwd, takeDir))
  const startedMs = terminal.nowMs()
  const work = isStoreUrl(options.out)
    ? await openRemote(options.out, take.dir, terminal)
    : await openOut(options.out, terminal)
  const progress = options.json === true ? undefined : new RenderProgress(terminal.stderr, terminal.nowMs)
  let manifest: Manifest
  // The manifest is stored last.
  let manifestKey = ''
  let keptUs = 0
  const { durationMs } = take.session
  try {
    manifest = await render(take, plan, {
      store: work.store,
      scratchDir: work.scratchDir,
      ...(work.keptDir === undefined ? {} : { workDir: work.keptDir }),
      signal,
      onStored: () => work.store.commit(signal),
      onEvent(event) {
        if (event.type === 'progress') progress?.update(event.recordedUs, event.totalUs)
        if (event.type === 'resumed') {
          keptUs = event.atUs
          progress?.goOn(keptUs, durationMs === undefined ? undefined : durationMs * 1000)
        }
        if (event.type === 'stored') manifestKey = event.key
      },
    })
  } catch (error) {
    progress?.clear()
    throw inTermsOfOptions(error)
  } finally {
    await work.close()
  }
  progress?.clear()
  if (options.json === true) {
    terminal.stdout.write(`${JSON.stringify(manifest, null, 2)}\n`)
    return
  }
  const elapsedMs = terminal.nowMs() - startedMs
  const summary = { manifest, manifestPath: work.shown(manifestKey), elapsedMs, keptUs, pathOf: work.shown }
  terminal.stdout.write(formatRenderSummary(summary, styleOf(terminal)))
}

/** In the folder for the outputs, or in the take's: what an interrupted composite has made, for the next try. */
const KEPT_FOLDER = '.rushes-work'

interface Work {
  readonly store: StagedStore
  /** Where files grow. */
  readonly scratchDir: string
  /** Where composites keep what they have made; `undefined` where there is no place for it. */
  readonly keptDir: string | undefined
  readonly shown: (key: string) => string
  close(): Promise<void>
}

/** A store behind a URL: everything is made here first, so that an interruption leaves nothing there. */
async function openRemote(url: string, takeDir: string, { env }: Terminal): Promise<Work> {
  const store = await openStore(url, { env })
  const workDir = await mkdtemp(join(tmpdir(), 'rushes-'))
  return {
    store: new StagedStore(store, join(workDir, 'whole')),
    scratchDir: workDir,
    // Temporary files do not outlive a machine that fails.
    keptDir: (await isWritable(takeDir)) ? join(takeDir, KEPT_FOLDER) : undefined,
    shown: (key) => store.locationOf(key),
    async close() {
      await store.close?.()
      await rm(workDir, { recursive: true, force: true })
    },
  }
}

/** Makes the folder for the outputs, so that one which cannot be written is known before the work. */
async function openOut(given: string, { cwd }: Terminal): Promise<Work> {
  const out = resolve(cwd, given)
  try {
    const isNew = await makeFolder(out)
    await access(out, constants.W_OK)
    // On the same disk as the outputs: the last step is then a rename, and /tmp may be small.
    const workDir = await mkdtemp(join(out, '.rushes-'))
    const scratchDir = join(workDir, 'growing')
    await mkdir(scratchDir)
    return {
      store: new StagedStore(createLocalStore({ root: out }), join(workDir, 'whole')),
      scratchDir,
      keptDir: join(out, KEPT_FOLDER),
      shown: (key) => pathFrom(cwd, join(out, ...key.split('/'))),
      async close() {
        await rm(workDir, { recursive: true, force: true })
        // A folder that was made for nothing goes too; one that holds something stays.
        if (isNew) await rmdir(out).catch(() => {})
      },
    }
  } catch (cause) {
    throw new CliError('OUT_NOT_WRITABLE', `--out ${out} cannot be written: ${(cause as Error).message}`, { cause })
  }
}

async function isWritable(dir: string): Promise<boolean> {
  return access(dir, constants.W_OK).then(
    () => true,
    () => false,
  )
}
