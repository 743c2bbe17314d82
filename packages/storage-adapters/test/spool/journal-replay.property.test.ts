import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entryLine, type JournalLine, parseLine, serializeLine } from '../../src/spool/journal-line.js'
import { replayJournal } from '../../src/spool/journal-replay.js'

const id = fc.nat(6)
const lineArbitrary: fc.Arbitrary<JournalLine> = fc.oneof(
  fc
    .record(
      {
        id,
        kind: fc.constantFrom('put' as const, 'delete' as const),
        key: fc.string({ unit: 'binary', minLength: 1 }),
        bytes: fc.maxSafeNat(),
        putAtMs: fc.maxSafeNat(),
        contentType: fc.string(),
        cacheControl: fc.string(),
        checkpoint: fc.dictionary(fc.string(), fc.string()),
      },
      { requiredKeys: ['id', 'kind', 'key', 'bytes', 'putAtMs'] },
    )
    .map(entryLine),
  fc.record({ kind: fc.constant('done' as const), id, atMs: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('done' as const), id, atMs: fc.maxSafeNat(), replaced: fc.constant(true as const) }),
  fc.record({ kind: fc.constant('gone' as const), id }),
  fc.record({ kind: fc.constant('checkpoint' as const), id, checkpoint: fc.dictionary(fc.string(), fc.string()) }),
  fc.record({ kind: fc.constant('failed' as const), id, code: fc.string(), message: fc.string() }),
)
const head: JournalLine = { kind: 'head', version: 1, nextId: 3 }
const encode = (lines: readonly JournalLine[]): Uint8Array => Buffer.from([head, ...lines].map(serializeLine).join(''))

describe('a journal', () => {
  it('reads what was written, line by line', () => {
    fc.assert(
      fc.property(lineArbitrary, (line) => {
        const text = serializeLine(line)
        expect(text.indexOf('\n')).toBe(text.length - 1)
        expect(parseLine(text.slice(0, -1))).toEqual(JSON.parse(JSON.stringify(line)))
      }),
    )
  })

  it('that is cut off anywhere says what its whole lines say', () => {
    fc.assert(
      fc.property(fc.array(lineArbitrary, { maxLength: 12 }), fc.nat(), (lines, cut) => {
        const bytes = encode(lines)
        const kept = bytes.subarray(0, cut % (bytes.byteLength + 1))
        const whole = Buffer.from(kept).toString('latin1').split('\n').length - 1
        const state = replayJournal(kept)
        const expected = whole === 0 ? new Map() : replayJournal(encode(lines.slice(0, whole - 1))).entries
        expect([...state.entries]).toEqual([...expected])
        expect(state).toMatchObject({ damagedLines: 0, lines: whole })
      }),
    )
  })

  it('never gives an id twice, and survives any bytes', () => {
    fc.assert(
      fc.property(fc.array(lineArbitrary, { maxLength: 12 }), fc.uint8Array({ maxLength: 60 }), (lines, noise) => {
        const state = replayJournal(Buffer.concat([encode(lines), noise, Buffer.from('\n'), encode(lines)]))
        for (const line of lines) if (line.kind !== 'head') expect(state.nextId).toBeGreaterThan(line.id)
        expect(state.nextId).toBeGreaterThanOrEqual(3)
      }),
    )
  })
})
