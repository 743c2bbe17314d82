import type { NamingRule } from '../naming-rule.js'
import { type PresetOptions, PresetRule } from './preset-rule.js'

/**
 * Names of Fishjam: the composite HLS of a room is `<base>/<room-id>/<recording-id>/index.m3u8`. Fishjam has no
 * recordings of single participants; ours are in the folder `participants` beside that playlist.
 * @throws ConfigurationError when `prefix` cannot stand in a name
 */
export function fishjam(options: PresetOptions = {}): NamingRule {
  return new PresetRule({
    prefix: options.prefix,
    composite: '{roomId}/{recordingId}',
    individual: '{roomId}/{recordingId}/participants/{participantId}',
    // The composite's MP4 is called like the folder.
    traits: { recordingId: { endsName: true } },
    distinct: true,
  })
}
