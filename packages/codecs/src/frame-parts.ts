import type { FilterContext, FilterGraph, Frame } from 'node-av/lib'
import { CodecError } from './errors.js'
import { checkOpened, type NodeAv } from './node-av.js'
import type { PictureArea } from './picture-canvas.js'
import { RecentlyUsed } from './recently-used.js'

/** Prepared cuts kept, of some 10 kB each: two for each of 49 tiles, and some for an animation that needs new ones. */
const MAX_CUTS = 128

interface Cut {
  readonly graph: FilterGraph
  readonly source: FilterContext
  readonly sink: FilterContext
}

/**
 * Parts of native pictures that share their memory: libavfilter's `crop` moves the pointers and copies nothing (about a
 * microsecond). The planes of a picture are never asked for: each time makes objects as large as the picture for the
 * garbage collector, which then runs all the time.
 */
export class FrameParts {
  readonly #nodeAv: NodeAv
  readonly #cuts = new RecentlyUsed<Cut>(MAX_CUTS, ({ graph }) => graph.free())
  readonly #part: Frame

  constructor(nodeAv: NodeAv) {
    this.#nodeAv = nodeAv
    this.#part = new nodeAv.lib.Frame()
    this.#part.alloc()
  }

  /**
   * Shows `use` the part `area` of `picture`, which is the picture itself where that is all of it. It is gone when `use`
   * returns. Offsets are such that the planes can be cut there: even, for 4:2:0. Throws `CODECS_OPEN_FAILED`.
   */
  with(picture: Frame, { x, y, width, height }: PictureArea, use: (part: Frame) => void): void {
    if (width === picture.width && height === picture.height) {
      use(picture)
      return
    }
    // Colours are not named: they pass through, and what a damaged header says of them may not be known here.
    const shape = `video_size=${picture.width}x${picture.height}:pix_fmt=${picture.format}`
    const area = `${width}:${height}:${x}:${y}:exact=1`
    const { source, sink } = this.#cuts.of(`${shape} ${area}`, () => this.#prepare(shape, area))
    checkOpened('crop', source.buffersrcAddFrameSync(picture, this.#nodeAv.constants.AV_BUFFERSRC_FLAG_KEEP_REF))
    checkOpened('crop', sink.buffersinkGetFrameSync(this.#part))
    try {
      use(this.#part)
    } finally {
      this.#part.unref()
    }
  }

  close(): void {
    this.#cuts.clear()
    this.#part.free()
  }

  #prepare(shape: string, area: string): Cut {
    const { lib } = this.#nodeAv
    const graph = new lib.FilterGraph()
    graph.alloc()
    graph.nbThreads = 1
    const filter = (name: string, args?: string): FilterContext => {
      const found = lib.Filter.getByName(name)
      const made = found === null ? null : graph.createFilter(found, name, args)
      if (made === null) throw new CodecError('CODECS_OPEN_FAILED', `this build of node-av has no filter ${name}`)
      return made
    }
    // Times are none of its business, but it wants to know their unit.
    const source = filter('buffer', `${shape}:time_base=1/1`)
    const crop = filter('crop', area)
    const sink = filter('buffersink')
    checkOpened('crop', source.link(0, crop, 0))
    checkOpened('crop', crop.link(0, sink, 0))
    checkOpened('crop', graph.configSync())
    return { graph, source, sink }
  }
}
