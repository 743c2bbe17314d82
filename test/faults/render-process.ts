// Renders a take into a folder, for tests that end this process by force: TAKE ROOT SCRATCH.
import { setTimeout } from 'node:timers/promises'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake, type TakeSource } from '@rushes/take'

const [take = '', root = '', scratchDir = ''] = process.argv.slice(2)

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
  { hls: { segmentDuration: 1 } },
  {
    store: createLocalStore({ root }),
    scratchDir,
    onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  },
)
