import type { NamingRule } from '../naming-rule.js'
import { type PresetOptions, PresetRule } from './preset-rule.js'

/**
 * Names of 100ms: `<prefix>/<room_id>/<start_date>/<session_id>/Rec-<session_id>-<epoch ms>.mp4`, and of a participant
 * `…/<session_id>/<peer_id>/<stream-id>/<stream-id>.mp4`. Dates are in UTC. Without a session the recording stands in
 * for it, without a stream the track and then the participant.
 *
 * Not distinct: a participant who is recorded twice in one session on one day has one name.
 * @throws ConfigurationError when `prefix` cannot stand in a name
 */
export function hundredMs(options: PresetOptions = {}): NamingRule {
  const session = '{roomId}/{startedAt:yyyyMMdd}/{sessionId}'
  return new PresetRule({
    prefix: options.prefix,
    composite: `${session}/Rec-{sessionId}-{startedAt:epochMs}`,
    individual: `${session}/{participantId}/{streamId}/{streamId}`,
    traits: {
      sessionId: { standIns: ['recordingId'] },
      // Otherwise the folder of a participant could be the one of the session's composite.
      participantId: { avoid: /^R(?=ec-)/g },
      streamId: { standIns: ['trackId', 'participantId'] },
    },
    distinct: false,
  })
}
