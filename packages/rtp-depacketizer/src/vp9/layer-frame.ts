import type { Vp9PayloadDescriptor } from './payload-descriptor.js'

/** The frame of one spatial layer of a picture, as it is put together. */
export class Vp9LayerFrame {
  readonly spatialId: number
  readonly interPicture: boolean
  readonly interLayer: boolean
  readonly flexible: boolean
  readonly references: readonly number[]
  /** Views into the packets. */
  readonly pieces: Uint8Array[] = []
  bytes = 0
  /** Its last packet has come, and all before. */
  whole = false
  /** All that it is predicted from is there. */
  decodable = false

  constructor(descriptor: Vp9PayloadDescriptor) {
    this.spatialId = descriptor.spatialId
    this.interPicture = descriptor.interPicture
    this.interLayer = descriptor.interLayer
    this.flexible = descriptor.flexible
    this.references = descriptor.references.length === 0 ? NONE : [...descriptor.references]
  }

  add(piece: Uint8Array): void {
    this.pieces.push(piece)
    this.bytes += piece.byteLength
  }
}

const NONE: readonly number[] = []
