import type { CanvasPlanes, PictureArea } from './picture-canvas.js'

/** libswscale writes whole vectors: up to 15 samples of each plane to the right of what it was asked for. */
export const SPILL_SAMPLES = 16
/** Widths of luma that are a multiple of this are multiples of a vector in chroma too, and nothing is spilt. */
const WHOLE_WIDTH = 16

/** Keeps what lies to the right of a target, while libswscale writes over it. */
export class ScalerSpill {
  #kept: Uint8Array = new Uint8Array(0)

  /** Returns whether there is anything to put back. */
  keep(canvas: CanvasPlanes, target: PictureArea): boolean {
    if (target.width % WHOLE_WIDTH === 0) return false
    const size = 2 * target.height * SPILL_SAMPLES
    if (this.#kept.length < size) this.#kept = new Uint8Array(size)
    let kept = 0
    for (let index = 0; index < 3; index++) {
      const plane = canvas.padded[index]!
      const shift = index === 0 ? 0 : 1
      const stride = canvas.width >> shift
      let at = (target.y >> shift) * stride + ((target.x + target.width) >> shift)
      for (let rows = target.height >> shift; rows > 0; rows--, at += stride) {
        for (let more = 0; more < SPILL_SAMPLES; more++) this.#kept[kept++] = plane[at + more]!
      }
    }
    return true
  }

  /** With the same arguments as `keep` before. */
  restore(canvas: CanvasPlanes, target: PictureArea): void {
    let kept = 0
    for (let index = 0; index < 3; index++) {
      const plane = canvas.padded[index]!
      const shift = index === 0 ? 0 : 1
      const stride = canvas.width >> shift
      const left = target.x >> shift
      const right = (target.x + target.width) >> shift
      // Beyond the right edge it is the beginning of the next row, which may be the target's again.
      const free = Math.min(SPILL_SAMPLES, stride - right + left)
      const rows = target.height >> shift
      let at = (target.y >> shift) * stride + right
      for (let row = 0; row < rows; row++, at += stride, kept += SPILL_SAMPLES) {
        const count = row === rows - 1 ? SPILL_SAMPLES : free
        for (let more = 0; more < count; more++) plane[at + more] = this.#kept[kept + more]!
      }
    }
  }
}
