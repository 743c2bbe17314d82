import type { ListedStream, TransportStreamListing } from '@rushes/testkit'
import { describeUnits, type StreamInspection, type TimedUnit } from './media-inspection.js'

/** A stream's constant facts, and its units. */
export interface TransportStreamUnits {
  readonly facts: Pick<StreamInspection, 'id' | 'kind' | 'codec' | 'sampleRate' | 'channels'>
  readonly units: TimedUnit[]
}

/** The streams of a transport stream, as all containers are described. */
export function describeTransportStream({ streams }: TransportStreamListing): StreamInspection[] {
  return streams.map((stream) => {
    const { facts, units } = timedUnitsOf(stream)
    return { ...facts, ...describeUnits(units, facts.kind === 'video' ? 'video' : 'audio') }
  })
}

/** One elementary stream in microseconds. */
export function timedUnitsOf(stream: ListedStream): TransportStreamUnits {
  const id = `pid 0x${stream.pid.toString(16)}`
  if (stream.kind === 'video') return videoUnits(id, stream)
  if (stream.kind === 'audio') return audioUnits(id, stream)
  return { facts: { id, kind: 'other', codec: `stream type 0x${stream.streamType.toString(16)}` }, units: [] }
}

function videoUnits(id: string, { accessUnits }: ListedStream): TransportStreamUnits {
  const sps = accessUnits.find((unit) => unit.sps !== undefined)?.sps
  const profile = sps === undefined ? [] : [sps.profileIdc, sps.constraintFlags, sps.levelIdc]
  const codec = sps === undefined ? 'avc1' : `avc1.${profile.map(hexByte).join('')}`
  const units = accessUnits.map((unit) => ({
    ptsUs: ticksToUs(unit.pts90k),
    bytes: unit.sizeBytes,
    keyframe: unit.keyframe,
    ...(unit.sps === undefined ? {} : { width: unit.sps.width, height: unit.sps.height }),
  }))
  return { facts: { id, kind: 'video', codec }, units }
}

function audioUnits(id: string, { audioFrames }: ListedStream): TransportStreamUnits {
  const first = audioFrames[0]
  const units = audioFrames.map((frame) => ({
    ptsUs: ticksToUs(frame.pts90k),
    bytes: frame.data.byteLength,
    durationUs: (1024 * 1_000_000) / frame.sampleRate,
  }))
  const format = first === undefined ? {} : { sampleRate: first.sampleRate, channels: first.channels }
  return { facts: { id, kind: 'audio', codec: `mp4a.40.${first?.objectType ?? 2}`, ...format }, units }
}

function ticksToUs(ticks90k: number): number {
  return (ticks90k * 100) / 9
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0')
}
