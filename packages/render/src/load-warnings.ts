import type { LoadChange, ResolvedComposite } from '@rushes/compositor'
import type { OutputContext } from './output.js'

/** Tells where a live composite gave up quality, and where it has all of it again. */
export class LoadWarnings {
  readonly #emit: OutputContext['emit']
  readonly #fps: number
  readonly #full: Omit<LoadChange, 'atUs'>
  readonly #all: LoadChange[] = []
  /** Of the compositor at hand. */
  #told = 0

  constructor(emit: OutputContext['emit'], { fps, video }: ResolvedComposite) {
    this.#emit = emit
    this.#fps = fps
    this.#full = { preset: video.preset, frameStep: 1, sizeDivisor: 1 }
  }

  /** From the beginning of the composite on, whoever made it. */
  get all(): readonly LoadChange[] {
    return this.#all
  }

  /** What is there already was made so; from `atUs` on another compositor begins as it was asked to. */
  goOn(kept: readonly LoadChange[], atUs: number): void {
    for (const change of kept) this.#tell(change)
    const last = kept.at(-1)
    if (last !== undefined && !this.#isFull(last)) this.#tell({ ...this.#full, atUs })
  }

  /** @param changes all of the compositor at hand so far */
  update(changes: readonly LoadChange[]): void {
    for (const change of changes.slice(this.#told)) this.#tell(change)
    this.#told = changes.length
  }

  #tell(change: LoadChange): void {
    this.#all.push(change)
    const { atUs, preset, frameStep, sizeDivisor } = change
    const size = sizeDivisor === 1 ? '' : ', at half the size'
    const how = `is made with preset ${preset}, ${this.#fps / frameStep} pictures a second${size}: the machine cannot keep up with more; a render of the take has full quality`
    const message = `from ${(atUs / 1_000_000).toFixed(1)} s on the composite ${this.#isFull(change) ? 'has full quality again' : how}`
    this.#emit({ type: 'warning', warning: { code: 'COMPOSITE_DEGRADED', message } })
  }

  #isFull({ preset, frameStep, sizeDivisor }: LoadChange): boolean {
    return preset === this.#full.preset && frameStep === 1 && sizeDivisor === 1
  }
}
