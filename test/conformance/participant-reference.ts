import type { ReferenceFrame, TakeReference } from '@rushes/testkit/card'
import { flashTimes } from '@rushes/testkit/card'
import { sizesInOrder } from './sizes.js'

/** What one participant of a take sent, on the take's own clock: microseconds after its start. */
export interface ParticipantReference {
  readonly toneHz: number
  readonly cardId: number
  /** Pictures that arrived whole and can be decoded, in order. */
  readonly frames: readonly (ReferenceFrame & { readonly atUs: number })[]
  readonly flashesUs: readonly number[]
  readonly beepsUs: readonly number[]
  /** First and last sample of the sound. */
  readonly soundUs: readonly [number, number]
  /** Where nothing was sent, for longer than a frame: mute, pauses of DTX, absence. */
  readonly soundGapsUs: readonly (readonly [number, number])[]
  /** Where packets were lost for good. */
  readonly lostSoundUs: readonly (readonly [number, number])[]
  /** Sizes in order of appearance. */
  readonly sizes: readonly string[]
}

export interface CardSession {
  readonly startedAt: string
  readonly durationMs: number
  readonly participants: readonly {
    readonly id: string
    readonly toneHz: number
    readonly cardId: number
    readonly tracks: readonly { readonly id: string; readonly kind: string }[]
  }[]
}

export function participantReference(reference: TakeReference, session: CardSession, id: string): ParticipantReference {
  const participant = session.participants.find((one) => one.id === id)
  if (participant === undefined) throw new Error(`no participant ${id}`)
  const startedAtUs = Date.parse(session.startedAt) * 1000
  const tracks = reference.tracks.filter((track) => track.participantId === id)
  const frames = tracks
    .flatMap((track) => (track.kind === 'video' ? track.frames : []))
    .filter((frame) => frame.decodable)
    .map((frame) => ({ ...frame, atUs: frame.ntpUs - startedAtUs }))
    .sort((a, b) => a.atUs - b.atUs)
  const packets = tracks
    .flatMap((track) => (track.kind === 'audio' ? track.packets : []))
    .map(({ ntpUs, samples, lostBefore }) => ({
      lostBefore,
      fromUs: ntpUs - startedAtUs,
      toUs: ntpUs - startedAtUs + (samples * 1e6) / 48_000,
    }))
    .sort((a, b) => a.fromUs - b.fromUs)
  const gaps: [number, number][] = []
  const lost: [number, number][] = []
  for (let i = 1; i < packets.length; i++) {
    const { toUs: from } = packets[i - 1] as (typeof packets)[number]
    const { fromUs: to, lostBefore } = packets[i] as (typeof packets)[number]
    if (to - from <= 25_000) continue
    if (lostBefore > 0) lost.push([from, to])
    else gaps.push([from, to])
  }
  return {
    toneHz: participant.toneHz,
    cardId: participant.cardId,
    frames,
    flashesUs: flashTimes(frames).map((frame) => frame.atUs),
    beepsUs: tracks
      .flatMap((track) => (track.kind === 'audio' ? track.beeps : []))
      .map((beep) => beep.ntpUs - startedAtUs)
      .sort((a, b) => a - b),
    soundUs: [packets[0]?.fromUs ?? 0, packets.at(-1)?.toUs ?? 0],
    soundGapsUs: gaps,
    lostSoundUs: lost,
    sizes: sizesInOrder(frames),
  }
}

/**
 * Beep less flash of each second in which both were seen, with the second's time. A flash or a beep whose partner was
 * lost or cut off does not count.
 */
export function offsetsUs(flashesUs: readonly number[], beepsUs: readonly number[]): Map<number, number> {
  const offsets = new Map<number, number>()
  for (const flash of flashesUs) {
    const beep = beepsUs.find((at) => Math.abs(at - flash) < 200_000)
    if (beep !== undefined) offsets.set(flash, beep - flash)
  }
  return offsets
}
