/**
 * `pnpm long:composite-live [--seconds 60] [--people 4]`: a call of so many people at 1280x720, 30 pictures a second, as
 * fast as it is sent, composed live to 1280x720 with preset veryfast: cores, the delay of the event loop that receives the
 * packets, and what the composite had to give up. Needs ffmpeg.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { createLiveSource, openTake, type Take } from '@rushes/take'
import { encodePictures, type MadeTrack, makeTake } from '../composite/make-take.js'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, people: { type: 'string', default: '4' } },
})
const seconds = Number(values.seconds)
const dir = await mkdtemp(join(tmpdir(), 'rushes-composite-live-'))
try {
  const tracks: MadeTrack[] = []
  for (let i = 0; i < Number(values.people); i++) {
    const source =
      i % 2 === 0 ? 'testsrc2=size=1280x720:rate=30' : `mandelbrot=size=1280x720:rate=30:start_scale=${2 + i}`
    const options = { source: `${source},noise=alls=6:allf=t`, seconds, keyframeEvery: 120, bitRate: '2M' }
    const pictures = await encodePictures(join(dir, `${i}.h264`), options)
    tracks.push({ participantId: `p${i}`, id: `video-${i}`, pictures, fps: 30, fromMs: 0 })
  }
  await makeTake(join(dir, 'take'), tracks, seconds * 1000)
  console.log(JSON.stringify(await composeLive(await openTake(join(dir, 'take'))), null, 2))
} finally {
  await rm(dir, { recursive: true, force: true })
}

async function composeLive(take: Take): Promise<object> {
  const live = createLiveSource({ startedAt: take.session.startedAt, name: 'live' }, { idleMs: 3_600_000 })
  const warnings: string[] = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const rendering = render(
    live,
    {
      outputs: [{ composite: { size: '1280x720', fps: 30, video: { preset: 'veryfast' } } }],
      formats: ['hls'],
      // Nobody reports anything in a take that was made.
      startHold: { seconds: 0 },
    },
    {
      store: createLocalStore({ root: join(dir, 'out') }),
      onEvent: (event) => event.type === 'warning' && warnings.push(event.warning.code),
    },
  )
  delay.enable()
  const before = process.cpuUsage()
  const startedAt = performance.now()
  const waiting = take.session.participants.flatMap(({ id, tracks }) => tracks.map((track) => ({ id, track })))
  for (const { id, track } of waiting) live.addTrack(id, track)
  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type !== 'packet') continue
      const dueMs = item.arrivalUs / 1000 - (performance.now() - startedAt)
      if (dueMs > 1) await wait(dueMs)
      live.write(item.trackId, item.data, item.arrivalUs)
    }
  }
  const { user, system } = process.cpuUsage(before)
  const callSeconds = (performance.now() - startedAt) / 1000
  delay.disable()
  live.end()
  const endedAt = performance.now()
  const { outputs } = await rendering
  return {
    cores: round((user + system) / 1e6 / callSeconds),
    callSeconds: round(callSeconds),
    finishedAfterSeconds: round((performance.now() - endedAt) / 1000),
    lengthSeconds: round((outputs[0]?.durationUs ?? 0) / 1e6),
    loopDelayMs: { p50: round(delay.percentile(50) / 1e6), p99: round(delay.percentile(99) / 1e6) },
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    warnings,
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
