// Renders a take into a folder, for tests that end this process by force: TAKE ROOT SCRATCH [PLAN WORK KILL_AT_US]. The plan
// is JSON. It ends itself by force when its progress is KILL_AT_US: whoever watches it may be too slow for that.
import { setTimeout } from 'node:timers/promises'
import { type RenderPlan, render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake, type TakeSource } from '@rushes/take'

const [take = '', root = '', scratchDir = '', plan = '{}', workDir, killAtUs = 'Infinity'] = process.argv.slice(2)

/** Slow enough that whoever ends this process can choose the moment. */
function slowly(source: TakeSource): TakeSource {
  return {
    session: source.session,
    finished: source.finished,
    async *items(options) {
      for await (const batch of source.items(options)) {
        await setTimeout(20)
        yield batch
      }
    },
  }
}

await render(
  slowly(await openTake(take)),
  { hls: { segmentDuration: 1 }, ...(JSON.parse(plan) as RenderPlan) },
  {
    store: createLocalStore({ root }),
    scratchDir,
    ...(workDir === undefined ? {} : { workDir }),
    onEvent(event) {
      process.stdout.write(`${JSON.stringify(event)}\n`)
      if (event.type === 'progress' && event.recordedUs >= Number(killAtUs)) process.kill(process.pid, 'SIGKILL')
    },
  },
)
