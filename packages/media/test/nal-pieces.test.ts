import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinPieces, nalPiecesOf, piecesLength } from '../src/nal-pieces.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('joinPieces', () => {
  test('a single piece is not copied', () => {
    const piece = bytes(0x65, 1, 2)
    expect(joinPieces([piece])).toBe(piece)
  })

  test('no pieces are no bytes', () => {
    expect(joinPieces([])).toEqual(bytes())
    expect(piecesLength([])).toBe(0)
  })

  test('pieces that are views into packets are joined, and the packets are not touched', () => {
    const packet = bytes(9, 9, 0x65, 1, 2, 9)
    const joined = joinPieces([packet.subarray(2, 5), packet.subarray(0, 1)])
    expect(joined).toEqual(bytes(0x65, 1, 2, 9))
    joined.fill(0)
    expect(packet).toEqual(bytes(9, 9, 0x65, 1, 2, 9))
  })

  test('however bytes were cut into pieces, the same bytes come out', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }), (pieces) => {
        expect([...joinPieces(pieces)]).toEqual(pieces.flatMap((piece) => [...piece]))
        expect(piecesLength(pieces)).toBe(joinPieces(pieces).byteLength)
      }),
    )
  })
})

describe('nalPiecesOf', () => {
  const sps = bytes(0x67)
  const slice = bytes(0x65, 1)

  test('the pieces of a sample are taken as they are', () => {
    const pieces = [[sps], [slice, bytes(2)]]
    expect(nalPiecesOf({ data: [], pieces })).toBe(pieces)
  })

  test('whole NAL units are one piece each', () => {
    const pieces = nalPiecesOf({ data: [sps, slice] })
    expect(pieces).toEqual([[sps], [slice]])
    expect(pieces[1]?.[0]).toBe(slice)
  })

  test('a single frame is one unit in one piece', () => {
    expect(nalPiecesOf({ data: slice })).toEqual([[slice]])
  })
})
