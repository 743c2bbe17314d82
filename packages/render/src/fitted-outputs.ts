import { createVideoTranscoder, type VideoTranscoder } from '@rushes/codecs'
import { Interleaver } from '@rushes/hls-segmenter'
import type { Configuration, Emit, KeyframeNeeded, TimedItem, Track, VideoTrack } from '@rushes/media'
import { type ContainerCodecs, holds } from './container-codecs.js'
import type { ManifestOutput } from './manifest.js'
import type { Output, OutputStart } from './output.js'

/** An output to be made, and what its container can hold. */
export interface WantedOutput {
  readonly codecs: ContainerCodecs
  /** `onSignal` takes what the output asks for. */
  create(start: OutputStart, onSignal: (request: KeyframeNeeded) => void): Promise<Output>
}

/** What outputs that hold different codecs tell of. */
export interface FittingSurroundings {
  /** A keyframe of a track that is copied is for the sender to make. */
  readonly onSignal: (request: KeyframeNeeded) => void
  /** A track that neither fits nor can be made to. */
  readonly onLeftOut: (track: Track, container: string) => void
}

interface Member {
  readonly wanted: WantedOutput
  readonly output: Output
  /** Where pictures come out of a transcoder later than the sound beside them. */
  interleaver: Interleaver | undefined
  /** Tracks that go in: as they come, or as H264. */
  readonly fits: Map<string, 'copied' | 'transcoded'>
  readonly into: Emit<TimedItem>
  /** No sample has gone into it: its container can hold nothing of what there is. */
  isEmpty: boolean
}

/**
 * Several outputs of the same tracks. Each gets the video codecs that its container holds as they came, and H264 in
 * place of the others, which is encoded once for all; what it cannot hold at all is left out, and told.
 */
export class FittedOutputs implements Output {
  readonly #surroundings: FittingSurroundings
  readonly #tracks: Track[] = []
  readonly #members: Member[] = []
  readonly #transcoders = new Map<string, VideoTranscoder>()
  /** Tracks that began late and whose encoder is to be opened, with what has come of them. */
  readonly #pending = new Map<string, { readonly track: VideoTrack; readonly items: TimedItem[] }>()

  private constructor(surroundings: FittingSurroundings) {
    this.#surroundings = surroundings
  }

  static async create(
    wanted: readonly WantedOutput[],
    start: OutputStart,
    surroundings: FittingSurroundings,
  ): Promise<FittedOutputs> {
    const fitted = new FittedOutputs(surroundings)
    for (const track of start.tracks) await fitted.#openTranscoder(track, wanted)
    fitted.#tracks.push(...start.tracks)
    for (const one of wanted) fitted.#members.push(await fitted.#createMember(one, start))
    return fitted
  }

  addTrack(track: Track): void {
    this.#tracks.push(track)
    if (this.#needsTranscoder(track)) {
      this.#pending.set(track.id, { track: track as VideoTrack, items: [] })
      return
    }
    for (const member of this.#members) this.#join(member, track)
  }

  push(item: TimedItem): void {
    if (this.#pending.size > 0) {
      const pending = this.#pending.get(item.trackId)
      if (pending !== undefined) {
        pending.items.push(item)
        return
      }
    }
    const transcoder = this.#transcoders.get(item.trackId)
    for (const member of this.#members) {
      if (member.fits.get(item.trackId) === 'copied') this.#into(member, item)
    }
    transcoder?.push(item, this.#transcoded)
  }

  async drain(): Promise<void> {
    for (const [trackId, { track, items }] of this.#pending) {
      await this.#openTranscoder(track)
      this.#pending.delete(trackId)
      for (const member of this.#members) this.#join(member, track)
      for (const item of items) this.push(item)
    }
    for (const { output } of this.#members) await output.drain()
  }

  async finish(): Promise<ManifestOutput[]> {
    await this.drain()
    for (const transcoder of this.#transcoders.values()) transcoder.flush(this.#transcoded)
    const finished: ManifestOutput[] = []
    for (const { interleaver, into, output, isEmpty } of this.#members) {
      interleaver?.flush(into)
      // The others are whole: what had nothing to hold is left out, as was told of its tracks.
      if (isEmpty) await output.abort()
      else finished.push(...(await output.finish()))
    }
    return finished
  }

  async abort(): Promise<void> {
    for (const transcoder of this.#transcoders.values()) transcoder.close()
    await Promise.allSettled(this.#members.map(({ output }) => output.abort()))
  }

  async #createMember(wanted: WantedOutput, start: OutputStart): Promise<Member> {
    const fits = new Map<string, 'copied' | 'transcoded'>()
    const tracks: Track[] = []
    for (const track of start.tracks) {
      const fitting = this.#fit(wanted.codecs, track, fits)
      if (fitting !== undefined) tracks.push(fitting)
    }
    // Of what is encoded anew the configuration is not known before the first picture.
    const configurations = new Map<string, Configuration>(start.configurations)
    for (const [trackId, fit] of fits) if (fit === 'transcoded') configurations.delete(trackId)
    const output = await wanted.create({ ...start, tracks, configurations }, (request) => this.#signal(request))
    const isDelayed = [...fits.values()].includes('transcoded')
    return {
      wanted,
      output,
      interleaver: isDelayed ? new Interleaver(tracks) : undefined,
      fits,
      into: (item) => output.push(item),
      isEmpty: true,
    }
  }

  #join(member: Member, track: Track): void {
    const fitting = this.#fit(member.wanted.codecs, track, member.fits)
    if (fitting === undefined) return
    if (member.fits.get(track.id) === 'transcoded' && member.interleaver === undefined) {
      const present = this.#tracks.filter(({ id }) => id !== track.id && member.fits.has(id))
      member.interleaver = new Interleaver(present.map((one) => this.#transcoders.get(one.id)?.track ?? one))
    }
    member.interleaver?.addTrack(fitting)
    member.output.addTrack(fitting)
  }

  /** The track as it goes into the container. */
  #fit(codecs: ContainerCodecs, track: Track, fits: Map<string, 'copied' | 'transcoded'>): Track | undefined {
    if (holds(codecs, track)) {
      fits.set(track.id, 'copied')
      return track
    }
    const transcoder = this.#transcoders.get(track.id)
    if (transcoder === undefined || !holds(codecs, transcoder.track)) {
      this.#surroundings.onLeftOut(track, codecs.name)
      return undefined
    }
    fits.set(track.id, 'transcoded')
    return transcoder.track
  }

  #needsTranscoder(track: Track, wanted = this.#members.map((member) => member.wanted)): boolean {
    return track.kind === 'video' && wanted.some(({ codecs }) => !holds(codecs, track) && codecs.video.has('h264'))
  }

  async #openTranscoder(track: Track, wanted?: readonly WantedOutput[]): Promise<void> {
    if (!this.#needsTranscoder(track, wanted === undefined ? undefined : [...wanted])) return
    this.#transcoders.set(track.id, await createVideoTranscoder({ track: track as VideoTrack }))
  }

  #into(member: Member, item: TimedItem): void {
    if (item.type === 'sample') member.isEmpty = false
    if (member.interleaver === undefined) member.output.push(item)
    else member.interleaver.push(item, member.into)
  }

  readonly #transcoded = (item: TimedItem): void => {
    for (const member of this.#members) {
      if (member.fits.get(item.trackId) === 'transcoded') this.#into(member, item)
    }
  }

  /** What is encoded here needs no sender. */
  #signal(request: KeyframeNeeded): void {
    const transcoder = this.#transcoders.get(request.trackId)
    if (transcoder === undefined) this.#surroundings.onSignal(request)
    else transcoder.requestKeyframe()
  }
}
