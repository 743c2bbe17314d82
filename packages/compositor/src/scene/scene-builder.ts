import type { Scene, SceneSource } from '../layout/scene.js'
import { isMuted, type Room, type RoomPerson, type RoomVideo } from './room.js'

/** The picture that a track has for a frame, upright and with square pixels. */
export interface TrackPicture {
  readonly width: number
  readonly height: number
  /**
   * Recording time of the picture. With it a picture from before an unmute, or from before the track got another
   * source, is not taken for one of after.
   */
  readonly ptsUs?: number
}

/** The picture of a track for the frame in question; `undefined` while there is none, or none that is fresh enough. */
export type PictureOf = (trackId: string) => TrackPicture | undefined

/** Who speaks at the time in question. */
export interface Speakers {
  readonly active: string | undefined
  isSpeaking(participantId: string): boolean
}

/**
 * Pictures have the time at which they were taken, events that at which the host was told: the first picture of another
 * source may seem to be so much earlier than the change. (Chromium's `replaceTrack`: 6 ms.)
 */
const EARLY_US = 20_000
/**
 * A picture from before a change of the source is not believed for so long. Then it is: a screen that nobody touches
 * sends nothing new, and the event may have come later than the picture that it tells of.
 */
const DISTRUST_US = 500_000

/**
 * The scene of each frame: the people in the room, which of them have a picture, and who speaks. Of somebody's cameras
 * the newest that has a picture is shown, so that a change of device shows no hole. A screen that is muted or off is
 * none; whether one without a picture is shown is the layout's business.
 */
export class SceneBuilder {
  readonly #holdUs: number
  #scene: Scene = { sources: [], activeSpeaker: undefined }
  /** Of the last picture of each track. */
  readonly #sizes = new WeakMap<RoomVideo, SceneSource['picture']>()
  #sources: SceneSource[] = []
  #isChanged = false

  /** @param holdUs how long the last picture of a camera is shown; a screen may stand still for as long as it likes */
  constructor(holdUs: number = Number.POSITIVE_INFINITY) {
    this.#holdUs = holdUs
  }

  /** The same object as before while nothing has changed. */
  build(room: Room, timeUs: number, pictureOf: PictureOf, speakers: Speakers): Scene {
    this.#sources = []
    this.#isChanged = false
    for (const person of room.people.values()) this.#addPerson(person, timeUs, pictureOf, speakers)
    const { active } = speakers
    const activeSpeaker = active !== undefined && room.people.has(active) ? active : undefined
    const before = this.#scene
    const isSame = !this.#isChanged && this.#sources.length === before.sources.length
    if (!isSame || activeSpeaker !== before.activeSpeaker) this.#scene = { sources: this.#sources, activeSpeaker }
    return this.#scene
  }

  #addPerson(person: RoomPerson, timeUs: number, pictureOf: PictureOf, speakers: Speakers): void {
    const muted = isMuted(person)
    const speaking = !muted && speakers.isSpeaking(person.id)
    let camera: RoomVideo | undefined
    let cameraHasPicture = false
    let hasScreen = false
    for (const video of person.video.values()) {
      if (isScreen(video)) hasScreen = true
      if (video.kind === 'screen') continue
      const hasPicture = this.#look(video, timeUs, pictureOf)
      if (!hasPicture && cameraHasPicture) continue
      camera = video
      cameraHasPicture = hasPicture
    }
    if (camera !== undefined || !hasScreen) this.#add(person, 'camera', camera, cameraHasPicture, muted, speaking)
    if (!hasScreen) return
    for (const video of person.video.values()) {
      if (!isScreen(video)) continue
      this.#add(person, 'screen', video, this.#look(video, timeUs, pictureOf), muted, speaking)
    }
  }

  /** Returns whether the track has something to show. */
  #look(video: RoomVideo, timeUs: number, pictureOf: PictureOf): boolean {
    if (video.isOff || video.isMuted) return false
    const picture = pictureOf(video.trackId)
    if (picture === undefined) return false
    const { width, height, ptsUs = timeUs } = picture
    if (ptsUs < video.offUs) return false
    if (video.kind === 'camera' && timeUs - ptsUs > this.#holdUs) return false
    if (ptsUs < video.sinceUs - EARLY_US && timeUs < video.sinceUs + DISTRUST_US) return false
    const before = this.#sizes.get(video)
    if (before?.width !== width || before.height !== height) this.#sizes.set(video, { width, height })
    return true
  }

  #add(
    person: RoomPerson,
    kind: 'camera' | 'screen',
    video: RoomVideo | undefined,
    hasPicture: boolean,
    muted: boolean,
    speaking: boolean,
  ): void {
    const before = this.#scene.sources[this.#sources.length]
    const name = person.name ?? person.id
    const trackId = video?.trackId
    const picture = video === undefined ? undefined : this.#sizes.get(video)
    if (
      before !== undefined &&
      before.participantId === person.id &&
      before.name === name &&
      before.kind === kind &&
      before.trackId === trackId &&
      before.hasPicture === hasPicture &&
      before.picture === picture &&
      before.muted === muted &&
      before.speaking === speaking
    ) {
      this.#sources.push(before)
      return
    }
    this.#isChanged = true
    this.#sources.push({ participantId: person.id, name, kind, trackId, hasPicture, picture, muted, speaking })
  }
}

function isScreen({ kind, isOff, isMuted }: RoomVideo): boolean {
  return kind === 'screen' && !isOff && !isMuted
}
