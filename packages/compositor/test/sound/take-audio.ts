import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AudioTrack, SourceItem, TimedItem } from '@rushes/media'
import { createDepacketizer, SourceClocks, Timeline } from '../../../rtp-depacketizer/src/index.js'
import { openTake } from '../../../take/src/index.js'

/** The sound of a take below the time border. */
export interface TakeAudio {
  readonly tracks: readonly { readonly track: AudioTrack; readonly participantId: string; readonly toneHz: number }[]
  /** In the order of arrival; tracks end where their packets end. */
  readonly items: readonly TimedItem[]
  readonly startedAtUs: number
  readonly durationUs: number
}

/** Where a take of the fixtures is. */
export function takeDir(name: string): string {
  return fileURLToPath(new URL(`../../../../test/fixtures/${name}`, import.meta.url))
}

/** Reads the audio tracks of a take as a render of a finished take does: with all sender reports known. */
export async function takeAudio(name: string): Promise<TakeAudio> {
  const dir = takeDir(name)
  const session = JSON.parse(readFileSync(`${dir}/session.json`, 'utf8')) as {
    startedAt: string
    durationMs: number
    participants: {
      id: string
      toneHz: number
      tracks: { id: string; kind: string; ssrc: number; payloadType: number; fmtp: string }[]
    }[]
  }
  const startedAtUs = Date.parse(session.startedAt) * 1000
  const tracks: TakeAudio['tracks'][number][] = []
  const items: TimedItem[] = []
  for (const { id: participantId, toneHz, tracks: all } of session.participants) {
    for (const { id, kind, ssrc, payloadType, fmtp } of all) {
      if (kind !== 'audio') continue
      const track: AudioTrack = { id, kind: 'audio', codec: 'opus', clockRate: 48_000, ssrc, payloadType, fmtp }
      tracks.push({ track, participantId, toneHz })
    }
  }
  const packets: { trackId: string; data: Uint8Array; arrivalUs: number }[] = []
  for await (const batch of (await openTake(dir)).items()) {
    for (const item of batch) {
      if (item.type === 'packet' && tracks.some(({ track }) => track.id === item.trackId)) packets.push(item)
    }
  }
  const run = (into: (participantId: string, item: SourceItem) => void): void => {
    const stages = new Map(
      tracks.map(({ track }) => [track.id, createDepacketizer(track, { endOnBye: true })] as const),
    )
    const owners = new Map(tracks.map(({ track, participantId }) => [track.id, participantId]))
    for (const { trackId, data, arrivalUs } of packets) {
      stages.get(trackId)!.push({ data, arrivalUs }, (item) => into(owners.get(trackId)!, item))
    }
    for (const [trackId, stage] of stages) stage.flush((item) => into(owners.get(trackId)!, item))
  }
  const clocks = new Map(session.participants.map(({ id }) => [id, new SourceClocks({ startedAtUs })]))
  run((participantId, item) => {
    if (item.type !== 'track-end') clocks.get(participantId)!.observe(item)
  })
  for (const one of clocks.values()) one.settle()
  const timelines = new Map(
    session.participants.map(({ id }) => [id, new Timeline({ startedAtUs, clocks: clocks.get(id)! })]),
  )
  run((participantId, item) => timelines.get(participantId)!.push(item, (timed) => void items.push(timed)))
  for (const timeline of timelines.values()) timeline.flush((timed) => void items.push(timed))
  return { tracks, items, startedAtUs, durationUs: session.durationMs * 1000 }
}
