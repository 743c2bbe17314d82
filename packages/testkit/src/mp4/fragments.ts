import type { Report } from '../finding.js'
import { childOf, type LoadedBox, theChild, viewOf } from './boxes.js'
import type { Mp4Rule } from './rules.js'
import type { SampleList } from './samples.js'

/** trex: what a fragment's samples are unless it says otherwise (ISO/IEC 14496-12 §8.8.3). */
export interface TrackDefaults {
  readonly duration: number
  readonly size: number
  readonly flags: number
}

type Mp4Report = Report<Mp4Rule>

/** The defaults by track id. */
export function readTrackDefaults(moov: LoadedBox): Map<number, TrackDefaults> {
  const defaults = new Map<number, TrackDefaults>()
  for (const trex of childOf(moov, 'mvex')?.children.filter(({ type }) => type === 'trex') ?? []) {
    const view = viewOf(trex.body)
    const [id, , duration, size, flags] = [4, 8, 12, 16, 20].map((at) => view.getUint32(at)) as [
      number,
      number,
      number,
      number,
      number,
    ]
    defaults.set(id, { duration, size, flags })
  }
  return defaults
}

/** Follows the fragments of a file and adds their samples to those of the tracks. */
export class FragmentReader {
  readonly #samples: ReadonlyMap<number, SampleList>
  readonly #defaults: ReadonlyMap<number, TrackDefaults>
  readonly #allowGaps: boolean
  readonly #report: Mp4Report
  #sequence = -1

  constructor(
    samples: ReadonlyMap<number, SampleList>,
    defaults: ReadonlyMap<number, TrackDefaults>,
    allowGaps: boolean,
    report: Mp4Report,
  ) {
    this.#samples = samples
    this.#defaults = defaults
    this.#allowGaps = allowGaps
    this.#report = report
  }

  add(moof: LoadedBox): void {
    const mfhd = theChild(moof, 'mfhd', this.#report)
    if (mfhd !== undefined) {
      const sequence = viewOf(mfhd.body).getUint32(4)
      if (sequence <= this.#sequence) {
        const message = `sequence number ${sequence} after ${this.#sequence}`
        this.#report('fragment-sequence', message, { offset: moof.offset })
      }
      this.#sequence = sequence
    }
    for (const traf of moof.children) if (traf.type === 'traf') this.#traf(traf, moof)
  }

  /** ISO/IEC 14496-12 §8.8.6 to §8.8.8. */
  #traf(traf: LoadedBox, moof: LoadedBox): void {
    const tfhd = theChild(traf, 'tfhd', this.#report)
    if (tfhd === undefined) return
    const header = readTfhd(tfhd.body)
    const place = { offset: traf.offset, trackId: header.trackId }
    const samples = this.#samples.get(header.trackId)
    const trex = this.#defaults.get(header.trackId)
    if (samples === undefined || trex === undefined) {
      this.#report('fragment-header', `the fragment is of track ${header.trackId}, which has no trak or trex`, place)
      return
    }
    const tfdt = childOf(traf, 'tfdt')
    const end = samples.endDts
    let dts = end
    if (tfdt === undefined) this.#report('fragment-header', 'the fragment has no tfdt', place)
    else {
      const view = viewOf(tfdt.body)
      dts = tfdt.body[0] === 1 ? Number(view.getBigUint64(4)) : view.getUint32(4)
      if (samples.length > 0 && (dts < end || (dts > end && !this.#allowGaps))) {
        this.#report('fragment-time', `it starts at ${dts}, the one before ends at ${end}`, place)
      }
    }
    let offset = header.baseDataOffset ?? moof.offset
    for (const trun of traf.children.filter(({ type }) => type === 'trun')) {
      const next = readTrun(
        trun.body,
        { ...trex, ...header.defaults },
        header.baseDataOffset ?? moof.offset,
        offset,
        dts,
        samples,
      )
      offset = next.offset
      dts = next.dts
    }
  }
}

function readTfhd(body: Uint8Array): {
  trackId: number
  baseDataOffset: number | undefined
  defaults: Partial<TrackDefaults>
} {
  const view = viewOf(body)
  const flags = view.getUint32(0) & 0xffffff
  let at = 8
  let baseDataOffset: number | undefined
  if ((flags & 1) !== 0) {
    baseDataOffset = Number(view.getBigUint64(at))
    at += 8
  }
  if ((flags & 2) !== 0) at += 4
  const defaults: { duration?: number; size?: number; flags?: number } = {}
  for (const [bit, name] of [
    [8, 'duration'],
    [16, 'size'],
    [32, 'flags'],
  ] as const) {
    if ((flags & bit) === 0) continue
    defaults[name] = view.getUint32(at)
    at += 4
  }
  return { trackId: view.getUint32(4), baseDataOffset, defaults }
}

/** sample_is_non_sync_sample (§8.8.3.1). */
const NON_SYNC = 0x10000

function readTrun(
  body: Uint8Array,
  defaults: TrackDefaults,
  base: number,
  continued: number,
  startDts: number,
  samples: SampleList,
): { offset: number; dts: number } {
  const view = viewOf(body)
  const flags = view.getUint32(0) & 0xffffff
  const count = view.getUint32(4)
  let at = 8
  const take = (bit: number): number | undefined => {
    if ((flags & bit) === 0) return undefined
    at += 4
    return view.getUint32(at - 4)
  }
  const dataOffset = take(1)
  let offset = dataOffset === undefined ? continued : base + (dataOffset | 0)
  const firstFlags = take(4)
  let dts = startDts
  for (let i = 0; i < count; i++) {
    const duration = take(0x100) ?? defaults.duration
    const size = take(0x200) ?? defaults.size
    const sampleFlags = take(0x400) ?? (i === 0 ? firstFlags : undefined) ?? defaults.flags
    const compositionOffset = (take(0x800) ?? 0) | 0
    samples.add({ offset, size, dts, duration, compositionOffset, sync: (sampleFlags & NON_SYNC) === 0 })
    offset += size
    dts += duration
  }
  return { offset, dts }
}
