import { type PicturePlace, TemporalLayers } from '../frame/temporal-layers.js'
import { HeldPictures } from './held-pictures.js'
import type { ReadLayerFrame } from './superframe.js'

/**
 * What of the pictures emitted later ones may be predicted from. In flexible mode each picture names its references;
 * else the temporal layers tell (RFC 9628 §3, §4.2).
 */
export class Vp9References {
  readonly #layers = new TemporalLayers()
  readonly #held = new HeldPictures()
  /** Spatial layers of which every picture so far was emitted, outside of flexible mode. */
  #heldLayers = 0
  /** Nothing was left out since the keyframe: frames that are not error resilient go on from the probabilities so far. */
  #contextsIntact = false
  #extendedId = -1

  reset(): void {
    this.#layers.reset()
    this.#held.clear()
    this.#heldLayers = 0
    this.#contextsIntact = false
  }

  /** A picture follows. Returns how many went missing in a gap of so many packets, `undefined` if that is not known. */
  advance(place: PicturePlace, gap: number): number | undefined {
    const unseen = this.#layers.advance(place, gap)
    if (unseen !== 0) this.#contextsIntact = false
    this.#extendedId = place.pictureId < 0 ? -1 : this.#held.extend(place.pictureId, place.pictureIdBits, gap)
    return unseen
  }

  /** Whether all earlier pictures are there that a frame is predicted from. */
  hasReferences({ frame, header }: ReadLayerFrame, temporalId: number): boolean {
    if (header.keyframe) return true
    if (!header.errorResilient && !this.#contextsIntact) return false
    if (!frame.interPicture) return true
    if (!frame.flexible || this.#extendedId < 0) {
      return this.#layers.isIntact(temporalId) && ((this.#heldLayers >>> frame.spatialId) & 1) === 1
    }
    for (const reference of frame.references) {
      if (!this.#held.holds(this.#extendedId - reference, frame.spatialId)) return false
    }
    return true
  }

  /** The picture could not be emitted, or a picture was that could not be read. */
  drop(temporalId: number): void {
    this.#layers.spoil(temporalId)
    this.#contextsIntact = false
  }

  /** Of the picture's frames in `sent`, those in `included` are emitted. */
  emit(sent: readonly ReadLayerFrame[], included: readonly ReadLayerFrame[], place: PicturePlace, up: boolean): void {
    let mask = 0
    for (const { frame } of included) mask |= 1 << frame.spatialId
    if (this.#extendedId >= 0) this.#held.hold(this.#extendedId, mask)
    const keyframe = included[0]!.header.keyframe
    if (keyframe) {
      this.#layers.restore()
      this.#heldLayers = mask
      this.#contextsIntact = true
    } else {
      for (const { frame } of sent) {
        const bit = 1 << frame.spatialId
        if ((mask & bit) === 0) this.#heldLayers &= ~bit
        else if (!frame.interPicture) this.#heldLayers |= bit
      }
      if (up) this.#layers.mend(place.temporalId + 1)
    }
    if (included.length < sent.length) this.#contextsIntact = false
  }
}
