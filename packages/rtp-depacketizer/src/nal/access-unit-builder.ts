import type { DropCause } from '../drop-cause.js'
import type { StoredParameterSet } from './parameter-set-store.js'

/**
 * Bytes of one access unit: over twice what the largest level allows in bits for a picture of 8K at WebRTC's rates.
 * Bounds a sender that never ends one.
 */
const MAX_ACCESS_UNIT_BYTES = 16 * 1024 * 1024
/** NAL units of one access unit, and fragments: each costs an object of some 100 bytes however short it is. */
const MAX_PIECES = 32_768

/** The access unit that is being put together. One object for all of a track's units: its lists go with the unit. */
export class AccessUnitBuilder {
  /** A packet of it has come. */
  open = false
  pieces: Uint8Array[][] = []
  rtpTimestamp = 0
  arrivalUs: number | undefined
  /** The last packet carried the marker. */
  marker = false
  /** Set by the first thing that spoils it. */
  broken: DropCause | undefined
  /** Packets are missing right before its first one: it may have begun among them. */
  afterGap = false
  /** Index of the first slice, or -1. */
  firstSlice = -1
  /** The first slice is the first of its picture: nothing of the picture is missing before it. */
  startsPicture = false
  /** NAL unit header of the first slice, as a number. */
  sliceHeader = 0
  /** H264: an IDR picture; H265: an IRAP picture. */
  isRandomAccess = false
  hasRecoveryPoint = false
  /** H265: an end of sequence stands at its end. */
  endsSequence = false
  /** The parameter sets that came in it. */
  sets: StoredParameterSet[] = []
  /** An SPS is among them. */
  hasSps = false
  #bytes = 0
  #pieceCount = 0

  begin(rtpTimestamp: number, afterGap: boolean): void {
    this.open = true
    this.pieces = []
    this.rtpTimestamp = rtpTimestamp
    this.marker = false
    this.broken = undefined
    this.afterGap = afterGap
    this.firstSlice = -1
    this.startsPicture = false
    this.sliceHeader = 0
    this.isRandomAccess = false
    this.hasRecoveryPoint = false
    this.endsSequence = false
    this.hasSps = false
    if (this.sets.length > 0) this.sets = []
    this.#bytes = 0
    this.#pieceCount = 0
  }

  /** It cannot be emitted as whole any more: what it holds is let go. */
  break(cause: DropCause): void {
    if (this.broken !== undefined) return
    this.broken = cause
    this.pieces = []
  }

  /** Counts a piece that came for it, part of a NAL unit or a whole one. */
  account(bytes: number): void {
    this.#bytes += bytes
    this.#pieceCount++
    if (this.#bytes > MAX_ACCESS_UNIT_BYTES || this.#pieceCount > MAX_PIECES) this.break('too-large')
  }

  addSlice(pieces: Uint8Array[], header: number, startsPicture: boolean): void {
    if (this.firstSlice < 0) {
      this.firstSlice = this.pieces.length
      this.startsPicture = startsPicture
      this.sliceHeader = header
    }
    if (this.broken === undefined) this.pieces.push(pieces)
  }

  /** Parameter sets between two slices of a picture go before its first slice: decoders misread the picture else. */
  addParameterSet(pieces: Uint8Array[], stored: StoredParameterSet): void {
    this.sets.push(stored)
    if (this.broken !== undefined) return
    if (this.firstSlice < 0) this.pieces.push(pieces)
    else this.pieces.splice(this.firstSlice++, 0, pieces)
  }

  /** Puts in a parameter set that did not come with the unit, before its first slice. */
  insertParameterSet(index: number, nalUnit: Uint8Array): void {
    // A copy: what is emitted belongs to the receiver, and the memory keeps its own.
    this.pieces.splice(index, 0, [new Uint8Array(nalUnit)])
    this.firstSlice++
  }

  addOther(pieces: Uint8Array[]): void {
    if (this.broken === undefined) this.pieces.push(pieces)
  }
}
