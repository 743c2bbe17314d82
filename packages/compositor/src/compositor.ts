import type { ConcealedGap } from '@rushes/codecs'
import type { AudioTrack, Emit, TimedItem, Track, VideoTrack } from '@rushes/media'
import { CompositePicture } from './composite-picture.js'
import type { ResolvedComposite } from './composite-settings.js'
import type { CompositorReport } from './compositor-report.js'
import { frameUs } from './frame-time.js'
import { type LoadChange, LoadGovernor } from './load-governor.js'
import type { SceneEvent } from './scene/scene-event.js'
import { CompositeSound } from './sound/composite-sound.js'
import type { CompositeObject } from './stills/composite-object.js'
import type { KeptStills, TakenThumbnail } from './stills/kept-stills.js'

/** What a compositor is made from. */
export interface CompositorOptions {
  readonly settings: ResolvedComposite
  /** Recording time of the beginning, microseconds; it begins with the frame that is shown then. */
  readonly startUs: number
  /** Wall-clock time of recording time zero, microseconds since 1970: what a clock in the picture shows. */
  readonly startedAtUs: number
  /** Of the sound, Hz. */
  readonly sampleRate: 44_100 | 48_000
  readonly kinds: ReadonlySet<'audio' | 'video'>
  /** A keyframe every so many seconds, so that segments can begin there. */
  readonly keyframeSeconds: number
  /** Told of each loss of sound, and of what became of it. */
  readonly onConcealed?: (gap: ConcealedGap) => void
  /** Takes the poster and the sheets of thumbnails that the settings ask for; without it there are none. */
  readonly onObject?: (object: CompositeObject) => void
  /** Takes each thumbnail by itself as well, before the sheet that it is on: what `goOn.stills` asks for. */
  readonly onThumbnail?: (taken: TakenThumbnail) => void
  /** Goes on with the work of an earlier compositor that had the same settings and the same `startUs`. */
  readonly goOn?: CompositeGoOn
}

/**
 * Where a compositor goes on. It is given everything from the beginning, as any other: frames before that are looked at
 * (who is where, which picture of whom), and neither painted nor encoded. The sound comes from the beginning, since it is
 * cheap and its samples depend on those before them: whoever goes on leaves out what is there.
 */
export interface CompositeGoOn {
  /** Number of the first frame to be made; frame n is the picture at n / fps of recording time. It is a keyframe. */
  readonly frame: number
  /** Stills of frames before that. */
  readonly stills?: KeptStills
}

/** How far to compose. */
export interface ComposeLimits {
  /** What happened in the room is known until here: no frame at or after it is composed. */
  readonly knownUs: number
  /** A frame before this is composed, whatever is still missing. */
  readonly forcedUs: number
}

/**
 * Everyone in one picture and one sound. Frame n is the picture at n / fps of recording time: a pure function of what is
 * put in, whoever composes it, and when. Its calls are synchronous; composing one picture takes 3 to 15 ms.
 */
export class Compositor {
  readonly #fps: number
  readonly #picture: CompositePicture | undefined
  readonly #sound: CompositeSound | undefined
  /** Tracks that have sent nothing, and until when they are waited for. */
  readonly #expected = new Map<string, number>()
  readonly #kindOf = new Map<string, 'audio' | 'video'>()
  readonly #governor: LoadGovernor
  readonly #loadChanges: LoadChange[] = []
  #frame: number
  /** The first one that is not there already. */
  readonly #fromFrame: number
  #frames = 0

  /** Rejects with errors of the codecs, or `COMPOSITOR_CANVAS_MISSING` and `COMPOSITOR_IMAGE_UNREADABLE`. */
  static async create(options: CompositorOptions): Promise<Compositor> {
    const { settings, kinds, sampleRate } = options
    const { fps } = settings
    // A hair against times that are a microsecond short of their frame.
    const firstFrame = Math.floor((options.startUs * fps) / 1_000_000 + 1e-3)
    const fromFrame = Math.max(firstFrame, options.goOn?.frame ?? firstFrame)
    const startUs = frameUs(firstFrame, fps)
    const picture = kinds.has('video')
      ? await CompositePicture.create({
          settings,
          firstFrame,
          fromFrame,
          startedAtUs: options.startedAtUs,
          keyframeFrames: Math.max(1, Math.round(options.keyframeSeconds * fps)),
          onObject: options.onObject,
          onThumbnail: options.onThumbnail,
          keptStills: options.goOn?.stills,
        })
      : undefined
    const { channels, bitRate, levelling, gains, muted, solo } = settings.audio
    const sound = kinds.has('audio')
      ? await CompositeSound.create({
          sampleRate,
          channels,
          bitRate,
          levelling,
          startUs,
          ...(options.onConcealed === undefined ? undefined : { onConcealed: options.onConcealed }),
          onLevel: (participantId, atUs, dbfs) => picture?.level(participantId, atUs, dbfs),
        })
      : undefined
    for (const [participantId, gain] of Object.entries(gains)) sound?.setGain(participantId, gain)
    for (const participantId of muted) sound?.setMuted(participantId, true)
    for (const participantId of solo) sound?.setSolo(participantId, true)
    return new Compositor(settings, firstFrame, fromFrame, picture, sound)
  }

  private constructor(
    { fps, video }: ResolvedComposite,
    firstFrame: number,
    fromFrame: number,
    picture: CompositePicture | undefined,
    sound: CompositeSound | undefined,
  ) {
    this.#fps = fps
    this.#governor = new LoadGovernor(video.preset)
    this.#frame = firstFrame
    this.#fromFrame = fromFrame
    this.#picture = picture
    this.#sound = sound
  }

  /** What comes out: the picture, its renditions, the sound. */
  get tracks(): readonly (VideoTrack | AudioTrack)[] {
    const tracks: (VideoTrack | AudioTrack)[] = []
    if (this.#picture !== undefined) tracks.push(...this.#picture.tracks)
    if (this.#sound !== undefined) tracks.push(this.#sound.track)
    return tracks
  }

  /**
   * A track that may send from now on. `expectedUntilUs`: what it sends first may be held up for so long (recording time,
   * as in {@link ComposeLimits.knownUs}), and nothing is composed without it; left out, its promises alone count.
   */
  async addTrack(track: Track, participantId: string, expectedUntilUs?: number): Promise<void> {
    this.#kindOf.set(track.id, track.kind)
    if (expectedUntilUs !== undefined) this.#expected.set(track.id, expectedUntilUs)
    if (track.kind === 'video') await this.#picture?.addTrack(track)
    else await this.#sound?.addTrack(track, participantId)
  }

  /** What happens in the room; it may lie ahead of the frames. */
  scene(event: SceneEvent): void {
    this.#picture?.scene(event)
  }

  /** The recording is paused from `atUs` on, and not cut: the picture stands still until it goes on. */
  hold(atUs: number): void {
    this.#picture?.hold(atUs)
  }

  goOn(atUs: number): void {
    this.#picture?.goOn(atUs)
  }

  push(item: TimedItem): void {
    this.#expected.delete(item.trackId)
    if (this.#kindOf.get(item.trackId) === 'video') this.#picture?.push(item)
    else this.#sound?.push(item)
    if (item.type === 'track-end') this.#kindOf.delete(item.trackId)
  }

  /** The next picture becomes a keyframe. */
  requestKeyframe(): void {
    this.#picture?.requestKeyframe()
  }

  /** Composes the next frame, with the sound up to it, if it can be. Returns whether it was. */
  compose({ knownUs, forcedUs }: ComposeLimits, emit: Emit<TimedItem>): boolean {
    const atUs = frameUs(this.#frame, this.#fps)
    if (atUs >= knownUs) return false
    if (atUs >= forcedUs && !this.#isDecided(atUs)) return false
    for (const expectedUntilUs of this.#expected.values()) if (knownUs < expectedUntilUs) return false
    const next = this.#frame + this.#governor.step.frameStep
    // The sound first: its levels tell who speaks.
    this.#sound?.mixUntil(frameUs(next, this.#fps), emit)
    this.#picture?.compose(this.#frame, next, emit)
    if (this.#frame >= this.#fromFrame) this.#frames++
    this.#frame = next
    return true
  }

  /** Recording time up to which everything is composed, here or by an earlier compositor. */
  get composedUs(): number {
    return frameUs(Math.max(this.#frame, this.#fromFrame), this.#fps)
  }

  /**
   * Gives up quality, or takes it back. `backlogUs`: the last frame was made so much later than it could have been;
   * `busyUs`: making it took so long.
   */
  async relieve(backlogUs: number, busyUs: number): Promise<void> {
    // What is passed over says nothing of the machine.
    if (this.#frame <= this.#fromFrame) return
    const frameStepUs = (this.#governor.step.frameStep * 1_000_000) / this.#fps
    const step = this.#governor.note(this.composedUs, backlogUs, busyUs / frameStepUs)
    if (step === undefined) return
    await this.#picture?.setLoad(step)
    this.#loadChanges.push({ ...step, atUs: this.composedUs })
  }

  /** The end, in recording time: what is not composed by now is left out, and the sound ends there. */
  flush(emit: Emit<TimedItem>, endUs: number): void {
    this.#picture?.flush(emit, Math.max(endUs, frameUs(this.#frame, this.#fps)))
    this.#sound?.flush(emit, endUs)
    this.close()
  }

  close(): void {
    this.#picture?.close()
    this.#sound?.close()
  }

  /** @param whole with layouts and chapters, which are long */
  report({ whole }: { readonly whole: boolean }): CompositorReport {
    return {
      frames: this.#frames,
      composedUs: this.composedUs,
      loadChanges: this.#loadChanges,
      layouts: whole ? (this.#picture?.layouts ?? []) : [],
      chapters: whole ? (this.#picture?.chapters ?? []) : [],
      thumbnails: whole ? (this.#picture?.thumbnails ?? []) : [],
    }
  }

  #isDecided(atUs: number): boolean {
    if (this.#picture !== undefined && !this.#picture.isDecidedAt(atUs)) return false
    return this.#sound === undefined || this.#sound.knownUntilUs >= frameUs(this.#frame + 1, this.#fps)
  }
}
