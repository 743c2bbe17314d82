/** What runs in the thread of a compositor. It is loaded by `CompositorThread` and by nobody else. */

import { parentPort, workerData } from 'node:worker_threads'
import type { ConcealedGap } from '@rushes/codecs'
import type { TimedItem } from '@rushes/media'
import { Compositor } from '../compositor.js'
import type { CompositeObject } from '../stills/composite-object.js'
import type { TakenThumbnail } from '../stills/kept-stills.js'
import { type Command, type FromThread, SIGNALS, type ThreadData, type ToThread } from './messages.js'
import { packItems, unpackItems } from './packed-items.js'

/** What has been composed goes back after so many frames: often enough for a live player. */
const FRAMES_IN_MESSAGE = 8

const port = parentPort
if (port === null) throw new Error('compositor-worker runs in a thread')
const { options, signals: shared, keepUp, tellThumbnails } = workerData.data as ThreadData
const signals = new Float64Array(shared)
const out: TimedItem[] = []

const answer = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)
const emit = (item: TimedItem): void => void out.push(item)

function giveOut(): void {
  if (out.length === 0) return
  const packed = packItems(out.splice(0))
  answer({ type: 'composed', packed }, [packed.bytes])
}

async function apply(compositor: Compositor, commands: readonly Command[], items: Iterator<TimedItem>): Promise<void> {
  for (const command of commands) {
    switch (command.type) {
      case 'items':
        for (let left = command.count; left > 0; left--) compositor.push(items.next().value as TimedItem)
        break
      case 'track':
        await compositor.addTrack(command.track, command.participantId, command.expectedUntilUs)
        break
      case 'scene':
        compositor.scene(command.event)
        break
      case 'hold':
        compositor.hold(command.atUs)
        break
      case 'go-on':
        compositor.goOn(command.atUs)
        break
      case 'keyframe':
        compositor.requestKeyframe()
        break
    }
  }
}

async function take(compositor: Compositor, message: ToThread): Promise<void> {
  if (message.type === 'advance') {
    await apply(compositor, message.commands, unpackItems(message.packed))
    for (let frames = 1, sinceMs = performance.now(); compositor.compose(message.limits, emit); frames++) {
      const nowMs = performance.now()
      if (signals[SIGNALS.isClosed] === 1) return
      if (keepUp) {
        const liveUs = signals[SIGNALS.liveUs] as number
        await compositor.relieve(liveUs - compositor.composedUs, (nowMs - sinceMs) * 1000)
      }
      sinceMs = nowMs
      if (frames % FRAMES_IN_MESSAGE === 0) giveOut()
    }
    giveOut()
    answer({ type: 'done', report: compositor.report({ whole: false }) })
    return
  }
  if (message.type === 'finish') {
    compositor.flush(emit, message.endUs)
    giveOut()
    answer({ type: 'finished', report: compositor.report({ whole: true }) })
  } else compositor.close()
  port?.close()
}

function fail(error: unknown): void {
  const { code = 'COMPOSITOR_FAILED', message, stack } = error as Error & { code?: string }
  answer({ type: 'failed', code, message, stack })
  port?.close()
}

const onConcealed = (gap: ConcealedGap): void => answer({ type: 'concealed', gap })
const onObject = (object: CompositeObject): void => answer(object, [object.body.buffer as ArrayBuffer])
const onThumbnail = (taken: TakenThumbnail): void => answer(taken, [taken.samples.buffer as ArrayBuffer])
const told = { onConcealed, onObject, ...(tellThumbnails ? { onThumbnail } : {}) }
let work: Promise<void> = Compositor.create({ ...options, ...told }).then(
  (compositor) => {
    answer({ type: 'ready', tracks: compositor.tracks })
    port.on('message', (message: ToThread) => {
      work = work.then(() => take(compositor, message)).catch(fail)
    })
  },
  (error: unknown) => fail(error),
)
