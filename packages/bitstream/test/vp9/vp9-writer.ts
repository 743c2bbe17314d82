import { BitWriter } from '../bit-writer.js'

export interface WrittenHeader {
  readonly keyframe: boolean
  readonly showFrame: boolean
  readonly errorResilient: boolean
  /** Profile 0 or 2. */
  readonly profile: 0 | 2
  readonly twelveBit: boolean
  readonly width: number
  readonly height: number
  readonly refresh: number
  /** Where the size comes from: itself, or the reference i. */
  readonly sizeFrom: 'self' | 0 | 1 | 2
  readonly renderSize: boolean
  readonly deltas: readonly boolean[]
  readonly segmentation: boolean
  readonly segments: readonly boolean[]
  readonly tileSteps: number
}

/** A frame header written from the syntax tables, and its length in bits. */
export function writeVp9Header(fields: WrittenHeader): { readonly bytes: Uint8Array; readonly endBits: number } {
  const bits = new BitWriter()
  let count = 0
  const u = (value: number, length: number): void => {
    bits.u(value, length)
    count += length
  }
  const flag = (value: boolean): void => u(value ? 1 : 0, 1)
  const deltas = fields.deltas.values()
  const next = (): boolean => deltas.next().value ?? false
  u(2, 2)
  u(fields.profile & 1, 1)
  u(fields.profile >> 1, 1)
  flag(false)
  flag(!fields.keyframe)
  flag(fields.showFrame)
  flag(fields.errorResilient)
  const frameSize = (): void => {
    u(fields.width - 1, 16)
    u(fields.height - 1, 16)
  }
  const renderSize = (): void => {
    flag(fields.renderSize)
    if (fields.renderSize) u(0x1234_5678, 32)
  }
  if (fields.keyframe) {
    u(0x49_83_42, 24)
    if (fields.profile === 2) flag(fields.twelveBit)
    u(1, 3)
    flag(true)
    frameSize()
    renderSize()
  } else {
    if (!fields.showFrame) flag(false)
    if (!fields.errorResilient) u(1, 2)
    u(fields.refresh, 8)
    for (const slot of [2, 3, 4]) {
      u(slot, 3)
      flag(next())
    }
    if (fields.sizeFrom === 'self') {
      u(0, 3)
      frameSize()
    } else {
      for (let i = 0; i < fields.sizeFrom; i++) flag(false)
      flag(true)
    }
    renderSize()
    flag(true)
    const isSwitchable = next()
    flag(isSwitchable)
    if (!isSwitchable) u(2, 2)
  }
  if (!fields.errorResilient) u(3, 2)
  u(1, 2)
  u(0x155, 9)
  const hasLoopFilterDeltas = next()
  flag(hasLoopFilterDeltas)
  if (hasLoopFilterDeltas) {
    flag(true)
    for (let i = 0; i < 6; i++) {
      const isUpdated = next()
      flag(isUpdated)
      if (isUpdated) u(0x55, 7)
    }
  }
  u(60, 8)
  for (let i = 0; i < 3; i++) {
    const isCoded = next()
    flag(isCoded)
    if (isCoded) u(0x15, 5)
  }
  flag(fields.segmentation)
  if (fields.segmentation) {
    const segments = fields.segments.values()
    const set = (): boolean => segments.next().value ?? false
    flag(true)
    for (let i = 0; i < 7; i++) {
      const isCoded = set()
      flag(isCoded)
      if (isCoded) u(200, 8)
    }
    flag(true)
    for (let i = 0; i < 3; i++) {
      const isCoded = set()
      flag(isCoded)
      if (isCoded) u(100, 8)
    }
    flag(true)
    flag(false)
    for (let i = 0; i < 8; i++) {
      for (const length of [9, 7, 2, 0]) {
        const isEnabled = set()
        flag(isEnabled)
        if (isEnabled && length > 0) u(1, length)
      }
    }
  }
  // Tile columns: from the fewest that keep tiles within 4096 pixels to the most that keep them above 256.
  const superblocks = Math.ceil(fields.width / 64)
  let min = 0
  while (64 * 2 ** min < superblocks) min++
  let max = 0
  while (superblocks / 2 ** (max + 1) >= 4) max++
  let log2 = min
  let steps = fields.tileSteps
  while (log2 < max) {
    flag(steps > 0)
    if (steps-- <= 0) break
    log2++
  }
  flag(true)
  flag(false)
  u(0x1234, 16)
  return { bytes: bits.bytes(), endBits: count }
}
