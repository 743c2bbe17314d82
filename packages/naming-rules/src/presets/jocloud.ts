import type { NamingRule } from '../naming-rule.js'
import { type PresetOptions, PresetRule } from './preset-rule.js'

/**
 * Names of Jocloud: `rid_<recordid>_<roomid>.m3u8` of the mixed streams, and
 * `rid_<recordid>_<roomid>__uid_s_<uid>__uid_e.m3u8` of a user. The playlist lies beside the folder of its segments.
 * Without a `uid` the participant stands in for it.
 *
 * Distinct: a `_` is encoded in the record id, where it ends, and the `_` before `_uid` in the room id.
 * @throws ConfigurationError when `prefix` cannot stand in a name
 */
export function jocloud(options: PresetOptions = {}): NamingRule {
  return new PresetRule({
    prefix: options.prefix,
    composite: 'rid_{recordingId}_{roomId}',
    individual: 'rid_{recordingId}_{roomId}__uid_s_{uid}__uid_e',
    traits: {
      recordingId: { avoid: /_/g },
      roomId: { avoid: /_(?=_uid)/g },
      uid: { standIns: ['participantId'] },
    },
    distinct: true,
    indexSuffix: '.m3u8',
  })
}
