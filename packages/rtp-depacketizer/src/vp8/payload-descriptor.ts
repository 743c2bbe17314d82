/** The VP8 payload descriptor (RFC 7741 §4.2). Absent fields are -1. */
export class Vp8PayloadDescriptor {
  /** N: no other frame is predicted from this one. */
  nonReference = false
  /** S with PID 0: the frame begins here. */
  startsFrame = false
  /** 0 to 127 where `pictureIdBits` is 7, to 32,767 where it is 15. */
  pictureId = -1
  pictureIdBits = 0
  /** TL0PICIDX, 0 to 255: counts frames of temporal layer 0. */
  tl0PicIdx = -1
  /** TID, 0 to 3. */
  temporalId = -1
  /** Y: of lower layers, this frame depends on the base frame with its TL0PICIDX only. */
  layerSync = false

  /** Reads the descriptor at `bytes[start]`. Returns the offset behind it, or -1 where the payload ends before. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const first = bytes[start]!
    let offset = start + 1
    this.nonReference = (first & 0x20) !== 0
    this.startsFrame = (first & 0x17) === 0x10
    this.pictureId = -1
    this.pictureIdBits = 0
    this.tl0PicIdx = -1
    this.temporalId = -1
    this.layerSync = false
    if ((first & 0x80) !== 0) {
      const extension = offset < end ? bytes[offset++]! : 0
      if ((extension & 0x80) !== 0 && offset < end) {
        const head = bytes[offset++]!
        this.pictureIdBits = head >= 0x80 ? 15 : 7
        this.pictureId = head
        if (head >= 0x80) this.pictureId = ((head & 0x7f) << 8) | (bytes[offset++] ?? 0)
      }
      if ((extension & 0x40) !== 0) this.tl0PicIdx = bytes[offset++] ?? 0
      if ((extension & 0x30) !== 0) {
        const layer = bytes[offset++] ?? 0
        if ((extension & 0x20) !== 0) {
          this.temporalId = layer >>> 6
          this.layerSync = (layer & 0x20) !== 0
        }
      }
    }
    return offset < end ? offset : -1
  }

  copy(from: Vp8PayloadDescriptor): void {
    Object.assign(this, from)
  }
}
