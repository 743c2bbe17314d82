import { ConfigurationError } from '@rushes/media'
import { createRecorder, type Recorder, type Recording } from '@rushes/recorder'
import type { Manifest } from '@rushes/render'
import { removeTake } from '@rushes/take'
import { outputsOf } from './composite-options.js'
import { openDestination } from './destination.js'
import { repairJournal } from './journal-repair.js'
import { LateTarget } from './late-target.js'
import { type OutFolder, openFolder } from './out-folder.js'
import { openInputs, type RecordInputs } from './record-inputs.js'
import { durationMsOf, journalOf, type RecordArguments, settingsOf } from './record-options.js'
import { RecordReport } from './record-report.js'
import { rtpSourcesOf } from './record-sources.js'
import { whipArgumentsOf } from './record-whip.js'
import { recorderLogger } from './recorder-logger.js'
import { inTermsOfOptions, namingOf } from './render-options.js'
import { formatRenderSummary } from './render-summary.js'
import { styleOf, type Terminal } from './terminal.js'
import { pathFrom } from './text/path-from.js'
import { closeWebhook, openWebhook } from './webhook-option.js'

const DEFAULT_ROOM = 'room'
/** On a terminal the status is drawn so often; elsewhere it is for programs. */
const STATS_INTERVAL_MS = 1000

/** `rushes record --out DIR`: records what is sent until it is stopped, and says what came out. */
export async function recordCommand(options: RecordArguments, terminal: Terminal, stop: AbortSignal): Promise<void> {
  const outputs = await outputsOf(options, terminal.cwd)
  const settings = { ...settingsOf(options), ...(outputs === undefined ? {} : { outputs }) }
  const durationMs = durationMsOf(options)
  const naming = options.naming === undefined ? undefined : namingOf(options.naming)
  const sources = await rtpSourcesOf(options.sources, terminal.cwd)
  const whip = whipArgumentsOf(options, terminal)
  if (sources.length === 0 && whip === undefined) {
    throw new ConfigurationError('--sdp', 'give at least one source: --sdp, --udp or --whip')
  }
  const journalDir = journalOf(options, terminal.cwd)
  const pathOf = (key: string): string => destination.shown(key)
  const report = new RecordReport(terminal, { json: options.json === true, pathOf })
  const destination = await openDestination(options.out, journalDir, terminal, (text) => report.warning(text))
  let journal: OutFolder | undefined
  let recorder: Recorder | undefined
  let inputs: RecordInputs | undefined
  let webhook: Awaited<ReturnType<typeof openWebhook>>
  try {
    journal = await openFolder('--journal', journalDir)
    const found = await repairJournal(journalDir)
    webhook = await openWebhook(options, journalDir, terminal)
    recorder = await createRecorder({
      ...settings,
      store: destination.store,
      journalDir,
      statsIntervalMs: STATS_INTERVAL_MS,
      logger: recorderLogger(terminal, options.verbose === true),
      ...(naming === undefined ? {} : { naming }),
      ...(webhook === undefined ? {} : { notify: webhook }),
    })
    report.found(found.filter(({ state }) => state === 'unfinished').map(({ id }) => id))
    void recorder.recovered.then(
      (all) => {
        for (const one of all) report.recovered(one)
      },
      (error: Error) => report.warning(`what was cut short could not be finished: ${error.message}`),
    )
    const target = new LateTarget()
    let isRunning = true
    inputs = await openInputs(sources, whip, {
      target,
      ...(options.bind === undefined ? {} : { bindAddress: options.bind }),
      onWarning: (text) => isRunning && report.warning(text),
    })
    const { recording: recordingId } = options
    const recording = await recorder.start({
      roomId: options.room ?? DEFAULT_ROOM,
      ...(recordingId === undefined ? {} : { recordingId }),
    })
    const ended = watch(recording, report, durationMs, stop)
    target.open(recording)
    report.listening(inputs.listening, recording.recordingId, pathFrom(terminal.cwd, recording.folder))
    await ended
    isRunning = false
    await inputs.close()
    const manifest = await finished(recording)
    report.close()
    if (options.json !== true) {
      const manifestPath = pathOf(`${manifest.recordingId}/manifest.json`)
      terminal.stdout.write(`\n${formatRenderSummary({ manifest, manifestPath, pathOf }, styleOf(terminal))}`)
    }
  } catch (error) {
    report.close()
    throw inTermsOfOptions(error)
  } finally {
    await inputs?.close()
    await recorder?.close()
    await closeWebhook(webhook, terminal)
    await journal?.leave()
    await destination.close()
  }
}

/** Reports what happens; resolves when the recording has stopped, or is to stop. */
function watch(
  recording: Recording,
  report: RecordReport,
  durationMs: number | undefined,
  stop: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    recording.on((signal) => {
      report.signal(signal)
      if (signal.type === 'STOP') end()
      if (signal.type !== 'RECORDING' || durationMs === undefined) return
      // What fails is told by whoever waits for the recording's end.
      timer = setTimeout(() => void recording.stop('max-duration').catch(() => {}), durationMs)
    })
    if (stop.aborted) end()
    else stop.addEventListener('abort', end, { once: true })
  })
}

/** Waits for the outputs. Of a recording to which nothing came no journal stays either. */
async function finished(recording: Recording): Promise<Manifest> {
  try {
    return await recording.stop()
  } catch (error) {
    if (recording.stats.packets === 0) await removeTake(recording.folder).catch(() => {})
    throw error
  }
}
