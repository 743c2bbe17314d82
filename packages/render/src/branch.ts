import { Interleaver } from '@rushes/hls-segmenter'
import type { TimedItem, Track } from '@rushes/media'
import { Clip } from './clip.js'
import type { ManifestOutput } from './manifest.js'
import type { Output, OutputStart } from './output.js'
import { StartGate } from './start-gate.js'

/** What a branch leads to, made when its start is known. */
export type CreateOutputs = (start: OutputStart, hasSeen: (trackId: string) => boolean) => Promise<Output[]>

/**
 * Everything of one participant that has the same sound (AAC, or Opus as it came): interleaved once, clipped once, and
 * given to one or more containers.
 */
export class Branch {
  readonly #interleaver = new Interleaver([])
  readonly #clipRange: { readonly fromUs: number | undefined; readonly toUs: number | undefined }
  #clip: Clip | undefined
  readonly #gate = new StartGate()
  readonly #tracks: Track[] = []
  readonly #createOutputs: CreateOutputs
  #outputs: Output[] | undefined

  constructor(range: { fromUs: number | undefined; toUs: number | undefined }, createOutputs: CreateOutputs) {
    this.#clipRange = range
    this.#createOutputs = createOutputs
  }

  addTrack(track: Track): void {
    this.#tracks.push(track)
    this.#interleaver.addTrack(track)
    this.#gate.addTrack(track)
    this.#clip?.addTrack(track)
    for (const output of this.#outputs ?? []) output.addTrack(track)
  }

  push(item: TimedItem): void {
    this.#interleaver.push(item, this.#intoClip)
  }

  async drain(): Promise<void> {
    if (this.#gate.ready) {
      const outputs = await this.#createOutputs(this.#gate.start, (trackId) => this.#gate.hasSeen(trackId))
      this.#outputs = outputs
      this.#gate.open((item) => {
        for (const output of outputs) output.push(item)
      })
    }
    for (const output of this.#outputs ?? []) await output.drain()
  }

  async finish(): Promise<ManifestOutput[]> {
    this.#interleaver.flush(this.#intoClip)
    this.#gate.end()
    await this.drain()
    const finished: ManifestOutput[] = []
    for (const output of this.#outputs ?? []) finished.push(...(await output.finish()))
    return finished
  }

  async abort(): Promise<void> {
    await Promise.allSettled((this.#outputs ?? []).map((output) => output.abort()))
  }

  readonly #intoClip = (item: TimedItem): void => {
    this.#clip ??= new Clip({ tracks: this.#tracks, ...this.#clipRange })
    this.#clip.push(item, this.#intoGate)
  }

  readonly #intoGate = (item: TimedItem): void => this.#gate.push(item)
}
