/** The VP9 payload descriptor (RFC 9628 §4.2). Absent fields are -1. */
export class Vp9PayloadDescriptor {
  /** P: not set where the frame is not predicted from earlier pictures. */
  interPicture = false
  /** F: each picture names its references. */
  flexible = false
  /** B and E: a frame begins, or ends, with this packet. */
  startsFrame = false
  endsFrame = false
  pictureId = -1
  pictureIdBits = 0
  temporalId = -1
  /** U: later pictures of higher temporal layers need nothing that came before this one and is of those layers. */
  switchingUp = false
  /** 0 where there are no layers. */
  spatialId = 0
  /** D: predicted from the next lower spatial layer of the same picture. */
  interLayer = false
  tl0PicIdx = -1
  /** P_DIFF, at most three: how many pictures ago the references are. */
  readonly references: number[] = []

  /** Reads the descriptor at `bytes[start]`. Returns the offset behind it, or -1 where it is none. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const flags = bytes[start]!
    let offset = start + 1
    this.interPicture = (flags & 0x40) !== 0
    this.flexible = (flags & 0x10) !== 0
    this.startsFrame = (flags & 0x08) !== 0
    this.endsFrame = (flags & 0x04) !== 0
    this.pictureId = -1
    this.pictureIdBits = 0
    this.temporalId = -1
    this.switchingUp = false
    this.spatialId = 0
    this.interLayer = false
    this.tl0PicIdx = -1
    this.references.length = 0
    if ((flags & 0x80) !== 0) {
      const head = bytes[offset++] ?? 0
      this.pictureIdBits = head >= 0x80 ? 15 : 7
      this.pictureId = head
      if (head >= 0x80) this.pictureId = ((head & 0x7f) << 8) | (bytes[offset++] ?? 0)
    }
    if ((flags & 0x20) !== 0) {
      const layer = bytes[offset++] ?? 0
      this.temporalId = layer >>> 5
      this.switchingUp = (layer & 0x10) !== 0
      this.spatialId = (layer >>> 1) & 7
      this.interLayer = (layer & 1) !== 0
      if (!this.flexible) this.tl0PicIdx = bytes[offset++] ?? 0
    }
    if (this.flexible && this.interPicture) {
      let more = true
      while (more) {
        if (this.references.length === 3 || offset >= end) return -1
        const reference = bytes[offset++]!
        this.references.push(reference >>> 1)
        more = (reference & 1) !== 0
      }
    }
    if ((flags & 0x02) !== 0) offset = skipScalabilityStructure(bytes, offset)
    return offset < end ? offset : -1
  }
}

/** §4.2.1. What it says is in the frames too, or what the other fields say of each picture is enough. */
function skipScalabilityStructure(bytes: Uint8Array, start: number): number {
  let offset = start
  const flags = bytes[offset++] ?? 0
  if ((flags & 0x10) !== 0) offset += ((flags >>> 5) + 1) * 4
  if ((flags & 0x08) !== 0) {
    const pictures = bytes[offset++] ?? 0
    for (let i = 0; i < pictures; i++) offset += 1 + (((bytes[offset] ?? 0) >>> 2) & 3)
  }
  return offset
}
