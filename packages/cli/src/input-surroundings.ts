import type { IngestEvent } from '@rushes/ingest'
import type { TrackTarget } from '@rushes/media'

/** What sources have in common. */
export interface InputSurroundings {
  readonly target: TrackTarget
  readonly bindAddress?: string
  /** What happens at a source, in words. Errors that a recording's end brings about are among them. */
  readonly onWarning: (text: string) => void
}

/** What an operator has to know of what happens at a source. */
export function warningsOf(
  participantId: string,
  onWarning: InputSurroundings['onWarning'],
): (event: IngestEvent | { readonly type: 'connected' | 'ended' }) => void {
  return (event) => {
    if (event.type === 'unsupported-payload') {
      onWarning(`${participantId}: payload type ${event.payloadType} (${event.encoding}) is not understood`)
    } else if (event.type === 'foreign-address') {
      onWarning(`${participantId}: packets from ${event.address}:${event.port} refused: another sender is there`)
    } else if (event.type === 'error') {
      onWarning(`${participantId}: ${event.error.message}`)
    }
  }
}
