import type { LayoutSpan } from './composite-manifest.js'
import { seconds } from './composite-manifest.js'

/** What a take says of who was there. */
export interface PresenceSession {
  readonly durationMs: number
  readonly participants: readonly {
    readonly id: string
    readonly tracks: readonly {
      readonly id: string
      readonly kind: string
      readonly joinedAtMs: number
      readonly leftAtMs?: number
    }[]
  }[]
  readonly events: readonly {
    readonly atMs: number
    readonly type: string
    readonly participant?: string
    readonly track?: string
    readonly source?: string | null
  }[]
}

/** A stay of a participant in the room; each end may be told by an event and by a track, a little apart. */
export interface Stay {
  readonly fromUs: readonly number[]
  readonly toUs: readonly number[]
}

/** When a camera was switched off or taken away, and on again. */
export interface CameraOff {
  readonly participantId: string
  readonly fromUs: number
  readonly toUs: number
  readonly how: 'mute' | 'replaced'
}

export function staysOf(session: PresenceSession, id: string): Stay[] {
  const tracks = session.participants.find((participant) => participant.id === id)?.tracks ?? []
  const stays: { fromUs: number[]; toUs: number[] }[] = []
  for (const track of [...tracks].sort((a, b) => a.joinedAtMs - b.joinedAtMs)) {
    const fromUs = track.joinedAtMs * 1000
    const toUs = (track.leftAtMs ?? session.durationMs) * 1000
    const last = stays.at(-1)
    if (last !== undefined && fromUs <= Math.max(...last.toUs)) {
      last.fromUs.push(fromUs)
      last.toUs.push(toUs)
    } else stays.push({ fromUs: [fromUs], toUs: [toUs] })
  }
  for (const event of session.events) {
    if (event.participant !== id) continue
    const atUs = event.atMs * 1000
    const nearest = (ends: (stay: Stay) => readonly number[]): Stay | undefined =>
      stays.find((stay) => ends(stay).some((end) => Math.abs(end - atUs) < 1_000_000))
    if (event.type === 'join') (nearest((stay) => stay.fromUs)?.fromUs as number[] | undefined)?.push(atUs)
    if (event.type === 'leave') (nearest((stay) => stay.toUs)?.toUs as number[] | undefined)?.push(atUs)
  }
  return stays
}

export function camerasOff(session: PresenceSession): CameraOff[] {
  const kinds = new Map(session.participants.flatMap(({ tracks }) => tracks.map(({ id, kind }) => [id, kind] as const)))
  const offs: CameraOff[] = []
  const open = new Map<string, Omit<CameraOff, 'toUs'>>()
  for (const event of [...session.events].sort((a, b) => a.atMs - b.atMs)) {
    const { track, participant, type } = event
    if (track === undefined || participant === undefined || kinds.get(track) !== 'video') continue
    const goesOff = type === 'mute' || (type === 'replace' && event.source === null)
    const comesBack = type === 'unmute' || (type === 'replace' && event.source !== null)
    const before = open.get(track)
    if (goesOff && before === undefined) {
      open.set(track, {
        participantId: participant,
        fromUs: event.atMs * 1000,
        how: type === 'mute' ? 'mute' : 'replaced',
      })
    } else if (comesBack && before !== undefined) {
      offs.push({ ...before, toUs: event.atMs * 1000 })
      open.delete(track)
    }
  }
  return offs
}

/** Whether tiles come and go when people do, to the frame; for layouts that show everyone. */
export function presenceFaults(
  layouts: readonly LayoutSpan[],
  session: PresenceSession,
  frameUs: number,
  fromUs: number,
  toUs: number,
): string[] {
  const faults: string[] = []
  for (const { id } of session.participants) {
    const shown = spansOf(layouts, (span) => span.tiles.some((tile) => tile.participantId === id))
    const stays = staysOf(session, id)
      .map((stay) => ({
        fromUs: stay.fromUs.map((at) => Math.max(at, fromUs)),
        toUs: stay.toUs.map((at) => Math.min(at, toUs)),
      }))
      .filter((stay) => Math.max(...stay.toUs) > Math.min(...stay.fromUs))
    if (shown.length !== stays.length) {
      faults.push(`${id}: is shown ${shown.length} times, was there ${stays.length} times`)
      continue
    }
    for (const [index, stay] of stays.entries()) {
      const [start, end] = shown[index] as readonly [number, number]
      const isAtEdge = Math.max(...stay.toUs) >= toUs - frameUs
      if (!isNear(start, stay.fromUs, frameUs)) {
        faults.push(`${id}: is shown from ${seconds(start)}, was there from ${stay.fromUs.map(seconds).join(', ')}`)
      }
      if (isAtEdge ? end < toUs - frameUs : !isNear(end, stay.toUs, frameUs)) {
        faults.push(`${id}: is shown until ${seconds(end)}, was there until ${stay.toUs.map(seconds).join(', ')}`)
      }
    }
  }
  return faults
}

/** Whether a placeholder stands in while a camera is off: from its event on, or within the hold where only its pictures stop. */
export function placeholderFaults(
  layouts: readonly LayoutSpan[],
  session: PresenceSession,
  frameUs: number,
  holdUs: number,
): string[] {
  const faults: string[] = []
  const offs = camerasOff(session)
  for (const off of offs) {
    const stands = spansOf(layouts, (span) =>
      span.tiles.some((tile) => tile.participantId === off.participantId && tile.placeholder),
    )
    const stand = stands.find(([from, to]) => from < off.toUs && to > off.fromUs + frameUs)
    const what = `${off.participantId}: camera off from ${seconds(off.fromUs)} to ${seconds(off.toUs)}`
    if (stand === undefined) {
      faults.push(`${what}, without a placeholder`)
      continue
    }
    const latest = off.how === 'mute' ? off.fromUs + frameUs : off.fromUs + holdUs + 4 * frameUs
    if (stand[0] < off.fromUs - frameUs || stand[0] > latest)
      faults.push(`${what}, placeholder from ${seconds(stand[0])}`)
    // The first picture of a camera that comes back is some frames on its way.
    if (stand[1] < off.toUs - frameUs || stand[1] > off.toUs + 200_000) {
      faults.push(`${what}, placeholder until ${seconds(stand[1])}`)
    }
  }
  return faults
}

/** From when to when, in stretches. */
function spansOf(layouts: readonly LayoutSpan[], holds: (span: LayoutSpan) => boolean): [number, number][] {
  const spans: [number, number][] = []
  for (const span of layouts) {
    if (!holds(span)) continue
    const last = spans.at(-1)
    if (last !== undefined && last[1] === span.startUs) last[1] = span.endUs
    else spans.push([span.startUs, span.endUs])
  }
  return spans
}

function isNear(atUs: number, candidates: readonly number[], frameUs: number): boolean {
  return candidates.some((candidate) => Math.abs(candidate - atUs) <= frameUs + 1000)
}
