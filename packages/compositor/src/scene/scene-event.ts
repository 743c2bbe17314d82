import type { Layout } from '../layout/layout.js'

/** What a video track shows; `none` is a camera that is off, or a share that has ended, while its track stays. */
export type VideoSource = 'camera' | 'screen' | 'none'

/** Somebody is in the room from now on. Of somebody who is there already it only tells the name. */
export interface JoinEvent {
  readonly type: 'join'
  /** Microseconds of recording time, as in all of these. */
  readonly atUs: number
  readonly participantId: string
  /** Display name. @defaultValue the id */
  readonly name?: string
}

/** Somebody has left, with all tracks. */
export interface LeaveEvent {
  readonly type: 'leave'
  readonly atUs: number
  readonly participantId: string
}

/** A track begins. Whoever has one is in the room, told or not. */
export interface TrackAddedSceneEvent {
  readonly type: 'track-added'
  readonly atUs: number
  readonly participantId: string
  readonly trackId: string
  readonly media: 'audio' | 'video'
  /**
   * Of a video track. @defaultValue `camera`; `screen` for a video track that begins while the participant has one that
   * is a camera
   */
  readonly source?: 'camera' | 'screen'
}

/** A track has ended. */
export interface TrackRemovedSceneEvent {
  readonly type: 'track-removed'
  readonly atUs: number
  readonly participantId: string
  readonly trackId: string
}

/** A microphone or a camera is switched off or on again. */
export interface MuteEvent {
  readonly type: 'mute' | 'unmute'
  readonly atUs: number
  readonly participantId: string
  /** The audio or the video track. Without one the microphone is meant, whatever tracks it has. */
  readonly trackId?: string
}

/** Something else comes over a video track from now on, or nothing (`RTCRtpSender.replaceTrack`). */
export interface SourceEvent {
  readonly type: 'source'
  readonly atUs: number
  readonly trackId: string
  readonly source: VideoSource
}

/** Another layout. */
export interface LayoutEvent {
  readonly type: 'layout'
  readonly atUs: number
  readonly layout: Layout
  /** How long tiles take to get to their new places. @defaultValue that of the timeline */
  readonly transitionMs?: number
}

/** What happens to the people in the room and their tracks. */
export type RoomEvent = JoinEvent | LeaveEvent | TrackAddedSceneEvent | TrackRemovedSceneEvent | MuteEvent | SourceEvent

/** All that the composite picture depends on, beside the pictures and who speaks. */
export type SceneEvent = RoomEvent | LayoutEvent
