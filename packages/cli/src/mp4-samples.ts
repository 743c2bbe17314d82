import { childBoxes, findBox, type Mp4Box } from './mp4-boxes.js'

/** One sample, times in ticks of the track's timescale. */
export interface Mp4Sample {
  readonly dts: number
  readonly pts: number
  readonly duration: number
  readonly bytes: number
  readonly keyframe: boolean
}

/** The samples that a track's tables list (ISO/IEC 14496-12 §8.6, §8.7). */
export function readTableSamples(stbl: DataView, fileBytes: number): Mp4Sample[] {
  const stsz = findBox(stbl, 'stsz')
  if (stsz === undefined) return []
  const count = stsz.getUint32(8)
  const commonSize = stsz.getUint32(4)
  checkCount(count, commonSize, fileBytes)
  const durations = runsOf(findBox(stbl, 'stts'), (view, at) => view.getUint32(at))
  const offsets = runsOf(findBox(stbl, 'ctts'), (view, at) => view.getInt32(at))
  const stss = findBox(stbl, 'stss')
  const keyframes = stss && new Set(Array.from({ length: stss.getUint32(4) }, (_, i) => stss.getUint32(8 + 4 * i)))
  const samples: Mp4Sample[] = []
  let dts = 0
  for (let index = 0; index < count; index++) {
    const duration = durations.next().value ?? 0
    const bytes = commonSize === 0 ? stsz.getUint32(12 + 4 * index) : commonSize
    const keyframe = keyframes === undefined || keyframes.has(index + 1)
    samples.push({ dts, pts: dts + (offsets.next().value ?? 0), duration, bytes, keyframe })
    dts += duration
  }
  return samples
}

/** A number of samples is believed only as far as the file has room for them: a damaged one may say four billion. */
function checkCount(count: number, sampleBytes: number, fileBytes: number): void {
  if (count * Math.max(1, sampleBytes) > fileBytes) throw new RangeError(`${count} samples do not fit in the file`)
}

function* runsOf(
  box: DataView | undefined,
  read: (view: DataView, at: number) => number,
): Generator<number, undefined, undefined> {
  if (box === undefined) return undefined
  const entries = box.getUint32(4)
  for (let entry = 0; entry < entries; entry++) {
    const count = box.getUint32(8 + 8 * entry)
    const value = read(box, 12 + 8 * entry)
    for (let i = 0; i < count; i++) yield value
  }
  return undefined
}

interface SampleDefaults {
  readonly duration: number
  readonly size: number
  readonly flags: number
}

/** What `trex` says of the samples of each track's fragments (§8.8.3). */
export function readDefaults(moov: DataView): ReadonlyMap<number, SampleDefaults> {
  const mvex = findBox(moov, 'mvex')
  const boxes = mvex === undefined ? [] : childBoxes(mvex).filter(({ type }) => type === 'trex')
  return new Map(
    boxes.map(({ body }) => [
      body.getUint32(4),
      { duration: body.getUint32(12), size: body.getUint32(16), flags: body.getUint32(20) },
    ]),
  )
}

/** sample_is_non_sync_sample (§8.8.3.1). */
const NON_SYNC = 0x10000

/** The samples of one track in a movie fragment (§8.8). */
export function readFragmentSamples(
  moof: Mp4Box,
  trackId: number,
  defaults: ReadonlyMap<number, SampleDefaults>,
  startDts: number,
  fileBytes: number,
): Mp4Sample[] {
  const samples: Mp4Sample[] = []
  for (const { type, body } of childBoxes(moof.body)) {
    const tfhd = type === 'traf' ? findBox(body, 'tfhd') : undefined
    if (tfhd?.getUint32(4) !== trackId) continue
    const base = headerDefaults(tfhd, defaults.get(trackId) ?? { duration: 0, size: 0, flags: 0 })
    const tfdt = findBox(body, 'tfdt')
    let dts = tfdt === undefined ? startDts : tfdt.getUint8(0) === 1 ? Number(tfdt.getBigUint64(4)) : tfdt.getUint32(4)
    for (const run of childBoxes(body)) {
      if (run.type !== 'trun') continue
      checkCount(run.body.getUint32(4), 1, fileBytes)
      for (const sample of readRun(run.body, base)) {
        samples.push({ ...sample, dts, pts: dts + sample.offset })
        dts += sample.duration
      }
    }
  }
  return samples
}

function headerDefaults(tfhd: DataView, trex: SampleDefaults): SampleDefaults {
  const flags = tfhd.getUint32(0) & 0xffffff
  let at = 8 + ((flags & 0x1) === 0 ? 0 : 8) + ((flags & 0x2) === 0 ? 0 : 4)
  const next = (bit: number, otherwise: number): number => {
    if ((flags & bit) === 0) return otherwise
    at += 4
    return tfhd.getUint32(at - 4)
  }
  return { duration: next(0x8, trex.duration), size: next(0x10, trex.size), flags: next(0x20, trex.flags) }
}

function* readRun(
  trun: DataView,
  base: SampleDefaults,
): Generator<{ duration: number; bytes: number; keyframe: boolean; offset: number }, void, undefined> {
  const flags = trun.getUint32(0) & 0xffffff
  const count = trun.getUint32(4)
  let at = 8 + ((flags & 0x1) === 0 ? 0 : 4)
  const firstFlags = (flags & 0x4) === 0 ? undefined : trun.getUint32(at)
  if (firstFlags !== undefined) at += 4
  const next = (bit: number, otherwise: number): number => {
    if ((flags & bit) === 0) return otherwise
    at += 4
    return trun.getUint32(at - 4)
  }
  for (let index = 0; index < count; index++) {
    const duration = next(0x100, base.duration)
    const bytes = next(0x200, base.size)
    const own = next(0x400, base.flags)
    // Signed in version 1, and never so large that it matters in version 0.
    const offset = next(0x800, 0) | 0
    const sampleFlags = index === 0 && firstFlags !== undefined ? firstFlags : own
    yield { duration, bytes, keyframe: (sampleFlags & NON_SYNC) === 0, offset }
  }
}
