import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { flashTimes, readTakeReference, type TakeReference } from '@rushes/testkit/card'
import {
  type CardSession,
  type ParticipantReference,
  participantReference,
} from '../conformance/participant-reference.js'
import type { PresenceSession } from './measure-presence.js'

/** What one participant of a call sent, as far as a composite shows and plays it. */
export interface SentParticipant extends ParticipantReference {
  readonly id: string
  /**
   * When the box turned white, by the counters too: that of a flash whose first pictures are missing as well. Of a source
   * with few pictures (a screen) none: a composite may show its pictures early by half of what lies between them.
   */
  readonly flashStartsUs: readonly number[]
  /** `damaged` where packets of it were lost: what was heard then is a guess of the reader's. */
  readonly beeps: readonly { readonly atUs: number; readonly level: number; readonly damaged: boolean }[]
}

/** A take as its packets say, read without the pipeline. */
export interface SentCall {
  readonly session: CardSession & PresenceSession
  readonly participants: readonly SentParticipant[]
}

/** Reads what was sent in a take. */
export async function readSentCall(folder: string): Promise<SentCall> {
  const reference = await readTakeReference(folder)
  const session = JSON.parse(await readFile(join(folder, 'session.json'), 'utf8')) as CardSession & PresenceSession
  return { session, participants: session.participants.map(({ id }) => sentBy(reference, session, id)) }
}

function sentBy(reference: TakeReference, session: CardSession, id: string): SentParticipant {
  const startedAtUs = Date.parse(session.startedAt) * 1000
  const sent = participantReference(reference, session, id)
  const lossesUs = reference.tracks
    .flatMap((track) => (track.kind === 'audio' && track.participantId === id ? track.packets : []))
    .flatMap((packet) => (packet.lostBefore > 0 ? [packet.ntpUs - startedAtUs] : []))
  const isDamaged = (atUs: number): boolean => lossesUs.some((lost) => lost > atUs - 40_000 && lost < atUs + 240_000)
  return {
    ...sent,
    id,
    flashStartsUs: flashTimes(sent.frames)
      .filter((flash) => !isSparse(sent.frames, flash.atUs))
      .map((frame) => frame.atUs - frame.sinceFlashUs),
    beeps: reference.tracks
      .flatMap((track) => (track.kind === 'audio' && track.participantId === id ? track.beeps : []))
      .map((beep) => {
        const atUs = beep.ntpUs - startedAtUs
        return { atUs, level: beep.level, damaged: isDamaged(atUs) }
      })
      .sort((a, b) => a.atUs - b.atUs),
  }
}

function isSparse(frames: readonly { readonly atUs: number }[], atUs: number): boolean {
  const index = frames.findIndex((frame) => frame.atUs >= atUs)
  const before = frames[index - 1]
  return before !== undefined && atUs - before.atUs > 70_000
}
