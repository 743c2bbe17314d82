/** A take, rendered under names of one's own: sync, gaps, keyframes and the order in the store are looked after. */
import { template } from '@rushes/naming-rules'
import { type Manifest, render } from '@rushes/render'
import type { Store } from '@rushes/storage-adapters'
import { openTake } from '@rushes/take'

export async function renderTake(folder: string, store: Store): Promise<Manifest> {
  return await render(
    await openTake(folder),
    {
      outputs: ['individual'],
      formats: ['hls', 'mp4'],
      audio: { codec: 'aac', sampleRate: 44_100 },
      naming: template('{roomId}/{startedAt:yyyyMMdd}/{recordingId}-{participantId}'),
    },
    { store },
  )
}
