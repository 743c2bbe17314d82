import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManifestOutput } from '@rushes/render'
import { flashTimes, measureSilence, readBeeps, readVideoCards } from '@rushes/testkit/card'
import { copyWithFfmpeg, decodeWithFfmpeg, packetTimesUs, streamsOf } from './ffmpeg.js'
import { offsetsUs, type ParticipantReference } from './participant-reference.js'
import { sizesInOrder } from './sizes.js'
import { type Spread, spreadOf } from './statistics.js'

/** One output held against what its participant sent. Differences are output less reference, in milliseconds. */
export interface OutputMeasure {
  readonly participantId: string
  readonly container: string
  readonly streams: readonly string[]
  /** Lines that a full decode with `-v error` printed. */
  readonly decodeComplaints: readonly string[]
  /** Lines that the copy with `-v warning` printed; HLS only. */
  readonly copyComplaints: readonly string[]
  readonly copyCode: number
  readonly framesSent: number
  readonly framesInOutput: number
  /** Counters that are in one list and not, or not there, in the other. */
  readonly counterMismatches: number
  /** Where pictures lie on the common clock. */
  readonly pictureMs: Spread
  /** Beep less flash, output less take. */
  readonly syncMs: Spread
  /** The same for the first and last third of the seconds. */
  readonly syncStartMs: Spread
  readonly syncEndMs: Spread
  /** Where beeps lie on the common clock. */
  readonly beepMs: Spread
  readonly soundStartMs: number
  readonly soundEndMs: number
  /** Stretches without samples between the first and the last. */
  readonly soundHoles: number
  /** Of the gaps in what was sent: how many are silent in the output from end to end (30 ms at each end aside). */
  readonly gapsSent: number
  readonly gapsSilent: number
  /** Of the losses of sound: how many are concealed, which is to say not silent from end to end. */
  readonly lossesOfSound: number
  readonly lossesConcealed: number
  /** Of a playlist that claims independent segments: how many there are, and how many do not decode alone. */
  readonly independentSegments: number
  readonly dependentSegments: readonly string[]
  readonly sizesSent: readonly string[]
  readonly sizes: readonly string[]
}

/** Reads an output completely with tools of others. `path`: of the playlist or file. */
export async function measureOutput(
  path: string,
  output: ManifestOutput,
  sent: ParticipantReference,
  scratch: string,
): Promise<OutputMeasure> {
  const streams = await streamsOf(path)
  const copy = output.container === 'hls' ? await copyWithFfmpeg(path, `${scratch}/copy.mp4`) : undefined
  const decode = await decodeWithFfmpeg(path)
  const cards = await readVideoCards(path)
  const beeps = await readBeeps(path, { toneHz: sent.toneHz })
  const sound = await measureSilence(path, { minimumUs: 10_000 })
  // Media time zero of an MP4 is at startUs; of HLS the earliest presentation time is.
  const zeroUs = output.container === 'mp4' ? 0 : await earliestUs(path)
  const onClock = (mediaUs: number): number => mediaUs - zeroUs + output.startUs

  const framesUs = cards.map((card) => onClock(card.ptsUs))
  const flashesUs = flashTimes(cards.map((card, i) => ({ ...card, atUs: framesUs[i] as number }))).map(
    (card) => card.atUs,
  )
  const beepsUs = beeps.map((beep) => onClock(beep.atUs))
  const sync = compareOffsets(offsetsUs(sent.flashesUs, sent.beepsUs), offsetsUs(flashesUs, beepsUs))
  const third = Math.ceil(sync.length / 3)
  const silences = sound.silences.map(({ startUs, endUs }) => [onClock(startUs), onClock(endUs)] as const)
  return {
    participantId: output.participantId ?? '',
    container: output.container,
    streams,
    decodeComplaints: decode.complaints,
    copyComplaints: copy?.complaints ?? [],
    copyCode: copy?.code ?? 0,
    framesSent: sent.frames.length,
    framesInOutput: cards.length,
    counterMismatches: mismatches(
      sent.frames.map((frame) => frame.counter),
      cards.map((card) => card.counter),
    ),
    pictureMs: spreadOf(framesUs.map((at, i) => (at - (sent.frames[i]?.atUs ?? Number.NaN)) / 1000)),
    syncMs: spreadOf(sync),
    syncStartMs: spreadOf(sync.slice(0, third)),
    syncEndMs: spreadOf(sync.slice(-third)),
    beepMs: spreadOf(
      sent.beepsUs.flatMap((at) => {
        const heard = beepsUs.find((beep) => Math.abs(beep - at) < 100_000)
        return heard === undefined ? [] : [(heard - at) / 1000]
      }),
    ),
    soundStartMs: (onClock(sound.startUs) - sent.soundUs[0]) / 1000,
    soundEndMs: (onClock(sound.endUs) - sent.soundUs[1]) / 1000,
    soundHoles: sound.gaps.length,
    gapsSent: sent.soundGapsUs.length,
    gapsSilent: sent.soundGapsUs.filter(([from, to]) => isSilent(silences, from + 30_000, to - 30_000)).length,
    lossesOfSound: sent.lostSoundUs.length,
    lossesConcealed: sent.lostSoundUs.filter(([from, to]) => !isSilentInside(silences, from, to)).length,
    ...(await decodeAlone(path, output.container)),
    sizesSent: sent.sizes,
    sizes: sizesInOrder(cards),
  }
}

/** Decodes each segment with nothing before it, where the playlist says that this can be done. */
async function decodeAlone(
  path: string,
  container: string,
): Promise<Pick<OutputMeasure, 'independentSegments' | 'dependentSegments'>> {
  if (container !== 'hls') return { independentSegments: 0, dependentSegments: [] }
  const folder = join(path, '..')
  const playlist = await readFile(join(folder, 'media.m3u8'), 'utf8')
  const claims = playlist.includes('#EXT-X-INDEPENDENT-SEGMENTS')
  const segments = claims ? playlist.split('\n').filter((line) => line.endsWith('.ts')) : []
  const dependent: string[] = []
  for (const segment of segments) {
    const { complaints } = await decodeWithFfmpeg(join(folder, segment))
    if (complaints.length > 0) dependent.push(`${segment}: ${complaints[0]}`)
  }
  return { independentSegments: segments.length, dependentSegments: dependent }
}

async function earliestUs(path: string): Promise<number> {
  const first = await Promise.all((['v:0', 'a:0'] as const).map(async (stream) => packetTimesUs(path, stream)))
  return Math.min(...first.flatMap((times) => times.slice(0, 50).map((time) => time.ptsUs)))
}

/** Of the same second, in milliseconds. */
function compareOffsets(sent: ReadonlyMap<number, number>, got: ReadonlyMap<number, number>): number[] {
  const differences: number[] = []
  for (const [at, offset] of sent) {
    for (const [gotAt, gotOffset] of got) {
      if (Math.abs(gotAt - at) < 500_000) differences.push((gotOffset - offset) / 1000)
    }
  }
  return differences
}

/** Lists of the same length are compared place by place; else what is too much or too little counts as well. */
function mismatches(sent: readonly (number | undefined)[], got: readonly (number | undefined)[]): number {
  let count = Math.abs(sent.length - got.length)
  for (let i = 0; i < Math.min(sent.length, got.length); i++) if (sent[i] !== got[i]) count++
  return count
}

/** Its edges aside, which are faded; a single packet of 20 ms has a middle, too. */
function isSilentInside(silences: readonly (readonly [number, number])[], from: number, to: number): boolean {
  const edge = Math.min(15_000, (to - from) / 4)
  return isSilent(silences, from + edge, to - edge)
}

function isSilent(silences: readonly (readonly [number, number])[], from: number, to: number): boolean {
  return to <= from || silences.some(([start, end]) => start <= from && end >= to)
}
