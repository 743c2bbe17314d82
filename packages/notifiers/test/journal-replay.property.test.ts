import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JournalLine, serializeLine } from '../src/journal-line.js'
import { replayJournal } from '../src/journal-replay.js'

const id = fc.constantFrom('1', '2', '3', 'ü "\n', '\ud83d')
const atMs = fc.nat()
const lines: fc.Arbitrary<JournalLine[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('event' as const),
      id,
      type: fc.string(),
      atMs,
      body: fc.string({ unit: 'binary' }),
    }),
    fc.record({ kind: fc.constant('try' as const), id, attempts: fc.nat(), dueMs: fc.nat() }),
    fc.record({ kind: fc.constant('done' as const), id, state: fc.constant('delivered' as const), atMs }),
    fc.record({ kind: fc.constant('seen' as const), ids: fc.array(id), atMs }),
    fc.record({ kind: fc.constant('end' as const), atMs }),
  ),
  { maxLength: 30 },
)
const head: JournalLine = { kind: 'head', notifier: 'webhook', recordingId: 'r' }

describe('replayJournal', () => {
  it('knows every delivery that is queued and not done, with its exact body, in order', () => {
    fc.assert(
      fc.property(lines, (content) => {
        const state = replayJournal(Buffer.from([head, ...content].map(serializeLine).join('')))
        const seen = new Set<string>()
        const pending = new Map<string, string>()
        for (const line of content) {
          if (line.kind === 'event' && !seen.has(line.id)) pending.set(line.id, line.body)
          if (line.kind === 'done') pending.delete(line.id)
          if (line.kind === 'event' || line.kind === 'done') seen.add(line.id)
          if (line.kind === 'seen') for (const one of line.ids) seen.add(one)
        }
        expect(state.pending.map(({ id, body }) => [id, body])).toEqual([...pending])
        expect(state.seen).toEqual(seen)
        expect(state.damagedLines).toBe(0)
        expect(state.head).toEqual({ notifier: 'webhook', recordingId: 'r' })
      }),
    )
  })

  it('cut anywhere, it tells what its whole lines tell', () => {
    fc.assert(
      fc.property(lines, fc.double({ min: 0, max: 1, noNaN: true }), (content, part) => {
        const bytes = Buffer.from([head, ...content].map(serializeLine).join(''))
        const cut = bytes.subarray(0, Math.floor(bytes.byteLength * part))
        const state = replayJournal(cut)
        expect(state).toEqual(replayJournal(bytes.subarray(0, cut.lastIndexOf(0x0a) + 1)))
        expect(state.wholeBytes).toBe(cut.lastIndexOf(0x0a) + 1)
      }),
    )
  })

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(replayJournal(bytes).pending).toEqual([])
      }),
    )
  })

  it('skips a damaged line and goes on after it', () => {
    const event: JournalLine = { kind: 'event', id: 'a', type: 'MARK', atMs: 1, body: '{}' }
    const text = `${serializeLine(head)}{"kind":"event","id\n\0\0\0\n${serializeLine(event)}`
    const state = replayJournal(Buffer.from(text))
    expect(state.pending.map(({ id }) => id)).toEqual(['a'])
    expect(state.damagedLines).toBe(2)
  })
})
