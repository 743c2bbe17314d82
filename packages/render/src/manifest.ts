import type { Chapter, LoggedLayout } from '@rushes/compositor'

/** The manifest of a recording: what came out, where it lies and what is not as it was sent. Times are integer microseconds of recording time. */
export interface Manifest {
  readonly version: 1
  readonly recordingId: string
  readonly roomId: string
  /** ISO 8601, UTC; recording time zero. */
  readonly startedAt: string
  readonly durationUs: number
  readonly participants: readonly ManifestParticipant[]
  readonly outputs: readonly ManifestOutput[]
  /** Of composite recordings: where everybody is, over time. */
  readonly layouts: readonly ManifestLayout[]
  /** Of composite recordings: what a viewer may want to go to. */
  readonly chapters: readonly Chapter[]
  readonly repairs: readonly Repair[]
  /** Where the host paused the recording. Of `cut` ones the outputs know nothing: their times go on without. */
  readonly pauses: readonly ManifestPause[]
  /** What the host marked while it recorded. */
  readonly marks: readonly ManifestMark[]
  /** What a person should know: tracks without media, damaged files, clocks that were not believed. */
  readonly warnings: readonly ManifestWarning[]
}

/** The places of everybody in a composite, for a stretch of time. */
export interface ManifestLayout extends LoggedLayout {
  /** The name of the output, where it has one. */
  readonly composite?: string
}

/** Who was there, and when. */
export interface ManifestParticipant {
  readonly id: string
  readonly name?: string
  readonly intervals: readonly { readonly startUs: number; readonly endUs: number }[]
}

/** One file, or one HLS recording with all its objects. */
export interface ManifestOutput {
  readonly kind: 'individual' | 'composite'
  /** Of an individual one. */
  readonly participantId?: string
  /** Of a composite that has one, where there are several. */
  readonly name?: string
  readonly container: 'hls' | 'mp4' | 'webm'
  /** Where the recording is split into several files: from 1. */
  readonly part?: number
  /** Of the file, or of the multivariant playlist. */
  readonly key: string
  /** Where the store put it. */
  readonly location: string
  /** HLS: of all segments and playlists. */
  readonly bytes: number
  /** Hexadecimal, of an MP4. */
  readonly sha256?: string
  /** Recording time at media time zero of an MP4, at the earliest presentation time of an HLS output. */
  readonly startUs: number
  readonly durationUs: number
  /** The first configuration's codec, and the largest picture. */
  readonly video?: { readonly codec: string; readonly width: number; readonly height: number }
  readonly audio?: { readonly codec: string; readonly sampleRate: number; readonly channels: number }
  /** Of a composite: one picture of it, JPEG. All outputs of one composite have the same. */
  readonly poster?: ManifestStill
  /** Of a composite: small pictures of it. All outputs of one composite have the same. */
  readonly thumbnails?: ManifestThumbnails
}

/** A file beside an output. */
export interface ManifestStill {
  readonly key: string
  /** Where the store put it. */
  readonly location: string
}

/** A WebVTT file that says which part of which sheet is of when; its times are media times of the output. */
export interface ManifestThumbnails extends ManifestStill {
  /** Keys of the sheets, JPEG; they lie beside the WebVTT file, which names them. */
  readonly sheets: readonly string[]
}

/** A stretch that could not be written as it was sent. */
export interface Repair {
  readonly participantId: string
  readonly trackId: string
  readonly startUs: number
  readonly endUs: number
  readonly cause: 'packet-loss'
  /** Packets that never came. */
  readonly packets?: number
  /**
   * `held-picture`: the last good picture stands until the next keyframe. `continued`: pictures were decoded on from
   * damaged references. `recovered`: all of it was in the packet that came after. `concealed`: a guess from the sound
   * around it. `silence`: silence in its place. `gap`: timing alone shows it (copied audio).
   */
  readonly action: 'held-picture' | 'continued' | 'recovered' | 'concealed' | 'silence' | 'gap'
}

/** A pause. */
export interface ManifestPause {
  readonly startUs: number
  readonly endUs: number
  /** `cut`: left out of the outputs. `hold`: the last picture stands, with silence. */
  readonly mode: 'cut' | 'hold'
}

/** A moment with a name. */
export interface ManifestMark {
  readonly atUs: number
  readonly label: string
}

/** A stable code and a sentence. */
export interface ManifestWarning {
  readonly code: string
  readonly message: string
  readonly participantId?: string
  readonly trackId?: string
}
