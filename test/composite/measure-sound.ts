import { readBeeps } from '@rushes/testkit/card'
import { type Spread, spreadOf } from '../conformance/statistics.js'
import { seconds } from './composite-manifest.js'
import {
  clippedSamples,
  type DecodedSound,
  decibels,
  decodeSound,
  distortionDb,
  peakBetween,
} from './composite-sound.js'
import type { SentParticipant } from './sent-call.js'

/** The sound of a composite held against all that was sent. */
export interface SoundMeasure {
  readonly participants: readonly ParticipantSound[]
  readonly holes: number
  /** dBFS. */
  readonly peakDb: number
  readonly clippedSamples: number
  /** Times in which nobody can be heard, and the loudest of them. */
  readonly silences: number
  readonly loudestSilenceDb: number
  /** Of beeps at the same time: what is not theirs against what is. */
  readonly distortionDb: number
  readonly faults: readonly string[]
}

export interface ParticipantSound {
  readonly participantId: string
  readonly beepsSent: number
  readonly beepsHeard: number
  /** Heard less sent. */
  readonly beepMs: Spread
  /** Of beeps that do not reach the ceiling together. */
  readonly levelDb: Spread
  /** Recording time. */
  readonly beepsUs: readonly number[]
}

/** Sums that stay below this are not touched by a limiter: -1 dBFS, and what coding adds. */
const CEILING = 0.85
/** The sides of a silence, where what was heard before dies away. */
const SILENCE_MARGIN_US = 40_000

export async function measureSound(
  path: string,
  zeroUs: number,
  sent: readonly SentParticipant[],
  gainsDb: Readonly<Record<string, number>> = {},
): Promise<SoundMeasure> {
  const faults: string[] = []
  const sound = await decodeSound(path)
  const gainOf = (id: string): number => 10 ** ((gainsDb[id] ?? 0) / 20)
  const sumAt = (atUs: number): number =>
    sent.reduce((sum, { id, beeps }) => {
      const level = beeps.find((beep) => Math.abs(beep.atUs - atUs) < 110_000)?.level
      return sum + (level === undefined ? 0 : level * gainOf(id))
    }, 0)
  const participants: ParticipantSound[] = []
  for (const { id, toneHz, beeps } of sent) {
    const heard = (await readBeeps(path, { toneHz })).map((beep) => ({ ...beep, atUs: beep.atUs + zeroUs }))
    const times: number[] = []
    const levels: number[] = []
    for (const beep of beeps) {
      if (beep.damaged) continue
      const found = heard.find(({ atUs }) => Math.abs(atUs - beep.atUs) < 150_000)
      if (found === undefined) {
        faults.push(`${id}: the beep at ${seconds(beep.atUs)} is not heard`)
        continue
      }
      times.push((found.atUs - beep.atUs) / 1000)
      const wanted = beep.level * gainOf(id)
      const sum = sumAt(beep.atUs)
      const changeDb = decibels(found.level / wanted)
      if (sum < CEILING) levels.push(changeDb)
      else if (changeDb > 1 || changeDb < decibels(CEILING / sum) - 3) {
        faults.push(
          `${id}: of ${sum.toFixed(2)} together the beep at ${seconds(beep.atUs)} is ${changeDb.toFixed(1)} dB off`,
        )
      }
    }
    participants.push({
      participantId: id,
      beepsSent: beeps.length,
      beepsHeard: heard.length,
      beepMs: spreadOf(times),
      levelDb: spreadOf(levels),
      beepsUs: heard.map(({ atUs }) => atUs),
    })
  }
  const silences = commonSilences(sent, sound, zeroUs).map(([from, to]) =>
    peakBetween(sound, from - zeroUs, to - zeroUs),
  )
  return {
    participants,
    holes: sound.holes,
    peakDb: decibels(sound.samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)),
    clippedSamples: clippedSamples(sound),
    silences: silences.length,
    loudestSilenceDb: silences.length === 0 ? Number.NEGATIVE_INFINITY : decibels(Math.max(...silences)),
    distortionDb: worstDistortionDb(sent, sound, zeroUs),
    faults,
  }
}

/** When nobody sent any sound. */
function commonSilences(sent: readonly SentParticipant[], sound: DecodedSound, zeroUs: number): [number, number][] {
  const startUs = sound.startUs + zeroUs
  const endUs = startUs + (sound.samples.length / sound.channels / 48_000) * 1e6
  let common: [number, number][] = [[startUs, endUs]]
  for (const { soundUs, soundGapsUs } of sent) {
    const gaps = [[startUs, soundUs[0]], ...soundGapsUs, [soundUs[1], endUs]] as [number, number][]
    common = common.flatMap(([from, to]) =>
      gaps.map(([a, b]): [number, number] => [Math.max(from, a), Math.min(to, b)]).filter(([a, b]) => b > a),
    )
  }
  return common
    .map(([from, to]): [number, number] => [from + SILENCE_MARGIN_US, to - SILENCE_MARGIN_US])
    .filter(([from, to]) => to - from > 20_000)
}

function worstDistortionDb(sent: readonly SentParticipant[], sound: DecodedSound, zeroUs: number): number {
  const tonesHz = sent.map(({ toneHz }) => toneHz)
  const all = (sent[0]?.beeps ?? []).map(({ atUs }) =>
    distortionDb(sound, atUs + 25_000 - zeroUs, atUs + 85_000 - zeroUs, tonesHz),
  )
  return Math.max(...all.filter((value) => !Number.isNaN(value)))
}
