import { type Finding, FindingList, type Report } from '../finding.js'
import { type Box, childOf, type LoadedBox, loadBox, readTopLevelBoxes, theChild } from './boxes.js'
import { type ByteSource, openByteSource } from './byte-source.js'
import { checkSamples } from './check-samples.js'
import { FragmentReader, readTrackDefaults } from './fragments.js'
import type { Mp4Rule } from './rules.js'
import { readSampleTables } from './sample-tables.js'
import type { SampleList } from './samples.js'
import { checkMovieDuration, checkTimes } from './timing.js'
import { type Mp4Track, readDurationHeader, readTrack } from './track.js'

/** How strictly. */
export interface Mp4Options {
  /** moov must come before mdat. @defaultValue true */
  readonly fastStart?: boolean
  /** A fragment may start later than the one before ends. @defaultValue false */
  readonly allowFragmentGaps?: boolean
  /** Read every sample and look into it. @defaultValue true */
  readonly samples?: boolean
  /** Findings kept before the rest is only counted. @defaultValue 1000 */
  readonly maxFindings?: number
}

/**
 * Checks an MP4 file, fragmented or not, with H.264, AAC and Opus, against ISO/IEC 14496-12, -14, -15 and the Opus
 * mapping. A file is read by ranges: memory holds its moov, 60 bytes a sample, and one sample. A broken file gives
 * findings; only reading the file itself can fail.
 */
export async function checkMp4(input: Uint8Array | string, options: Mp4Options = {}): Promise<Finding[]> {
  const findings = new FindingList<Mp4Rule>(options.maxFindings)
  const source = await openByteSource(input)
  try {
    await new Mp4Checker(source, options, findings.report).check()
  } catch (error) {
    // A number read past the end of a box: the box is shorter than what it says of itself.
    if (!(error instanceof RangeError)) throw error
    findings.report('box-size', `a box ends inside a field: ${error.message}`)
  } finally {
    await source.close()
  }
  return findings.finish()
}

class Mp4Checker {
  readonly #source: ByteSource
  readonly #options: Mp4Options
  readonly #report: Report<Mp4Rule>

  constructor(source: ByteSource, options: Mp4Options, report: Report<Mp4Rule>) {
    this.#source = source
    this.#options = options
    this.#report = report
  }

  async check(): Promise<void> {
    const boxes = await readTopLevelBoxes(this.#source, this.#report)
    const moovBox = this.#checkOrder(boxes)
    if (moovBox === undefined) return
    const moov = await loadBox(this.#source, moovBox, this.#report)
    const tracks = moov.children.flatMap((box) => {
      const track = box.type === 'trak' ? readTrack(box, this.#report) : undefined
      return track === undefined ? [] : [track]
    })
    const mvhd = theChild(moov, 'mvhd', this.#report)
    if (mvhd === undefined) return
    const movie = readDurationHeader(mvhd.body, 'mvhd')
    this.#checkTrackHeaders(tracks, mvhd)
    const fragmented = childOf(moov, 'mvex') !== undefined
    const samples = new Map(tracks.map((track) => [track.id, readSampleTables(track, this.#report)]))
    if (fragmented) await this.#readFragments(boxes, moov, tracks, samples)
    for (const track of tracks) {
      checkTimes(track, samples.get(track.id) as SampleList, movie.timescale, fragmented, this.#report)
    }
    if (!fragmented) checkMovieDuration(movie.duration, tracks, this.#report)
    this.#checkRanges(boxes, samples)
    if (this.#options.samples === false) return
    for (const track of tracks) {
      await checkSamples(this.#source, track, samples.get(track.id) as SampleList, this.#report)
    }
  }

  #checkOrder(boxes: readonly Box[]): Box | undefined {
    const report = this.#report
    if (boxes[0]?.type !== 'ftyp') report('file-type', `the file starts with ${boxes[0]?.type ?? 'nothing'}, not ftyp`)
    const moov = boxes.filter(({ type }) => type === 'moov')
    if (moov.length !== 1) report('box-missing', `the file has ${moov.length} boxes moov, expected 1`)
    const firstMdat = boxes.findIndex(({ type }) => type === 'mdat')
    if (firstMdat < 0) report('box-missing', 'the file has no mdat')
    const moovAt = boxes.findIndex(({ type }) => type === 'moov')
    if (this.#options.fastStart !== false && firstMdat >= 0 && moovAt > firstMdat) {
      report('fast-start', 'moov comes after mdat', { offset: boxes[moovAt]?.offset ?? 0 })
    }
    return moov[0]
  }

  #checkTrackHeaders(tracks: readonly Mp4Track[], mvhd: LoadedBox): void {
    const { body } = mvhd
    const nextTrackId = new DataView(body.buffer, body.byteOffset + body.byteLength - 4, 4).getUint32(0)
    const seen = new Set<number>()
    if (tracks.length === 0) this.#report('box-missing', 'moov has no trak')
    for (const { id, handler, entry, offset } of tracks) {
      const bad = (message: string): void => this.#report('track-header', message, { trackId: id, offset })
      if (id === 0 || seen.has(id)) bad(`track id ${id} is ${id === 0 ? 'not allowed' : 'there twice'}`)
      if (id >= nextTrackId) bad(`track id ${id}, though next_track_ID is ${nextTrackId}`)
      seen.add(id)
      const expected = entry?.codec === 'h264' ? 'vide' : entry?.codec === 'other' ? handler : 'soun'
      if (entry !== undefined && handler !== expected) bad(`handler ${handler} with sample entry ${entry.format}`)
    }
  }

  async #readFragments(
    boxes: readonly Box[],
    moov: LoadedBox,
    tracks: readonly Mp4Track[],
    samples: ReadonlyMap<number, SampleList>,
  ): Promise<void> {
    const defaults = readTrackDefaults(moov)
    for (const { id, offset } of tracks) {
      if (!defaults.has(id)) this.#report('fragment-header', 'the track has no trex', { trackId: id, offset })
    }
    const reader = new FragmentReader(samples, defaults, this.#options.allowFragmentGaps === true, this.#report)
    for (const box of boxes) if (box.type === 'moof') reader.add(await loadBox(this.#source, box, this.#report))
  }

  /** Every sample in an mdat, no two over each other: samples of all tracks by their place in the file. */
  #checkRanges(boxes: readonly Box[], samples: ReadonlyMap<number, SampleList>): void {
    const total = [...samples.values()].reduce((sum, list) => sum + list.length, 0)
    const starts = new Float64Array(total)
    const ends = new Float64Array(total)
    const trackIds = new Uint32Array(total)
    let count = 0
    for (const [trackId, list] of samples) {
      for (let i = 0; i < list.length; i++) {
        starts[count] = list.offsets[i] as number
        ends[count] = (list.offsets[i] as number) + (list.sizes[i] as number)
        trackIds[count++] = trackId
      }
    }
    const order = new Uint32Array(total).map((_, i) => i).sort((a, b) => (starts[a] as number) - (starts[b] as number))
    const mdats = boxes.filter(({ type }) => type === 'mdat')
    let mdat = 0
    let lastEnd = 0
    for (const index of order) {
      const [start, end] = [starts[index] as number, ends[index] as number]
      const place = { trackId: trackIds[index] as number, offset: start }
      while (mdat + 1 < mdats.length && (mdats[mdat + 1] as Box).offset <= start) mdat++
      const box = mdats[mdat]
      if (box === undefined || start < box.offset + box.headerBytes || end > box.offset + box.size) {
        this.#report('sample-range', `a sample of ${end - start} bytes is not in an mdat`, place)
      }
      if (start < lastEnd)
        this.#report('sample-range', `a sample starts inside the one before, ${lastEnd - start} bytes`, place)
      lastEnd = Math.max(lastEnd, end)
    }
  }
}
