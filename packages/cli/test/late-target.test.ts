import type { NewTrack, TrackSink, TrackTarget } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { LateTarget } from '../src/late-target.js'

/** Writes down what it is told. */
function recordingTarget(): TrackTarget & { readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    addTrack({ participantId }: NewTrack): TrackSink {
      told.push(`add ${participantId}`)
      return {
        id: participantId,
        write(packet, arrivalUs) {
          told.push(`${participantId} ${packet[0]} at ${arrivalUs}`)
          return false
        },
        end: () => void told.push(`end ${participantId}`),
      }
    },
  }
}

const track = (participantId: string): NewTrack => ({ participantId, kind: 'audio', codec: 'opus' })

describe('a target before the recording', () => {
  it('hands tracks over when the recording is there, without what came before', () => {
    const late = new LateTarget()
    const target = recordingTarget()
    const early = late.addTrack(track('early'))
    const gone = late.addTrack(track('gone'))
    expect([early.id, early.write(new Uint8Array([1]), 1)]).toEqual(['', true])
    gone.end()
    late.open(target)
    expect([early.id, early.write(new Uint8Array([2]), 2)]).toEqual(['early', false])
    early.end()
    late.addTrack(track('later'))
    expect(target.told).toEqual(['add early', 'early 2 at 2', 'end early', 'add later'])
  })
})
