// Records many participants from UDP: stdin has one line of JSON, `{ people, mode, seconds, dir }`. Prints its ports,
// then, at the end, what it used. A process of its own, so that its CPU time is its own.

import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { createUdpIngest } from '@rushes/ingest/udp'
import { createRecorder } from '@rushes/recorder'
import { createLocalStore } from '@rushes/storage-adapters/local'

const [people = '', mode = '', seconds = '', dir = ''] = process.argv.slice(2)
const sound = mode === 'aac' ? { segments: 'ts' as const } : { segments: 'cmaf' as const }
const recorder = await createRecorder({
  store: createLocalStore({ root: join(dir, 'out') }),
  journalDir: join(dir, 'takes'),
  formats: ['hls'],
  hls: { ...sound, segmentDuration: 6 },
  audio: { codec: mode === 'aac' ? 'aac' : 'opus' },
  live: mode !== 'journal',
  statsIntervalMs: 3_600_000,
})
const ports: number[] = []
const ingests = []
const recordings = []
let isOver = false
for (let n = 0; n < Number(people); n++) {
  const recording = await recorder.start({ roomId: `room-${n}`, recordingId: `r${n}` })
  const ingest = await createUdpIngest({
    target: recording,
    participantId: `p${n}`,
    // One port for both, as in a BUNDLE.
    sdp: `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\nm=video 0 RTP/AVP 96\r\nc=IN IP4 127.0.0.1\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\nm=audio 0 RTP/AVP 111\r\nc=IN IP4 127.0.0.1\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n`,
    ports: [0],
  })
  // What goes wrong must not look like little work.
  recording.on((signal) => {
    if (!isOver && (signal.type === 'WARNING' || signal.type === 'ERROR'))
      process.stderr.write(`${JSON.stringify(signal)}\n`)
  })
  ports.push(ingest.endpoints[0]?.port as number)
  ingests.push(ingest)
  recordings.push(recording)
}
process.stdout.write(`${JSON.stringify({ ports })}\n`)
// Starting up is not what is measured: all begin at once here, and what waited for the first reports goes on at once.
await setTimeout(10_000)
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const cpu = process.cpuUsage()
const started = performance.now()
let peakRss = 0
for (let s = 0; s < Number(seconds); s++) {
  await setTimeout(1000)
  peakRss = Math.max(peakRss, process.memoryUsage.rss())
}
const used = process.cpuUsage(cpu)
isOver = true
const elapsed = (performance.now() - started) / 1000
delay.disable()
const stats = recordings.map((recording) => recording.stats)
const sum = (of: (one: (typeof stats)[number]) => number): number => stats.reduce((total, one) => total + of(one), 0)
const received = ingests.reduce((total, { stats: { packets } }) => total + packets, 0)
const lost = sum(({ tracks }) => tracks.reduce((total, { health }) => total + (health?.lost ?? 0), 0))
const edges = stats.map(({ tracks }) => Math.max(0, ...tracks.map(({ health }) => health?.lastKeyframeUs ?? 0)))
process.stdout.write(
  `${JSON.stringify({
    people: Number(people),
    mode,
    cores: (used.user + used.system) / 1e6 / elapsed,
    received,
    lost,
    refused: sum(({ refused, liveRefused }) => refused + liveRefused),
    loopDelayP50Ms: Math.round(delay.percentile(50) / 1e5) / 10,
    loopDelayP99Ms: Math.round(delay.percentile(99) / 1e5) / 10,
    rssMiB: Math.round(peakRss / 2 ** 20),
    oldestKeyframeS: Math.round(Math.min(...edges) / 1e5) / 10,
  })}\n`,
)
await Promise.all(ingests.map((ingest) => ingest.close()))
await recorder.close({ mode: 'abandon' })
process.exit(0)
