import { NotifierError, signWebhook, verifyWebhook } from '@rushes/notifiers'
import { serializeLine } from '../../../packages/notifiers/src/journal-line.js'
import { replayJournal } from '../../../packages/notifiers/src/journal-replay.js'
import { check, type FuzzTarget, unlessRefused } from '../fuzz-target.js'
import { mutateJson, mutateText } from '../mutators/text.js'

/** What notifiers read: their journal after a crash, and webhooks at the receiver. */
export const notifierTargets: readonly FuzzTarget[] = [
  { name: 'notifier-journal', weight: 5, seeds: journals, mutate: mutateText, run: runJournal },
  { name: 'webhook', weight: 3, seeds: () => [bytesOf(EVENT)], mutate: mutateJson, run: runWebhook },
]

const EVENT = JSON.stringify({
  id: 'r1:1',
  recordingId: 'r1',
  roomId: 'room',
  sequence: 1,
  type: 'START',
  at: '2026-11-21T10:00:00.000Z',
  data: { participantId: 'alice', tags: ['a', null, 1.5] },
})

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function journals(): Uint8Array[] {
  const head = serializeLine({ kind: 'head', notifier: 'webhook', recordingId: 'r1' })
  const event = serializeLine({ kind: 'event', id: 'r1:1', type: 'START', atMs: 1_790_000_000_000, body: EVENT })
  const again = serializeLine({ kind: 'try', id: 'r1:1', attempts: 2, dueMs: 1_790_000_005_000 })
  const done = serializeLine({ kind: 'done', id: 'r1:1', state: 'delivered', atMs: 1_790_000_006_000 })
  const seen = serializeLine({ kind: 'seen', ids: ['r1:2', 'r1:3'], atMs: 1_790_000_007_000 })
  const end = serializeLine({ kind: 'end', atMs: 1_790_000_008_000 })
  return [head + event + again + done + seen + end, head + event + again, head + event.slice(0, 40)].map(bytesOf)
}

function runJournal(input: Uint8Array): void {
  const { pending, seen, wholeBytes, damagedLines } = replayJournal(input)
  check(wholeBytes >= 0 && wholeBytes <= input.byteLength && damagedLines <= input.byteLength, 'lines are counted')
  const ids = new Set(pending.map(({ id }) => id))
  check(ids.size === pending.length, 'an event is delivered once')
  for (const { id, place } of pending) {
    check(seen.has(id), 'what waits was queued')
    check(place.offset >= 0 && place.offset + place.bytes <= wholeBytes, 'a line stands in the file')
  }
  check(replayJournal(input.subarray(0, wholeBytes)).pending.length === pending.length, 'a torn line tells nothing')
}

/** A webhook that is signed, whatever it says. */
function runWebhook(input: Uint8Array): void {
  const body = new TextDecoder().decode(input)
  const headers = { 'rushes-timestamp': '1790000000', 'rushes-signature': signWebhook(['secret'], 1_790_000_000, body) }
  const received = { body, headers, secret: 'secret', nowS: 1_790_000_000 }
  const event = unlessRefused(NotifierError, () => verifyWebhook(received))
  if (event !== undefined) check(typeof event.id === 'string', 'an event has an id')
  const forged = { ...headers, 'rushes-signature': body.slice(0, 200), 'rushes-timestamp': body.slice(0, 10) }
  check(unlessRefused(NotifierError, () => verifyWebhook({ ...received, headers: forged })) === undefined, 'no forgery')
}
