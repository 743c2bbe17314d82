import { h264Configuration, isSameVideoConfiguration, NalUnitType, nalUnitTypeOf } from '@rushes/bitstream'
import {
  type CodedPictureSink,
  H264PictureEncoder,
  type H264PictureEncoderOptions,
  type Picture,
  PictureCanvas,
  PictureScaler,
} from '@rushes/codecs'
import { type Emit, rescale, type TimedItem, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import type { CanvasSize, ResolvedComposite } from './composite-settings.js'
import { frameUs } from './frame-time.js'
import type { Tile } from './layout/tile.js'
import type { LoadStep } from './load-governor.js'
import { hiddenTiles } from './picture/hidden-tiles.js'
import { Painter } from './picture/painter.js'
import { PictureTrack } from './picture/picture-track.js'
import { type Chapter, ChapterLog } from './scene/chapters.js'
import { LayoutLog, type LoggedLayout } from './scene/layout-log.js'
import type { Speakers, TrackPicture } from './scene/scene-builder.js'
import type { LeaveEvent, SceneEvent } from './scene/scene-event.js'
import { type Arrangement, SceneTimeline } from './scene/scene-timeline.js'
import { SpeakerDetector } from './scene/speaker-detector.js'
import type { CompositeObject } from './stills/composite-object.js'
import { CompositeStills } from './stills/composite-stills.js'
import type { Thumbnail } from './stills/thumbnail-track.js'

/** What the picture side of a compositor is made from. */
export interface CompositePictureOptions {
  readonly settings: ResolvedComposite
  /** Number of the first frame. */
  readonly firstFrame: number
  /** Wall-clock time of recording time zero, microseconds since 1970. */
  readonly startedAtUs: number
  /** A keyframe every so many frames. */
  readonly keyframeFrames: number
  /** Takes the stills; without it there are none. */
  readonly onObject: ((object: CompositeObject) => void) | undefined
}

/** What is known of one frame before it is painted. */
interface Shown {
  readonly arrangement: Arrangement
  readonly hidden: ReadonlySet<Tile>
}

const CLOCK_RATE = 90_000

/** Everyone in one picture: tracks and what happens in the room in, H264 out. */
export class CompositePicture {
  readonly track: VideoTrack = { id: 'composite-video', kind: 'video', codec: 'h264', clockRate: CLOCK_RATE }
  readonly #settings: ResolvedComposite
  readonly #keyframeFrames: number
  readonly #scene: SceneTimeline
  /** Levels are complete when it is asked: the sound is mixed first. */
  readonly #speakers = new SpeakerDetector({ lookBackUs: 0 })
  readonly #painter: Painter
  readonly #stills: CompositeStills | undefined
  #encoder: H264PictureEncoder
  /** Under load: what is encoded in place of the canvas. */
  #small: PictureCanvas | undefined
  #scaler: PictureScaler | undefined
  /** Where the next segment begins. */
  #nextKeyframe: number
  #nextFrame = 0
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
  /** Somebody's picture is on the canvas, and nothing moves. */
  #isTelling = false
  #version = -1
  #endUs = 0
  #configuration: VideoConfiguration | undefined
  #isKeyframeWanted = false
  #emit: Emit<TimedItem> = () => {}

  static async create(options: CompositePictureOptions): Promise<CompositePicture> {
    const { canvas, overlays, placeholder, fps, video } = options.settings
    const painter = await Painter.create({
      canvas,
      overlays,
      placeholder,
      startedAtUs: options.startedAtUs,
    })
    const encoder = await H264PictureEncoder.open(encoderOptions(video, canvas, fps))
    const { firstFrame, onObject: emit } = options
    const { poster, thumbnails } = options.settings
    const stills =
      emit === undefined
        ? undefined
        : await CompositeStills.create({ poster, thumbnails, startUs: frameUs(firstFrame, fps), emit })
    return new CompositePicture(options, painter, encoder, stills)
  }

  private constructor(
    options: CompositePictureOptions,
    painter: Painter,
    encoder: H264PictureEncoder,
    stills: CompositeStills | undefined,
  ) {
    const { settings } = options
    const { layout, canvas, transitionMs, holdUs } = settings
    this.#settings = settings
    this.#nextKeyframe = options.firstFrame
    this.#keyframeFrames = options.keyframeFrames
    this.#scene = new SceneTimeline({ layout, canvas, defaultTransitionMs: transitionMs, holdUs })
    this.#log = new LayoutLog({ canvas })
    this.#painter = painter
    this.#stills = stills
    this.#encoder = encoder
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
    this.#emit = emit
    this.#nextFrame = next
    if (this.#shown === undefined || !this.#isHeld(timeUs)) this.#paint(timeUs)
    this.#stills?.see(this.#painter.canvas, timeUs, this.#isTelling)
    const isDue = frame >= this.#nextKeyframe
    const isKeyframe = this.#isKeyframeWanted || isDue
    if (isDue) this.#nextKeyframe += this.#keyframeFrames
    this.#isKeyframeWanted = false
    this.#encoder.encode(this.#encoded(), frame, isKeyframe, this.#coded)
  }

  /** Pictures are made so from now on. */
  async setLoad({ preset, frameStep, sizeDivisor }: LoadStep): Promise<void> {
    const { canvas, fps, video } = this.#settings
    const half = (side: number): number => Math.max(16, Math.floor(side / sizeDivisor / 2) * 2)
    const size = { width: half(canvas.width), height: half(canvas.height) }
    const encoder = await H264PictureEncoder.open(encoderOptions({ ...video, preset }, size, fps / frameStep))
    this.#encoder.flush(this.#coded)
    this.#encoder.close()
    this.#encoder = encoder
    this.#isKeyframeWanted = true
    this.#small?.close()
    this.#small = sizeDivisor === 1 ? undefined : await PictureCanvas.create(size)
    if (this.#small !== undefined) this.#scaler ??= await PictureScaler.create()
  }

  /** The canvas, or a smaller copy of it. */
  #encoded(): PictureCanvas {
    const { canvas } = this.#painter
    if (this.#small === undefined || this.#scaler === undefined) return canvas
    this.#scaler.drawCanvas(canvas, this.#small, { x: 0, y: 0, width: this.#small.width, height: this.#small.height })
    return this.#small
  }

  /** @param endUs end of the last frame */
  flush(emit: Emit<TimedItem>, endUs: number): void {
    this.#emit = emit
    this.#encoder.flush(this.#coded)
    this.#stills?.flush(this.#painter.canvas)
    this.#endUs = endUs
    emit({ type: 'track-end', trackId: this.track.id })
  }

  close(): void {
    this.#encoder.close()
    this.#painter.close()
    this.#stills?.close()
    this.#small?.close()
    this.#scaler?.close()
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

  #paint(timeUs: number): void {
    const { arrangement, hidden } = this.#look(timeUs)
    const { tiles, background } = arrangement
    const seen = new Set<string>()
    for (const tile of tiles) {
      if (tile.trackId !== undefined && !tile.placeholder && !hidden.has(tile)) seen.add(tile.trackId)
    }
    // Those whom nobody sees keep up, too.
    for (const [id, track] of this.#tracks) if (!seen.has(id)) track.skip()
    this.#painter.paint(tiles, background, this.#pictureOf, timeUs)
    this.#isTelling = seen.size > 0 && !arrangement.isMoving
  }

  /** Who is where at this time. */
  #look(timeUs: number): Shown {
    this.#chosen.clear()
    for (const [id, track] of this.#tracks) {
      const chosen = track.choose(timeUs)
      if (chosen === undefined) continue
      const isOver = this.#ended.has(id) && timeUs - chosen.ptsUs > this.#settings.holdUs
      if (!isOver) this.#chosen.set(id, chosen)
    }
    const arrangement = this.#scene.at(timeUs, this.#sizeOf, this.#speakersAt(timeUs))
    if (arrangement.version !== this.#version || this.#shown === undefined) {
      this.#version = arrangement.version
      this.#shown = { arrangement, hidden: hiddenTiles(arrangement.tiles) }
    }
    this.#log.push(timeUs, arrangement, this.#sizeOf)
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

  readonly #coded: CodedPictureSink = (nalUnits, frame, keyframe) => {
    const { fps } = this.#settings
    const pts = rescale(frame, fps, CLOCK_RATE)
    const configuration = keyframe ? this.#newConfiguration(nalUnits) : undefined
    this.#emit({
      type: 'sample',
      trackId: this.track.id,
      data: nalUnits,
      pts,
      dts: pts,
      duration: rescale(this.#nextFrame, fps, CLOCK_RATE) - pts,
      keyframe,
      ...(configuration === undefined ? undefined : { configuration }),
    })
  }

  #newConfiguration(nalUnits: readonly Uint8Array[]): VideoConfiguration | undefined {
    const ofType = (type: number): Uint8Array[] => nalUnits.filter((nalUnit) => nalUnitTypeOf(nalUnit) === type)
    const coded = h264Configuration(ofType(NalUnitType.sps), ofType(NalUnitType.pps))
    const configuration: VideoConfiguration = { ...coded, rotation: 0 }
    if (this.#configuration !== undefined && isSameVideoConfiguration(this.#configuration, configuration))
      return undefined
    this.#configuration = configuration
    return configuration
  }
}

function encoderOptions(
  { preset, profile, crf, bitRate }: ResolvedComposite['video'],
  size: CanvasSize,
  frameRate: number,
): H264PictureEncoderOptions {
  return { ...size, frameRate, preset, profile, ...(bitRate === undefined ? { crf: crf ?? 23 } : { bitRate }) }
}
