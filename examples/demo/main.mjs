// The demo: a call of three is replayed as if it took place now, journalled and rendered at the same time, everyone in
// one picture and everyone alone, and shown on a page while it runs.
//
//   node examples/demo/main.mjs [--once] [--speed N] [--port N] [--out DIR]

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { createLiveSource, createTakeWriter, openTake } from '@rushes/take'
import { listEarlierRecordings } from './earlier-recordings.mjs'
import { formatBytes, formatTime } from './figures.mjs'
import { RecordingStatus } from './recording-status.mjs'
import { replay, replayClock } from './replay.mjs'
import { startServer, urlOfKey } from './server.mjs'

const usage = `Usage: npm run demo -- [options]

  --once       exit when the recordings are done
  --speed N    replay N times as fast as it was (default 1, at most 50)
  --port N     of the page (default 8080, or the next free one; 0 for any)
  --out DIR    folder for recordings and journals (default recordings)
`

const MEETING = fileURLToPath(new URL('../../test/fixtures/meeting3', import.meta.url))
const DEFAULT_PORT = 8080

const options = readOptions()
process.exitCode = options === undefined ? 2 : options.help ? 0 : await demo(options)

async function demo({ once, speed, port, out }) {
  const stop = new AbortController()
  const abort = new AbortController()
  let askedToStop = () => {}
  const stopAsked = new Promise((resolve) => {
    askedToStop = resolve
  })
  const onSignal = () => {
    // The first Ctrl-C ends the call, and its recordings become whole; the second gives them up; the third does not ask.
    if (abort.signal.aborted) process.exit(130)
    if (stop.signal.aborted) abort.abort()
    stop.abort()
    askedToStop()
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, onSignal)

  let server
  try {
    const take = await openTake(MEETING)
    const recordingId = `meeting-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
    const { startedAt, durationMs } = take.session
    await mkdir(out, { recursive: true })
    const earlier = await listEarlierRecordings(out, urlOfKey)
    const facts = { recordingId, startedAt, expectedUs: durationMs * 1000, earlier }
    const status = new RecordingStatus(facts, urlOfKey)
    server = await startServer({ root: out, status, port: port ?? DEFAULT_PORT, mayMove: port === undefined })

    const participants = `${take.session.participants.length} participants, ${formatTime(facts.expectedUs)}`
    say(`Replaying a call (${participants}) as if it took place now${speed === 1 ? '' : `, ${speed} times as fast`}.\n`)
    say(`  recordings  ${shown(join(out, recordingId))}`)
    say(`  journal     ${shown(join(out, 'takes', recordingId))}`)
    say(`  page        ${server.url}\n`)

    const session = { recordingId, roomId: 'demo', startedAt }
    const manifest = await record(take, { session, out, speed, status, stop: stop.signal, signal: abort.signal })
    say(`\nDone: ${manifest.outputs.length} recordings in ${shown(join(out, recordingId))}`)
    if (once || stop.signal.aborted) return 0
    say(`Watch them at ${server.url} (Ctrl-C to end).`)
    await stopAsked
    return 0
  } catch (error) {
    if (abort.signal.aborted) {
      say('\nGiven up; what was not whole has been removed.')
      return 130
    }
    process.stderr.write(`demo: ${error.code ?? 'failed'}: ${error.message}\n`)
    return 1
  } finally {
    await server?.close()
    for (const signal of ['SIGINT', 'SIGTERM']) process.removeListener(signal, onSignal)
  }
}

/** The recording itself: every packet goes to the journal on disk and, at the same time, to the render. */
async function record(take, { session, out, speed, status, stop, signal }) {
  const clock = replayClock(speed)
  const live = createLiveSource(session, { clock })
  const journal = await createTakeWriter(join(out, 'takes', session.recordingId), session)
  // MP4s grow on the disk on which they will lie: their last step is then a rename.
  const scratchDir = await mkdtemp(join(out, '.rushes-'))
  const rendering = render(
    live,
    { outputs: ['individual', 'composite'], formats: ['hls', 'mp4'], hls: { segmentDuration: 2 } },
    { store: createLocalStore({ root: out }), scratchDir, onEvent: tellRender, signal },
  )
  // A render that fails ends the replay; why it failed is asked for below.
  rendering.catch(() => live.end())
  try {
    const recordedUs = await replay(take, {
      receivers: [journal, live],
      clock,
      speed,
      stop: AbortSignal.any([stop, signal]),
      onEvent: tellRoom,
    })
    status.finishing(recordedUs)
    live.end()
    const manifest = await rendering
    await journal.finish({ durationMs: Math.round(recordedUs / 1000) })
    status.ready(manifest)
    return manifest
  } catch (error) {
    live.end()
    await Promise.allSettled([rendering, journal.abort()])
    // What the replay stumbled over is most often that the render had given up.
    const cause = await rendering.then(
      () => error,
      (reason) => reason,
    )
    status.failed(cause)
    throw cause
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }

  function tellRoom(event) {
    status.room(event)
    const what = event.type === 'join' ? 'joined' : event.type === 'leave' ? 'left' : event.type
    tell(event.participant, what)
  }

  function tellRender(event) {
    status.render(event)
    if (event.type === 'output-started' && event.container === 'hls') tell(subjectOf(event), `plays: ${event.key}`)
    if (event.type === 'stored' && event.key.endsWith('.ts')) {
      const folder = event.key.split('/').at(-2)
      tell(folder, `segment ${status.segmentsIn(folder)} (${formatBytes(event.bytes)})`)
    }
    if (event.type === 'output-ready') {
      const { key, bytes, durationUs } = event.output
      tell(subjectOf(event.output), `ready: ${key} (${formatTime(durationUs)}, ${formatBytes(bytes)})`)
    }
    if (event.type === 'warning') tell(event.warning.participantId, event.warning.message)
  }

  function tell(who, what) {
    say(`  ${formatTime(clock.nowUs()).padStart(7)}  ${(who ?? '').padEnd(9)}  ${what}`)
  }
}

/** Whose an output is, as on the terminal. */
function subjectOf({ kind, participantId }) {
  return kind === 'composite' ? kind : participantId
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        speed: { type: 'string', default: '1' },
        port: { type: 'string' },
        out: { type: 'string', default: 'recordings' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const speed = Number(values.speed)
    if (!(speed >= 0.1 && speed <= 50)) throw new Error('--speed must lie between 0.1 and 50')
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
      throw new Error('--port must lie between 0 and 65535')
    }
    if (values.help) say(usage)
    return { once: values.once, speed, port, out: resolve(values.out), help: values.help }
  } catch (error) {
    process.stderr.write(`demo: ${error.message}\n\n${usage}`)
    return undefined
  }
}

function shown(path) {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

function say(text) {
  process.stdout.write(`${text}\n`)
}
