import type { NotJournalledEvent, Session, TakeDamage, TakeSource } from '@rushes/take'
import type { ManifestWarning } from './manifest.js'
import type { Survey } from './survey.js'

/** What the first look found that a person should know. */
export function surveyWarnings(survey: Survey, chosen: ReadonlySet<string> | undefined): ManifestWarning[] {
  const warnings: ManifestWarning[] = []
  for (const { track, participantId, units } of survey.tracks) {
    if (chosen !== undefined && !chosen.has(participantId)) continue
    if (units === 0) {
      const missing = track.kind === 'video' ? 'a keyframe that can be decoded' : 'a sound'
      warnings.push({
        code: 'TRACK_WITHOUT_MEDIA',
        message: `Track ${track.id} never sent ${missing}: it is left out`,
        participantId,
        trackId: track.id,
      })
    }
  }
  for (const state of survey.clockStates) {
    const participantId = survey.tracks.find((track) => track.track.id === state.trackId)?.participantId
    if (participantId === undefined || (chosen !== undefined && !chosen.has(participantId))) continue
    if (state.basis === 'distrusted-sender-reports') {
      const seconds = ((state.ntpOffsetUs ?? 0) / 1_000_000).toFixed(1)
      warnings.push({
        code: 'CLOCK_DISTRUSTED',
        message: `The sender's clock of track ${state.trackId} is ${seconds} s off the arrival of its reports: placed by arrival, in sync with itself`,
        participantId,
        trackId: state.trackId,
      })
    } else if (state.basis !== 'sender-reports') {
      warnings.push({
        code: 'NO_SENDER_REPORTS',
        message: `Track ${state.trackId} has no sender report: it is placed by arrival, sync may be off by the network's delay`,
        participantId,
        trackId: state.trackId,
      })
    }
  }
  return warnings
}

/** Stretches told one by one; a disk that was full for hours is told in few words. */
const MAX_STRETCHES = 100

/** What the journal of a finished take could not keep, by the events of its writer. */
export function journalWarnings(session: Session, chosen: ReadonlySet<string> | undefined): ManifestWarning[] {
  const stretches = session.events.filter((event): event is NotJournalledEvent => event.type === 'not-journalled')
  const warnings = stretches.slice(0, MAX_STRETCHES).flatMap(({ track, cause, fromMs, toMs, packets }) => {
    const owner = session.participants.find(({ tracks }) => tracks.some(({ id }) => id === track))
    if (owner !== undefined && chosen !== undefined && !chosen.has(owner.id)) return []
    const [from, to] = [fromMs, toMs].map((ms) => (ms / 1000).toFixed(1))
    return {
      code: 'NOT_JOURNALLED',
      message: `${track ?? 'Several tracks'}: ${packets} packets between ${from} and ${to} s are not in the journal (${cause})`,
      ...(owner === undefined ? undefined : { participantId: owner.id }),
      ...(track === undefined ? undefined : { trackId: track }),
    }
  })
  const more = stretches.length - MAX_STRETCHES
  if (more > 0) warnings.push({ code: 'NOT_JOURNALLED', message: `${more} more stretches are not in the journal` })
  return warnings
}

/** What of a take on disk could not be read so far. */
export function damageWarnings(
  source: TakeSource & { readonly damage?: readonly TakeDamage[] },
  chosen: ReadonlySet<string> | undefined,
): ManifestWarning[] {
  const warnings: ManifestWarning[] = []
  for (const { trackId, cause, bytes } of source.damage ?? []) {
    const owner = source.session.participants.find(({ tracks }) => tracks.some(({ id }) => id === trackId))
    if (owner !== undefined && chosen !== undefined && !chosen.has(owner.id)) continue
    const file = owner?.tracks.find(({ id }) => id === trackId)?.file ?? 'events.ndjson'
    warnings.push({
      code: 'TAKE_DAMAGED',
      message: `${file}: ${describeDamage(cause, bytes)}`,
      ...(owner === undefined ? undefined : { participantId: owner.id }),
      ...(trackId === undefined ? undefined : { trackId }),
    })
  }
  return warnings
}

function describeDamage(cause: TakeDamage['cause'], amount: number): string {
  switch (cause) {
    case 'missing':
      return 'there is no such file: the track is left out'
    case 'unreadable':
      return 'the operating system refused to read it: what had been read is used'
    case 'unknown-codec':
      return 'its codec is not known: the track is left out'
    case 'not-rtp':
      return `${amount} records without RTP or RTCP were left out`
    case 'bad-event':
      return `${amount} lines are no events and were left out`
    case 'bad-header':
      return `it is no rtpdump file: ${amount} bytes were not used`
    case 'torn':
      return `its last record is torn: cut there, ${amount} bytes were not used`
    case 'zero-filled':
      return `it ends in zeros: cut there, ${amount} bytes were not used`
    default:
      return `a record cannot be one: cut there, ${amount} bytes were not used`
  }
}
