import type { AudioTrack, TimedItem, VideoTrack } from '@rushes/media'
import type { Branch } from './branch.js'
import type { ManifestOutput } from './manifest.js'
import type { OutputContext } from './output.js'
import { openOutputBranch } from './output-branch.js'
import type { OutputFormat } from './plan.js'

/** What leads from a compositor to containers. */
export interface CompositeBranchesOptions {
  readonly context: OutputContext
  /** The picture, its renditions, the sound. */
  readonly tracks: readonly (VideoTrack | AudioTrack)[]
  readonly onKeyframeNeeded: () => void
}

/** Composed media on its way to the outputs: HLS has all sizes of the picture, files have the first one. */
export class CompositeBranches {
  readonly #formats: readonly OutputFormat[]
  readonly #branches: readonly Branch[]
  readonly #branchesOf = new Map<string, Branch[]>()

  constructor({ context, tracks, onKeyframeNeeded }: CompositeBranchesOptions) {
    this.#formats = [...context.plan.formats]
    const renditions = new Set(
      tracks.filter(({ kind }) => kind === 'video').flatMap(({ id }, i) => (i > 0 ? [id] : [])),
    )
    const open = (formats: readonly OutputFormat[], withRenditions: boolean): Branch[] => {
      if (formats.length === 0) return []
      const own = withRenditions ? { ...context, renditions } : context
      const onSignal = onKeyframeNeeded
      const branch = openOutputBranch({ context: own, formats, everyTrackSends: true, onSignal })
      for (const track of tracks) {
        if (!withRenditions && renditions.has(track.id)) continue
        branch.addTrack(track)
        this.#branchesOf.set(track.id, [...(this.#branchesOf.get(track.id) ?? []), branch])
      }
      return [branch]
    }
    const isHls = (format: OutputFormat): boolean => format === 'hls'
    this.#branches =
      renditions.size === 0
        ? open(this.#formats, false)
        : [
            ...open(this.#formats.filter(isHls), true),
            ...open(
              this.#formats.filter((format) => !isHls(format)),
              false,
            ),
          ]
  }

  push(item: TimedItem): void {
    for (const branch of this.#branchesOf.get(item.trackId) ?? []) branch.push(item)
  }

  async drain(): Promise<void> {
    for (const branch of this.#branches) await branch.drain()
  }

  /** In the order of the plan's formats. */
  async finish(): Promise<ManifestOutput[]> {
    const outputs: ManifestOutput[] = []
    for (const branch of this.#branches) outputs.push(...(await branch.finish()))
    const place = ({ container }: ManifestOutput): number => this.#formats.indexOf(container)
    return outputs.sort((a, b) => place(a) - place(b))
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#branches.map((branch) => branch.abort()))
  }
}
