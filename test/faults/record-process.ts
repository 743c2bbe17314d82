// Records a call in real time, or finishes what another process left, for tests that end this process by force:
// TAKE JOURNAL ROOT NOTIFIED URL record|recover [OUTPUTS]. Each line of output says what had been written by then, or where
// a composite goes on. OUTPUTS is JSON, as of the settings of a recording.
import { setTimeout } from 'node:timers/promises'
import { monotonicClock, type TrackSink } from '@rushes/media'
import { createWebhookNotifier } from '@rushes/notifiers'
import { createRecorder } from '@rushes/recorder'
import type { RenderPlan } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake, trackOf } from '@rushes/take'

const [takeDir = '', journalDir = '', root = '', notifiedDir = '', url = '', mode = '', outputs] = process.argv.slice(2)

const notify = await createWebhookNotifier({
  url,
  secret: 'the secret of the test',
  journalDir: notifiedDir,
  allowPrivateAddresses: true,
  backoff: { firstMs: 50, maxMs: 200 },
})
const recorder = await createRecorder({
  store: createLocalStore({ root }),
  journalDir,
  notify,
  hls: { segmentDuration: 1 },
  journal: 'keep',
  ...(outputs === undefined ? {} : { outputs: JSON.parse(outputs) as RenderPlan['outputs'] & object }),
  logger: {
    debug() {},
    info(_message, fields = {}) {
      if ('atUs' in fields) say({ goesOnAtUs: fields.atUs })
    },
    warn() {},
    error: console.error,
  },
})

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** The call as it was, packet by packet at its time. */
async function record(): Promise<void> {
  const take = await openTake(takeDir)
  const packets = []
  for await (const batch of take.items()) for (const item of batch) if (item.type === 'packet') packets.push(item)
  const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
  const startUs = monotonicClock.nowUs()
  const sinks = new Map<string, TrackSink>()
  const entries = take.session.participants.flatMap(({ id, tracks }) => tracks.map((entry) => ({ id, entry })))
  say({ started: true })
  const runs = (): boolean => recording.state === 'waiting' || recording.state === 'recording'
  for (let next = 0; next < packets.length && runs(); await setTimeout(5)) {
    const nowUs = monotonicClock.nowUs() - startUs
    let written = 0
    for (let packet = packets[next]; packet !== undefined && packet.arrivalUs <= nowUs; packet = packets[++next]) {
      const { trackId } = packet
      let sink = sinks.get(trackId)
      const found = entries.find(({ entry }) => entry.id === trackId)
      if (sink === undefined && found !== undefined) {
        const { participantId: _, timescale: __, ...track } = trackOf(found.entry, found.id)
        sink = recording.addTrack({ ...track, participantId: found.id })
        sinks.set(trackId, sink)
      }
      sink?.write(packet.data, startUs + packet.arrivalUs)
      written++
    }
    if (written > 0) say({ written, atMs: Math.floor(nowUs / 1000) })
  }
  await recording.stop()
}

if (mode === 'record') {
  process.once('SIGTERM', () => void stop())
  await record()
} else {
  const found = await recorder.recovered
  say({ recovered: found.map(({ recordingId, outcome }) => ({ recordingId, outcome })) })
}

async function stop(): Promise<void> {
  await recorder.close()
  await notify.close({ timeoutMs: 10_000 })
  say({ closed: true })
  process.exit(0)
}
await stop()
