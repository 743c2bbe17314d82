import type { ReferenceFrame } from '@rushes/testkit/card'
import { type Spread, spreadOf } from '../conformance/statistics.js'
import { seconds } from './composite-manifest.js'
import type { CompositePicture, TileReading } from './read-composite.js'

type SentFrame = ReferenceFrame & { readonly atUs: number }

/** What of a participant the judge goes by. */
export interface SentPictures {
  readonly id: string
  readonly cardId: number
  /** In order of their time. Where the camera is off their counter is undefined. */
  readonly frames: readonly SentFrame[]
}

/** One participant's tiles over a whole composite. */
export interface TileMeasure {
  readonly participantId: string
  /** Tiles with a picture, and how many of them were read. */
  readonly tiles: number
  readonly read: number
  /** Tiles that show too little of the picture to read its counter. */
  readonly cutOff: number
  /** Pictures of the source between the one that is shown and the one nearest in time: positive where it is late. */
  readonly lagFrames: Spread
  /** The shown picture's own time less the time at which it is shown, in milliseconds. */
  readonly pictureMs: Spread
  /** Tiles whose picture is just the nearest one. */
  readonly exact: number
  readonly faults: readonly string[]
}

/** What else a judge of tiles goes by. Recording time. */
export interface TileJudgement {
  readonly frameUs: number
  /** So long the last picture stands where none follows. */
  readonly holdUs: number
  /** Around these what is shown may be from before or after them. */
  readonly changesUs: readonly number[]
  /** From when to when the camera was off. */
  readonly offUs: readonly (readonly [number, number])[]
}

/** The judge looks so far for the picture that is shown, to say how late it is. */
const SEARCH_FRAMES = 60

/** Holds the tiles of one participant against what was sent. */
export function measureTiles(
  pictures: readonly CompositePicture[],
  sent: SentPictures,
  { frameUs, holdUs, changesUs, offUs }: TileJudgement,
): TileMeasure {
  const faults: string[] = []
  const lags: number[] = []
  const times: number[] = []
  let tiles = 0
  let read = 0
  let exact = 0
  let cutOff = 0
  const isNearChange = (atUs: number): boolean => changesUs.some((change) => Math.abs(change - atUs) <= 1.5 * frameUs)
  const hasPicture = (atUs: number): boolean =>
    !offUs.some(([from, to]) => from <= atUs + frameUs && atUs - frameUs <= to) &&
    sent.frames.some((frame) => frame.atUs <= atUs && frame.atUs > atUs - holdUs + frameUs)
  for (const picture of pictures) {
    for (const reading of picture.tiles) {
      if (reading.tile.participantId !== sent.id) continue
      if (reading.cutOff && !reading.tile.placeholder) {
        cutOff++
        continue
      }
      const fault = (what: string): void => {
        faults.push(`${sent.id} at ${seconds(picture.atUs)}: ${what}`)
      }
      if (reading.tile.placeholder) {
        // What a placeholder covers may shine through while it changes.
        if (reading.cardId !== undefined && !isNearChange(picture.atUs))
          fault(`a placeholder shows card ${reading.cardId}`)
        if (hasPicture(picture.atUs) && !isNearChange(picture.atUs)) fault('a placeholder, though there is a picture')
        continue
      }
      tiles++
      const nearest = nearestIndex(sent.frames, picture.atUs)
      const shown = shownIndex(sent, nearest, reading)
      if (shown === undefined) {
        if (isNearChange(picture.atUs)) continue
        if (reading.cardId === undefined) fault('no card can be read')
        else if (reading.cardId !== sent.cardId) fault(`card ${reading.cardId} instead of ${sent.cardId}`)
        else fault(`counter ${reading.counter}, nearest is ${sent.frames[nearest]?.counter}`)
        continue
      }
      read++
      const frame = sent.frames[shown] as SentFrame
      if (frame.counter === undefined) continue
      lags.push(nearest - shown)
      times.push((frame.atUs - picture.atUs) / 1000)
      // Where the source makes a long pause, how early the next picture may be shown is a matter of taste.
      if (nearest === shown || isBesidePause(sent.frames, nearest)) exact++
      const earliest = earliestUs(sent.frames, shown, frameUs)
      if (Math.abs(nearest - shown) > 1) fault(`counter ${reading.counter} is ${nearest - shown} frames late`)
      else if (picture.atUs < earliest)
        fault(`counter ${reading.counter} is shown ${seconds(frame.atUs - picture.atUs)} early`)
    }
  }
  return {
    participantId: sent.id,
    tiles,
    read,
    cutOff,
    lagFrames: spreadOf(lags),
    pictureMs: spreadOf(times),
    exact,
    faults,
  }
}

/** A picture is not shown earlier than this before its time, however far away the one before is. */
const MAX_LEAD_US = 100_000

/** The index of the frame whose time is nearest; of two the earlier. */
function nearestIndex(frames: readonly { readonly atUs: number }[], atUs: number): number {
  let low = 0
  let high = frames.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((frames[middle] as { atUs: number }).atUs <= atUs) low = middle + 1
    else high = middle
  }
  const before = frames[low - 1]
  const after = frames[low]
  if (before === undefined) return 0
  if (after === undefined || after.atUs - atUs > MAX_LEAD_US) return low - 1
  return after.atUs - atUs < atUs - before.atUs ? low : low - 1
}

/** Which of the frames a tile shows: of those around the nearest one. */
function shownIndex(sent: SentPictures, nearest: number, reading: TileReading): number | undefined {
  for (let away = 0; away <= SEARCH_FRAMES; away++) {
    for (const index of away === 0 ? [nearest] : [nearest - away, nearest + away]) {
      const frame = sent.frames[index]
      if (frame === undefined) continue
      // A black picture has no card; only next to the nearest, since any of them looks the same.
      if (frame.counter === undefined) {
        if (away <= 1 && reading.cardId === undefined) return index
      } else if (frame.counter === reading.counter && reading.cardId === sent.cardId) return index
    }
  }
  return undefined
}

function isBesidePause(frames: readonly SentFrame[], index: number): boolean {
  const at = (i: number): number => frames[i]?.atUs ?? Number.NaN
  return at(index) - at(index - 1) > 450_000 || at(index + 1) - at(index) > 450_000
}

function earliestUs(frames: readonly SentFrame[], index: number, frameUs: number): number {
  const frame = frames[index] as SentFrame
  const before = frames[index - 1]
  const half = before === undefined ? 0 : (frame.atUs - before.atUs) / 2
  return frame.atUs - 1.5 * frameUs - Math.min(half, MAX_LEAD_US)
}
