import type { Picture } from '@rushes/codecs'
import type { Emit, TimedItem, VideoTrack } from '@rushes/media'
import { CompositeEncoding } from './composite-encoding.js'
import type { ResolvedComposite } from './composite-settings.js'
import { frameUs } from './frame-time.js'
import type { Tile } from './layout/tile.js'
import type { LoadStep } from './load-governor.js'
import { hiddenTiles } from './picture/hidden-tiles.js'
import { Painter } from './picture/painter.js'
import { PictureTrack, type SkipBounds } from './picture/picture-track.js'
import { type Chapter, ChapterLog } from './scene/chapters.js'
import { LayoutLog, type LoggedLayout } from './scene/layout-log.js'
import type { Speakers, TrackPicture } from './scene/scene-builder.js'
import type { LeaveEvent, SceneEvent } from './scene/scene-event.js'
import { type Arrangement, SceneTimeline } from './scene/scene-timeline.js'
import { SpeakerDetector } from './scene/speaker-detector.js'
import type { CompositeObject } from './stills/composite-object.js'
import { CompositeStills } from './stills/composite-stills.js'
import type { KeptStills, TakenThumbnail } from './stills/kept-stills.js'
import type { Thumbnail } from './stills/thumbnail-track.js'

/** What the picture side of a compositor is made from. */
export interface CompositePictureOptions {
  readonly settings: ResolvedComposite
  /** Number of the first frame. */
  readonly firstFrame: number
  /** Number of the first frame that is painted and encoded: what is before it was by an earlier compositor. */
  readonly fromFrame: number
  /** Wall-clock time of recording time zero, microseconds since 1970. */
  readonly startedAtUs: number
  /** A keyframe every so many frames. */
  readonly keyframeFrames: number
  /** Takes the stills; without it there are none. */
  readonly onObject: ((object: CompositeObject) => void) | undefined
  /** Takes each thumbnail by itself as well. */
  readonly onThumbnail: ((taken: TakenThumbnail) => void) | undefined
  /** Stills of an earlier compositor. */
  readonly keptStills: KeptStills | undefined
}

/**
 * Of tracks whose pictures are passed over to where composing goes on: browsers send keyframes when they are asked, and of
 * 50 s without one nothing need be decoded.
 */
const PASSED: SkipBounds = { pictures: 1500, bytes: 16 << 20 }

/** What is known of one frame before it is painted. */
interface Shown {
  readonly arrangement: Arrangement
  readonly hidden: ReadonlySet<Tile>
}

/** Everyone in one picture: tracks and what happens in the room in, H264 out. */
export class CompositePicture {
  readonly #settings: ResolvedComposite
  readonly #keyframeFrames: number
  readonly #scene: SceneTimeline
  /** Levels are complete when it is asked: the sound is mixed first. */
  readonly #speakers = new SpeakerDetector({ lookBackUs: 0 })
  readonly #painter: Painter
  readonly #stills: CompositeStills | undefined
  /** The whole size first. */
  readonly #encodings: readonly CompositeEncoding[]
  readonly #fromFrame: number
  /** Where the next segment begins. */
  #nextKeyframe: number
  readonly #log: LayoutLog
  readonly #chapters = new ChapterLog()
  readonly #tracks = new Map<string, PictureTrack>()
  /** Tracks of which no more will come: also a screen does not stay for ever. */
  readonly #ended = new Set<string>()
  /** What each track shows in the frame at hand. */
  readonly #chosen = new Map<string, TrackPicture>()
  /** Those ahead, in order of time. */
  readonly #leaves: LeaveEvent[] = []
  readonly #holds: { readonly fromUs: number; toUs: number }[] = []
  #shown: Shown | undefined
  /** The time of `#shown`. */
  #shownUs = 0
  #isPainted = false
  /** Somebody's picture is on the canvas, and nothing moves. */
  #isTelling = false
  #version = -1
  #endUs = 0
  #isKeyframeWanted = true

  static async create(options: CompositePictureOptions): Promise<CompositePicture> {
    const { canvas, overlays, placeholder, background, fonts, fps, video } = options.settings
    const painter = await Painter.create({
      canvas,
      overlays,
      placeholder,
      ...(background === undefined ? undefined : { background }),
      ...(fonts === undefined ? undefined : { fonts }),
      startedAtUs: options.startedAtUs,
    })
    const encodings: CompositeEncoding[] = []
    for (const [index, encoding] of [{ ...video, size: canvas }, ...video.renditions].entries()) {
      const id = index === 0 ? 'composite-video' : `composite-video-${index}`
      encodings.push(await CompositeEncoding.open(id, painter.canvas, encoding, fps))
    }
    const { firstFrame, onObject: emit, onThumbnail, keptStills: kept } = options
    const { poster, thumbnails } = options.settings
    const startUs = frameUs(firstFrame, fps)
    const stills =
      emit === undefined
        ? undefined
        : await CompositeStills.create({ poster, thumbnails, startUs, emit, onThumbnail, kept })
    return new CompositePicture(options, painter, encodings, stills)
  }

  private constructor(
    options: CompositePictureOptions,
    painter: Painter,
    encodings: readonly CompositeEncoding[],
    stills: CompositeStills | undefined,
  ) {
    const { settings } = options
    const { layout, canvas, transitionMs, holdUs } = settings
    this.#settings = settings
    const { firstFrame, fromFrame, keyframeFrames } = options
    this.#fromFrame = fromFrame
    // Keyframes lie where they would without what was there before.
    this.#nextKeyframe = firstFrame + Math.ceil((fromFrame - firstFrame) / keyframeFrames) * keyframeFrames
    this.#keyframeFrames = keyframeFrames
    this.#scene = new SceneTimeline({ layout, canvas, defaultTransitionMs: transitionMs, holdUs })
    this.#log = new LayoutLog({ canvas })
    this.#painter = painter
    this.#stills = stills
    this.#encodings = encodings
  }

  /** The whole size first, then the renditions. */
  get tracks(): readonly VideoTrack[] {
    return this.#encodings.map(({ track }) => track)
  }

  async addTrack(track: VideoTrack): Promise<void> {
    const frameIntervalUs = 1_000_000 / this.#settings.fps
    // How long a picture holds is for the scene to say: a screen may stand still.
    const options = { holdUs: Number.POSITIVE_INFINITY, frameIntervalUs }
    this.#tracks.set(track.id, await PictureTrack.open(track, options))
  }

  /** What happens in the room; it may lie ahead of the frames. */
  scene(event: SceneEvent): void {
    this.#scene.push(event)
    this.#chapters.push(event)
    if (event.type === 'leave') this.#leaves.push(event)
  }

  /** While the recording is held, the picture stands still. */
  hold(fromUs: number): void {
    this.#holds.push({ fromUs, toUs: Number.POSITIVE_INFINITY })
  }

  goOn(atUs: number): void {
    const last = this.#holds.at(-1)
    if (last !== undefined) last.toUs = Math.min(last.toUs, atUs)
  }

  push(item: TimedItem): void {
    this.#tracks.get(item.trackId)?.push(item)
    if (item.type === 'track-end') this.#ended.add(item.trackId)
  }

  level(participantId: string, atUs: number, dbfs: number): void {
    this.#speakers.level(participantId, atUs, dbfs)
  }

  requestKeyframe(): void {
    this.#isKeyframeWanted = true
  }

  isDecidedAt(timeUs: number): boolean {
    for (const track of this.#tracks.values()) if (!track.isDecidedAt(timeUs)) return false
    return true
  }

  /** @param next number of the frame after this one */
  compose(frame: number, next: number, emit: Emit<TimedItem>): void {
    const timeUs = frameUs(frame, this.#settings.fps)
    const isStanding = this.#shown !== undefined && this.#isHeld(timeUs)
    const shown = isStanding ? this.#shown : this.#look(timeUs)
    if (frame < this.#fromFrame) {
      this.#pass(frame)
      return
    }
    // Where it goes on within a pause, the picture that stands is that of the last frame that was looked at.
    if (!isStanding || !this.#isPainted) this.#paint(shown as Shown)
    this.#stills?.see(this.#painter.canvas, timeUs, this.#isTelling)
    const isDue = frame >= this.#nextKeyframe
    const isKeyframe = this.#isKeyframeWanted || isDue
    if (isDue) this.#nextKeyframe += this.#keyframeFrames
    this.#isKeyframeWanted = false
    for (const encoding of this.#encodings) encoding.encode(frame, next, isKeyframe, emit)
  }

  /** Pictures are made so from now on. */
  async setLoad(step: LoadStep): Promise<void> {
    for (const encoding of this.#encodings) await encoding.setLoad(step)
    this.#isKeyframeWanted = true
  }

  /** @param endUs end of the last frame */
  flush(emit: Emit<TimedItem>, endUs: number): void {
    for (const encoding of this.#encodings) encoding.flush(emit)
    this.#stills?.flush(this.#painter.canvas)
    this.#endUs = endUs
  }

  close(): void {
    for (const encoding of this.#encodings) encoding.close()
    this.#painter.close()
    this.#stills?.close()
    for (const track of this.#tracks.values()) track.close()
    this.#tracks.clear()
  }

  get layouts(): readonly LoggedLayout[] {
    return this.#log.entries(this.#endUs)
  }

  get chapters(): readonly Chapter[] {
    return this.#chapters.chapters.filter(({ atUs }) => atUs < this.#endUs)
  }

  get thumbnails(): readonly Thumbnail[] {
    return this.#stills?.thumbnails ?? []
  }

  #isHeld(timeUs: number): boolean {
    while ((this.#holds[0]?.toUs ?? Number.POSITIVE_INFINITY) <= timeUs) this.#holds.shift()
    const [next] = this.#holds
    return next !== undefined && next.fromUs <= timeUs
  }

  /** A frame that is there already: its pictures are not needed, but those after it may refer to them. */
  #pass(frame: number): void {
    // Looking at what waits takes its time: once a second is enough.
    if (frame % this.#settings.fps !== 0) return
    for (const track of this.#tracks.values()) track.skip(PASSED)
  }

  #paint({ arrangement, hidden }: Shown): void {
    const { tiles, background } = arrangement
    const seen = new Set<string>()
    for (const tile of tiles) {
      if (tile.trackId !== undefined && !tile.placeholder && !hidden.has(tile)) seen.add(tile.trackId)
    }
    // Those whom nobody sees keep up, too.
    for (const [id, track] of this.#tracks) if (!seen.has(id)) track.skip()
    this.#painter.paint(tiles, background, this.#pictureOf, this.#shownUs)
    this.#isTelling = seen.size > 0 && !arrangement.isMoving
    this.#isPainted = true
  }

  /** Who is where at this time. */
  #look(timeUs: number): Shown {
    this.#chosen.clear()
    for (const [id, track] of this.#tracks) {
      const chosen = track.choose(timeUs)
      if (chosen === undefined) continue
      const isOver = this.#ended.has(id) && timeUs - chosen.ptsUs > this.#settings.holdUs
      if (!isOver) this.#chosen.set(id, chosen)
      else {
        // Who comes and goes all the time leaves no decoders behind.
        track.close()
        this.#tracks.delete(id)
      }
    }
    const arrangement = this.#scene.at(timeUs, this.#sizeOf, this.#speakersAt(timeUs))
    if (arrangement.version !== this.#version || this.#shown === undefined) {
      this.#version = arrangement.version
      this.#shown = { arrangement, hidden: hiddenTiles(arrangement.tiles) }
    }
    this.#log.push(timeUs, arrangement, this.#sizeOf)
    this.#shownUs = timeUs
    return this.#shown
  }

  #speakersAt(timeUs: number): Speakers {
    while ((this.#leaves[0]?.atUs ?? Number.POSITIVE_INFINITY) <= timeUs) {
      const { participantId, atUs } = this.#leaves.shift() as LeaveEvent
      this.#speakers.leave(participantId, atUs)
    }
    return {
      active: this.#speakers.activeSpeakerAt(timeUs),
      isSpeaking: (participantId) => this.#speakers.isSpeaking(participantId, timeUs),
    }
  }

  readonly #pictureOf = (tile: Tile): Picture | undefined =>
    tile.trackId === undefined ? undefined : this.#tracks.get(tile.trackId)?.current()

  readonly #sizeOf = (trackId: string): TrackPicture | undefined => this.#chosen.get(trackId)
}
