import { type Spread, spreadOf } from '../conformance/statistics.js'
import { type CompositeManifest, type CompositeOutput, layoutFindings } from './composite-manifest.js'
import { compositeFlashes, syncDifferences } from './composite-sync.js'
import { measureTiles, type TileMeasure } from './measure-pictures.js'
import { camerasOff, placeholderFaults, presenceFaults, staysOf } from './measure-presence.js'
import { measureSound, type SoundMeasure } from './measure-sound.js'
import { type CompositePicture, readComposite, zeroUsOf } from './read-composite.js'
import type { SentCall } from './sent-call.js'

/** How a composite was made, as far as the judge must know. */
export interface JudgeOptions {
  readonly fps: number
  /** The layout has a place for everyone. @defaultValue true */
  readonly everyoneShown?: boolean
  /** How long the last picture of a camera that sends nothing may stand. @defaultValue 1,500,000 */
  readonly holdUs?: number
  readonly gainsDb?: Readonly<Record<string, number>>
  /** Where live composites have started; tiles before it are not judged. Recording time. @defaultValue 0 */
  readonly fromUs?: number
  /**
   * How many of the pictures must be just the nearest ones, and not one beside it. Where every sender report is known
   * only two that are as near as each other may be exchanged. @defaultValue 0.99
   */
  readonly exactShare?: number
}

/** A composite held against what was sent. */
export interface CompositeMeasure {
  readonly pictures: number
  readonly exactShare: number
  /** Pictures between which more or less than 1 / fps lies, or which do not lie at n / fps of recording time. */
  readonly offRaster: number
  readonly layoutFindings: readonly string[]
  readonly presenceFaults: readonly string[]
  readonly placeholderFaults: readonly string[]
  readonly tiles: readonly TileMeasure[]
  /** The most uneven picture outside of all tiles, in levels of brightness. */
  readonly outside: number
  /** Beep less flash, composite less take, for each participant. */
  readonly syncMs: Readonly<Record<string, Spread>>
  /** The same for the first and the last third. */
  readonly syncStartMs: Readonly<Record<string, Spread>>
  readonly syncEndMs: Readonly<Record<string, Spread>>
  /** Pictures of the composite between the flashes of two participants, less what lay between them in the take. */
  readonly flashFrames: Spread
  readonly sound: SoundMeasure
}

/** Reads a composite completely, and measures it against the take. */
export async function measureComposite(
  path: string,
  manifest: CompositeManifest,
  output: CompositeOutput,
  call: SentCall,
  options: JudgeOptions,
): Promise<CompositeMeasure> {
  const { fps, everyoneShown = true, holdUs = 1_500_000, fromUs = 0 } = options
  const frameUs = 1e6 / fps
  const { session, participants } = call
  const all = await readComposite(path, output, manifest.layouts)
  const pictures = all.filter(({ atUs }) => atUs >= fromUs)
  const endUs = output.startUs + output.durationUs
  const sound = await measureSound(path, await zeroUsOf(path, output), participants, options.gainsDb)
  const layouts = manifest.layouts
    .filter((span) => span.endUs > fromUs)
    .map((span) => ({ ...span, startUs: Math.max(span.startUs, fromUs) }))
  const syncs = participants.map((sent) => {
    const beepsUs = sound.participants.find(({ participantId }) => participantId === sent.id)?.beepsUs ?? []
    const sync = syncDifferences(sent, compositeFlashes(pictures, sent.id), beepsUs)
    return { id: sent.id, sync, third: Math.ceil(sync.length / 3) }
  })
  const spreads = (choose: (sync: number[], third: number) => number[]): Record<string, Spread> =>
    Object.fromEntries(syncs.map(({ id, sync, third }) => [id, spreadOf(choose(sync, third))]))
  return {
    pictures: all.length,
    exactShare: options.exactShare ?? 0.99,
    offRaster: all.filter(
      ({ atUs }, i) =>
        Math.abs(atUs - Math.round(atUs / frameUs) * frameUs) > 600 ||
        (i > 0 && Math.abs(atUs - (all[i - 1] as CompositePicture).atUs - frameUs) > 600),
    ).length,
    layoutFindings: layoutFindings(manifest.layouts, all[0]?.atUs ?? output.startUs, endUs),
    presenceFaults: everyoneShown
      ? presenceFaults(layouts, session, frameUs, Math.max(fromUs, output.startUs), endUs)
      : [],
    placeholderFaults: everyoneShown ? placeholderFaults(layouts, session, frameUs, holdUs) : [],
    tiles: participants.map((sent) => {
      const offUs = camerasOff(session)
        .filter(({ participantId }) => participantId === sent.id)
        .map((off) => [off.fromUs, off.toUs] as const)
      const changesUs = [
        ...offUs.flat(),
        ...staysOf(session, sent.id).flatMap((stay) => [...stay.fromUs, ...stay.toUs]),
      ]
      return measureTiles(pictures, sent, { frameUs, holdUs, changesUs, offUs })
    }),
    outside: Math.max(0, ...pictures.map((picture) => picture.outside)),
    syncMs: spreads((sync) => sync),
    syncStartMs: spreads((sync, third) => sync.slice(0, third)),
    syncEndMs: spreads((sync, third) => sync.slice(-third)),
    flashFrames: spreadOf(flashDistances(pictures, call, frameUs)),
    sound,
  }
}

/** Limits. */
const SYNC_MEDIAN_MS = 20
const SYNC_WORST_MS = 40
const LEVEL_DB = 1
const SILENCE_DB = -60
/** A quick limiter has -30 where three tones begin at once; clipping -17. */
const DISTORTION_DB = -25
/** Levels of brightness that coding makes of a flat ground beside a busy tile. */
const OUTSIDE_LEVELS = 24
/** What of a composite is not as it must be; empty is well. */
export function compositeComplaints(measure: CompositeMeasure): string[] {
  const complaints: string[] = [
    ...firstOf(measure.layoutFindings),
    ...firstOf(measure.presenceFaults),
    ...firstOf(measure.placeholderFaults),
  ]
  const expect = (holds: boolean, what: string): void => {
    if (!holds) complaints.push(what)
  }
  expect(measure.pictures > 0, 'there are no pictures')
  expect(measure.offRaster === 0, `${measure.offRaster} pictures are not at n / fps of recording time`)
  expect(measure.outside <= OUTSIDE_LEVELS, `outside of the tiles brightness differs by ${measure.outside}`)
  for (const tile of measure.tiles) {
    const who = tile.participantId
    complaints.push(...firstOf(tile.faults))
    expect(tile.tiles + tile.cutOff > 0, `${who} is never shown`)
    expect(!(Math.abs(tile.lagFrames.median) > 0), `${who}: in the median ${tile.lagFrames.median} frames late`)
    expect(
      tile.lagFrames.count === 0 || tile.exact >= measure.exactShare * tile.lagFrames.count,
      `${who}: only ${tile.exact} of ${tile.lagFrames.count} pictures are the nearest ones`,
    )
    for (const [when, spread] of [
      ['', measure.syncMs[who]],
      [' at the start', measure.syncStartMs[who]],
      [' at the end', measure.syncEndMs[who]],
    ] as const) {
      expect(spread !== undefined && spread.count > 0, `${who}: no second with flash and beep${when}`)
      if (spread === undefined || spread.count === 0) continue
      within(`${who}: sync${when}, median`, spread.median, SYNC_MEDIAN_MS, 'ms')
      within(`${who}: sync${when}, worst`, spread.worst, SYNC_WORST_MS, 'ms')
    }
  }
  if (measure.flashFrames.count > 0) within('flashes of two participants', measure.flashFrames.worst, 1.01, 'frames')
  const { sound } = measure
  complaints.push(...firstOf(sound.faults))
  for (const heard of sound.participants) {
    if (heard.beepMs.count > 0) {
      within(`${heard.participantId}: beeps, median`, heard.beepMs.median, SYNC_MEDIAN_MS, 'ms')
      within(`${heard.participantId}: beeps, worst`, heard.beepMs.worst, SYNC_WORST_MS, 'ms')
    }
    if (heard.levelDb.count > 0) within(`${heard.participantId}: level`, heard.levelDb.worst, LEVEL_DB, 'dB')
  }
  expect(sound.holes === 0, `${sound.holes} holes in the sound`)
  expect(sound.clippedSamples === 0, `${sound.clippedSamples} samples at full scale`)
  expect(sound.loudestSilenceDb < SILENCE_DB, `a silence of ${sound.loudestSilenceDb.toFixed(1)} dBFS`)
  expect(!(sound.distortionDb > DISTORTION_DB), `distortion of ${sound.distortionDb.toFixed(1)} dB`)
  return complaints

  function within(what: string, value: number, limit: number, unit: string): void {
    if (!(Math.abs(value) <= limit)) complaints.push(`${what}: ${value.toFixed(2)} ${unit}, allowed ${limit}`)
  }
}

/** How many pictures lie between the flashes of two participants, less what lay between them in the take. */
function flashDistances(pictures: readonly CompositePicture[], call: SentCall, frameUs: number): number[] {
  const [first, ...others] = call.participants
    .map((sent) => ({ sent, flashes: compositeFlashes(pictures, sent.id) }))
    .filter(({ flashes }) => flashes.length > 0)
  if (first === undefined) return []
  return others.flatMap((other) =>
    other.flashes.flatMap((flash) => {
      const own = first.flashes.find(({ atUs }) => Math.abs(atUs - flash.atUs) < 200_000)
      const sentAt = (of: typeof first, atUs: number): number | undefined =>
        of.sent.flashStartsUs.find((at) => Math.abs(at - atUs) < 200_000)
      if (own === undefined) return []
      const [a, b] = [sentAt(other, flash.atUs), sentAt(first, own.atUs)]
      if (a === undefined || b === undefined) return []
      const late = (one: typeof flash): number => Math.round(one.sinceFlashUs / frameUs)
      // Flashes less than a picture apart in the take are on the same one.
      return [flash.index - late(flash) - (own.index - late(own)) - Math.trunc((a - b) / frameUs)]
    }),
  )
}

function firstOf(faults: readonly string[]): string[] {
  return faults.length <= 4 ? [...faults] : [...faults.slice(0, 4), `and ${faults.length - 4} more like these`]
}
