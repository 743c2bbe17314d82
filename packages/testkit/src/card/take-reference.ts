import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { opusPacketSamples } from '../opus/packet-duration.js'
import { SAMPLE_RATE_HZ } from './decode-audio.js'
import { orderTrack } from './dump-track.js'
import { CardError } from './errors.js'
import { type FfmpegOptions, runFfmpeg } from './ffmpeg.js'
import { assembleFrames } from './h264-frames.js'
import { writeOggOpus } from './ogg-opus.js'
import type { Card } from './read-card.js'
import { readDump } from './rtpdump.js'
import { ToneEnvelope } from './tone-envelope.js'
import { readAnnexBCards } from './video-cards.js'

interface TrackReference {
  readonly trackId: string
  readonly participantId: string
  readonly clockRate: number
  /** How many sender reports the mapping to NTP is the median of. */
  readonly reportCount: number
}

/** A picture of a take, as it was sent. */
export interface ReferenceFrame extends Card {
  /** Unwrapped; the first of a track is as sent. */
  readonly rtpTimestamp: number
  /** Microseconds since 1970 by the sender's clock. */
  readonly ntpUs: number
  /** When its last packet came, in milliseconds from the start of the take. */
  readonly arrivalMs: number
  readonly keyframe: boolean
  /** All of its packets are there. */
  readonly complete: boolean
  /** It and all that it refers to are there; the card of others is not read. */
  readonly decodable: boolean
  /** Pixels; 0 where it is not decodable. */
  readonly width: number
  readonly height: number
}

/** What a video track of a take holds. */
export interface VideoTrackReference extends TrackReference {
  readonly kind: 'video'
  readonly frames: readonly ReferenceFrame[]
}

/** An audio packet of a take. */
export interface ReferencePacket {
  readonly rtpTimestamp: number
  readonly ntpUs: number
  readonly arrivalMs: number
  /** Samples at 48 kHz. */
  readonly samples: number
  /** Packets that never came between the one before and this. */
  readonly lostBefore: number
}

/** A beep of a take. */
export interface ReferenceBeep {
  /** Microseconds since 1970 by the sender's clock. */
  readonly ntpUs: number
  readonly level: number
  readonly levelBefore: number
}

/** What an audio track of a take holds. */
export interface AudioTrackReference extends TrackReference {
  readonly kind: 'audio'
  readonly packets: readonly ReferencePacket[]
  /** Beeps at the tone of the participant, decoded without trimming the codec's delay. */
  readonly beeps: readonly ReferenceBeep[]
}

/** What a take holds, from its raw packets. */
export interface TakeReference {
  readonly name: string
  readonly tracks: readonly (VideoTrackReference | AudioTrackReference)[]
}

interface Session {
  readonly name: string
  readonly participants: readonly {
    readonly id: string
    readonly toneHz?: number
    readonly tracks: readonly {
      readonly id: string
      readonly kind: 'video' | 'audio'
      readonly file: string
      readonly ssrc: number
      readonly payloadType: number
      readonly clockRate: number
    }[]
  }[]
}

/**
 * Reads a take (a folder with session.json and rtpdump files, H.264 and Opus) by a path of its own: no code of the
 * pipeline is used, so that recordings of the take can be held against it.
 */
export async function readTakeReference(dir: string, options: FfmpegOptions = {}): Promise<TakeReference> {
  const session = JSON.parse(await readFile(join(dir, 'session.json'), 'utf8')) as Session
  const tracks: (VideoTrackReference | AudioTrackReference)[] = []
  for (const participant of session.participants) {
    for (const track of participant.tracks) {
      const dump = readDump(await readFile(join(dir, track.file)))
      const ordered = orderTrack(dump, track.ssrc, track.payloadType, track.clockRate)
      const facts = {
        trackId: track.id,
        participantId: participant.id,
        clockRate: track.clockRate,
        reportCount: ordered.reportCount,
      }
      if (ordered.packets.length === 0) throw new CardError('BAD_TAKE', `${track.file} has no packet of its SSRC`)
      tracks.push(
        track.kind === 'video'
          ? { ...facts, kind: 'video', frames: await readFrames(ordered, options) }
          : { ...facts, kind: 'audio', ...(await readSound(ordered, participant.toneHz, options)) },
      )
    }
  }
  return { name: session.name, tracks }
}

async function readFrames(track: ReturnType<typeof orderTrack>, options: FfmpegOptions): Promise<ReferenceFrame[]> {
  const frames = assembleFrames(track.packets)
  const startCode = Uint8Array.of(0, 0, 0, 1)
  const decodable = frames.filter((frame) => frame.decodable)
  const pieces = decodable.flatMap(({ nalUnits }) => nalUnits.flatMap((nalUnit) => [startCode, nalUnit]))
  const cards = decodable.length === 0 ? [] : await readAnnexBCards(Buffer.concat(pieces), options)
  if (cards.length !== decodable.length) {
    throw new CardError('FFMPEG_FAILED', `${cards.length} pictures decoded of ${decodable.length} access units`)
  }
  let next = 0
  return frames.map((frame) => {
    const card = frame.decodable ? cards[next++] : undefined
    return {
      rtpTimestamp: frame.extendedTimestamp,
      ntpUs: track.ntpUsOf(frame.extendedTimestamp),
      arrivalMs: frame.arrivalMs,
      keyframe: frame.keyframe,
      complete: frame.complete,
      decodable: frame.decodable,
      counter: card?.counter,
      cardId: card?.cardId,
      flash: card?.flash ?? false,
      width: card?.width ?? 0,
      height: card?.height ?? 0,
    }
  })
}

async function readSound(
  ordered: ReturnType<typeof orderTrack>,
  toneHz: number | undefined,
  options: FfmpegOptions,
): Promise<{ packets: ReferencePacket[]; beeps: ReferenceBeep[] }> {
  const packets = ordered.packets.filter(({ payload }) => payload.byteLength > 0)
  const came = ordered.packets.map(({ extendedSequence }) => extendedSequence)
  const lostBefore = new Map(
    came.map((sequence, index) => [sequence, sequence - (came[index - 1] ?? sequence - 1) - 1]),
  )
  const reference = packets.map(({ payload, extendedTimestamp, extendedSequence, arrivalMs }) => ({
    rtpTimestamp: extendedTimestamp,
    ntpUs: ordered.ntpUsOf(extendedTimestamp),
    arrivalMs,
    samples: opusPacketSamples(payload),
    lostBefore: lostBefore.get(extendedSequence) ?? 0,
  }))
  if (toneHz === undefined) return { packets: reference, beeps: [] }
  const samples = await decodeOpus(
    packets.map(({ payload }) => payload),
    options,
  )
  const expected = reference.reduce((sum, packet) => sum + packet.samples, 0)
  if (samples.length !== expected) {
    throw new CardError('FFMPEG_FAILED', `${samples.length} samples decoded of ${expected}`)
  }
  // Each packet's sound goes where its timestamp says; between packets that do not meet there is silence.
  const envelope = new ToneEnvelope(toneHz)
  let at = 0
  for (const packet of reference) {
    envelope.push(packet.rtpTimestamp, samples.subarray(at, at + packet.samples))
    at += packet.samples
  }
  const beeps = envelope.onsets(0.05).map(({ atSample, level, levelBefore }) => ({
    ntpUs: ordered.ntpUsOf(atSample),
    level,
    levelBefore,
  }))
  return { packets: reference, beeps }
}

/** One packet after the other, without gaps and without trimming, mixed to mono by the decoder. */
async function decodeOpus(packets: readonly Uint8Array[], options: FfmpegOptions): Promise<Float32Array> {
  const chunks: Buffer[] = []
  await runFfmpeg({
    ...options,
    stdin: writeOggOpus(packets, 1),
    // libopus, since the native decoder delays samples where the mode changes.
    args: [
      '-c:a',
      'libopus',
      '-f',
      'ogg',
      '-i',
      'pipe:0',
      '-ac',
      '1',
      '-ar',
      String(SAMPLE_RATE_HZ),
      '-f',
      'f32le',
      'pipe:1',
    ],
    onStdout: (chunk) => chunks.push(chunk),
  })
  return new Float32Array(new Uint8Array(Buffer.concat(chunks)).buffer)
}
