import type { Layout } from '@rushes/compositor'
import type {
  KeyframeNeeded,
  NewTrack,
  RecordingEventData,
  RecordingEventType,
  TrackSink,
  TrackTarget,
} from '@rushes/media'
import { ConfigurationError } from '@rushes/media'
import type { Manifest, RenderEvent, RenderMonitor } from '@rushes/render'
import type { LiveSource, TakeEvent, TakeWriter } from '@rushes/take'
import { isRtcpPacket } from '@rushes/take'
import { Attendance } from './attendance.js'
import { RecorderError } from './errors.js'
import type { EventJournal } from './event-journal.js'
import type { Feed } from './feed.js'
import { HostNotes, type LayoutChange, type NotedTrack } from './host-notes.js'
import { KeyframeRequests } from './keyframe-requests.js'
import { Lifecycle, type LifecycleChange, type RecordingState, type StopReason } from './lifecycle.js'
import { RecordedTrack, type TrackHost } from './recorded-track.js'
import type { RecorderSurroundings } from './recorder-surroundings.js'
import type { RecordingSignal, RecordingStats } from './recording-signal.js'
import { packetsOf, RefusalWatch } from './refusal-watch.js'
import { checkNewTrack, sessionEntry } from './session-entry.js'
import type { RecordingSettings } from './settings.js'
import { TrackMeter } from './track-meter.js'

/** A track with where its packets come from. */
export interface RecordingTrackOptions extends NewTrack {
  /** RTP and RTCP packets, read by the recording until it stops. Without it the host calls `write`. */
  readonly source?: AsyncIterable<Uint8Array | { readonly data: Uint8Array; readonly arrivalUs?: number }>
}

/** How often time is looked at, whatever is awaited. */
const TICK_US = 1_000_000

/** What a recording is made of. */
export interface RecordingParts {
  readonly recordingId: string
  readonly roomId: string
  readonly settings: RecordingSettings
  readonly startUs: number
  readonly writer: TakeWriter
  /** Absent where outputs are made afterwards. */
  readonly source: LiveSource | undefined
  readonly events: EventJournal
  readonly feed: Feed<RecordingSignal>
  readonly surroundings: RecorderSurroundings
  /** Finishes the outputs of a recording that has stopped. Rejects when they cannot be made. */
  readonly finish: (recording: Recording) => Promise<Manifest>
}

/** One recording while it is made. It takes tracks; what is read of it are `events`, `state` and `stats`. */
export class Recording implements TrackTarget {
  readonly recordingId: string
  readonly roomId: string
  readonly settings: RecordingSettings
  readonly #parts: RecordingParts
  readonly #lifecycle: Lifecycle
  readonly #keyframes: KeyframeRequests
  readonly #tracks = new Map<string, RecordedTrack>()
  /** By the id that a stretch of a track has in the journal. */
  readonly #trackOfStretch = new Map<string, RecordedTrack>()
  readonly #people = new Attendance()
  readonly #subscribed = new Set<string>()
  readonly #meter = new TrackMeter()
  readonly #host: TrackHost
  readonly #notes: HostNotes
  readonly #done: Promise<Manifest>
  #resolveDone: (manifest: Manifest) => void = () => {}
  #rejectDone: (error: unknown) => void = () => {}
  #stretches = 0
  #isAbandoned = false
  #nextStatsUs: number
  readonly #refusals = new RefusalWatch()
  #cancelTimer: (() => void) | undefined
  #monitor: RenderMonitor | undefined

  /** Made by `recorder.start`. */
  constructor(parts: RecordingParts) {
    const { clock, statsIntervalMs } = parts.surroundings
    this.#parts = parts
    this.recordingId = parts.recordingId
    this.roomId = parts.roomId
    this.settings = parts.settings
    this.#lifecycle = new Lifecycle(parts.settings.limits ?? {}, parts.startUs, (change) => this.#changed(change))
    this.#keyframes = new KeyframeRequests((request) => this.#askForKeyframe(request))
    this.#nextStatsUs = parts.startUs + statsIntervalMs * 1000
    this.#host = {
      open: (track, stretch) => this.#openStretch(track, stretch),
      close: (id) => this.#closeStretch(id),
      packet: (id, packet, arrivalUs) => this.#packet(id, packet, arrivalUs),
      ended: (track) => this.#trackEnded(track),
      nowUs: () => clock.nowUs(),
    }
    this.#notes = new HostNotes(parts.settings, {
      note: (event) => this.#note(event),
      tell: (type, data) => this.#tell(type, data),
    })
    this.#done = new Promise((resolve, reject) => {
      this.#resolveDone = resolve
      this.#rejectDone = reject
    })
    // Whoever does not wait for the end reads of it in the events.
    this.#done.catch(() => {})
    this.#arm()
  }

  /** Everything that happens from now on; each reader gets all of it. It ends when the outputs are finished. */
  get events(): AsyncIterable<RecordingSignal> {
    return this.#parts.feed
  }

  /** Calls `listener` with each event from now on. Returns what stops it. */
  on(listener: (signal: RecordingSignal) => void): () => void {
    return this.#parts.feed.listen(listener)
  }

  get state(): RecordingState {
    return this.#lifecycle.state
  }

  /** Resolves with the manifest when everything is in the store; rejects when the outputs could not be made. */
  get done(): Promise<Manifest> {
    return this.#done
  }

  /**
   * Begins a track.
   * @throws ConfigurationError naming the field; RecorderError `RECORDER_CLOSED` after the recording has stopped
   */
  addTrack(track: RecordingTrackOptions): TrackSink {
    this.#mustRun()
    checkNewTrack(track)
    const id = track.id ?? this.#newTrackId(track)
    if (this.#tracks.has(id)) throw new ConfigurationError('track.id', 'is there already', id)
    const recorded = new RecordedTrack(id, track, this.#host)
    this.#tracks.set(id, recorded)
    this.#enter(track.participantId, {}, false)
    this.#people.trackBegan(track.participantId)
    this.#proceed(recorded)
    const { participantId, kind, codec } = track
    this.#tell('TRACK_ADDED', { participantId, trackId: id, kind, codec })
    if (track.source !== undefined) void this.#read(recorded, track.source)
    return recorded
  }

  /** Ends a track; so does its own `end()`. One that is not there is no error. */
  removeTrack(trackId: string): void {
    this.#tracks.get(trackId)?.end()
  }

  /** Somebody is in the room, also without tracks: it is not idle. */
  participantJoined(participant: { readonly id: string; readonly name?: string }): void {
    this.#mustRun()
    this.#enter(participant.id, participant.name === undefined ? {} : { name: participant.name }, true)
  }

  /** Somebody has left the room, with all tracks. */
  participantLeft(participantId: string): void {
    if (!this.#people.dismiss(participantId)) return
    for (const track of this.#tracks.values()) {
      if (track.definition.participantId === participantId) track.end()
    }
    this.#leaveIfGone(participantId)
  }

  /** With `subscribe: 'manual'`: this participant is recorded from now on. */
  subscribe(participantId: string): void {
    this.#subscribed.add(participantId)
    this.#review(participantId)
  }

  unsubscribe(participantId: string): void {
    this.#subscribed.delete(participantId)
    this.#review(participantId)
  }

  /** Nothing is recorded until `resume`. `false` when it is paused already or has stopped. */
  pause(): boolean {
    if (!this.#lifecycle.pause()) return false
    for (const track of this.#tracks.values()) track.suspend()
    const mode = this.settings.pause ?? 'hold'
    this.#note({ type: 'pause', mode })
    this.#tell('PAUSED', { mode })
    return true
  }

  resume(): boolean {
    if (!this.#lifecycle.resume(this.#nowUs())) return false
    this.#note({ type: 'resume' })
    for (const track of this.#tracks.values()) this.#proceed(track)
    this.#tell('RESUMED', {})
    this.#arm()
    return true
  }

  /** Marks this moment; it stands in the manifest. */
  mark(label: string): void {
    this.#mustRun()
    this.#notes.mark(label)
  }

  /**
   * Another layout for the composite picture, from now on.
   * @throws ConfigurationError naming the field; CompositorError `LAYOUT_INVALID`; RecorderError `RECORDER_CLOSED`
   */
  setLayout(layout: string | Layout, change: LayoutChange = {}): void {
    this.#mustRun()
    this.#notes.layout(layout, change)
  }

  /** A microphone or a camera is off, or on again: what composites show of it. One that is not there is no error. */
  trackMuted(trackId: string, isMuted: boolean): void {
    const track = this.#tracks.get(trackId)
    if (track?.isEnded === false) this.#notes.muted(this.#noted(track), isMuted)
  }

  /** A video track shows something else from now on, or nothing (`RTCRtpSender.replaceTrack`). */
  trackShows(trackId: string, source: 'camera' | 'screen' | 'none'): void {
    const track = this.#tracks.get(trackId)
    if (track?.isEnded === false) this.#notes.shows(this.#noted(track), source)
  }

  /** Stops, and resolves with the manifest when everything is in the store. May be called again, to wait. */
  stop(reason: StopReason = 'requested'): Promise<Manifest> {
    this.#lifecycle.stop(reason)
    return this.#done
  }

  /** How it is doing now. */
  get stats(): RecordingStats {
    const { writer, source, feed } = this.#parts
    const { packets, bytes, bufferedBytes } = writer.stats
    return {
      state: this.state,
      participants: this.#people.size,
      tracks: this.#meter.look(this.#tracks.values(), this.#monitor?.tracks() ?? [], this.#nowUs()),
      packets,
      bytes,
      bufferedBytes,
      refused: packetsOf(writer.stats.refused),
      liveRefused: source === undefined ? 0 : packetsOf(source.stats.refused),
      eventsDropped: feed.dropped,
    }
  }

  // For the recorder.

  /** An event of the recording as a whole. */
  tell(type: RecordingEventType, data: RecordingEventData): void {
    this.#tell(type, data)
  }

  /** What the live render says. */
  rendering(event: RenderEvent): void {
    if (event.type === 'keyframe-needed') this.#keyframes.need(event, this.#nowUs())
    else if (event.type === 'keyframe') this.#keyframes.arrived(event.trackId)
    if (event.type === 'keyframe-needed') this.#arm()
  }

  monitor(monitor: RenderMonitor): void {
    this.#monitor = monitor
  }

  get folder(): string {
    return this.#parts.writer.dir
  }

  /** As a crash would leave it. */
  async abandon(): Promise<void> {
    this.#cancelTimer?.()
    this.#isAbandoned = true
    for (const track of this.#tracks.values()) track.detach()
    await this.#parts.writer.abort()
    this.#parts.source?.end()
    await this.#parts.events.settled()
    this.#parts.feed.end()
  }

  // ---

  /** Of a track that is not being recorded it is noted by its own id: it goes for the stretch that begins next. */
  #noted({ id, definition: { participantId }, journalId = id }: RecordedTrack): NotedTrack {
    return { id, participantId, journalId }
  }

  #nowUs(): number {
    return this.#parts.surroundings.clock.nowUs()
  }

  /** Recording time. */
  #offsetUs(): number {
    return Math.max(0, this.#nowUs() - this.#parts.startUs)
  }

  #mustRun(): void {
    const { state } = this
    if (state === 'processing' || state === 'ready' || state === 'failed') {
      const { recordingId } = this
      throw new RecorderError('RECORDER_CLOSED', `recording ${recordingId} has stopped`, { recordingId })
    }
  }

  #newTrackId({ participantId, kind }: NewTrack): string {
    for (let number = 1; ; number++) {
      const id = number === 1 ? `${participantId}-${kind}` : `${participantId}-${kind}-${number}`
      if (!this.#tracks.has(id) && !this.#trackOfStretch.has(id)) return id
    }
  }

  #isWanted(track: RecordedTrack): boolean {
    if (this.state === 'paused' || track.isEnded) return false
    const { participantId, kind } = track.definition
    const { subscribe, media } = this.settings
    if (media !== undefined && media !== 'both' && media !== kind) return false
    return subscribe !== 'manual' || this.#subscribed.has(participantId)
  }

  /** What is wanted of a participant has changed. */
  #review(participantId: string): void {
    for (const track of this.#tracks.values()) {
      if (track.definition.participantId !== participantId) continue
      if (this.#isWanted(track)) this.#proceed(track)
      else track.suspend()
    }
  }

  #proceed(track: RecordedTrack): void {
    if (track.journalId !== undefined || !this.#isWanted(track)) return
    track.proceed()
    this.#askForFirstKeyframe(track)
  }

  #openStretch(track: RecordedTrack, stretch: number): string | undefined {
    const { writer, source, surroundings } = this.#parts
    const id = stretch === 1 ? track.id : `${track.id}~${stretch}`
    this.#stretches += 1
    const entry = sessionEntry(track.definition, id, this.#stretches, Math.floor(this.#offsetUs() / 1000))
    try {
      writer.addTrack(track.definition.participantId, entry)
      source?.addTrack(track.definition.participantId, entry)
    } catch (error) {
      surroundings.logger.error('a track cannot be journalled', { recordingId: this.recordingId, trackId: id, error })
      this.#tell('WARNING', { code: 'TRACK_REFUSED', trackId: id, message: (error as Error).message })
      return undefined
    }
    this.#trackOfStretch.set(id, track)
    return id
  }

  /** Nothing of a camera can be shown before its first keyframe: nobody waits until that has been found out. */
  #askForFirstKeyframe(track: RecordedTrack): void {
    if (track.definition.kind !== 'video' || track.journalId === undefined) return
    this.#keyframes.need({ type: 'keyframe-needed', trackId: track.journalId, reason: 'start' }, this.#nowUs())
    // Without live outputs nobody says that it has come.
    if (this.#parts.source === undefined) this.#keyframes.arrived(track.journalId)
    this.#arm()
  }

  #closeStretch(journalId: string): void {
    const { writer, source } = this.#parts
    const atMs = this.#offsetUs() / 1000
    writer.endTrack(journalId, atMs)
    source?.endTrack(journalId, atMs)
    this.#keyframes.forget(journalId)
  }

  #packet(journalId: string, packet: Uint8Array, arrivalUs: number): boolean {
    const { writer, source, startUs } = this.#parts
    const offsetUs = arrivalUs > startUs ? arrivalUs - startUs : 0
    const kept = writer.write(journalId, packet, offsetUs)
    const taken = source === undefined || source.write(journalId, packet, offsetUs)
    if (this.#lifecycle.state === 'recording') this.#lifecycle.media(arrivalUs)
    else if (!isRtcpPacket(packet)) this.#lifecycle.media(arrivalUs)
    return kept && taken
  }

  #trackEnded(track: RecordedTrack): void {
    const { participantId } = track.definition
    this.#people.trackEnded(participantId)
    this.#tell('TRACK_REMOVED', { participantId, trackId: track.id })
    this.#leaveIfGone(participantId)
  }

  #enter(participantId: string, details: { readonly name?: string }, explicit: boolean): void {
    if (!this.#people.enter(participantId, explicit)) return
    this.#lifecycle.join(participantId)
    this.#note({ type: 'join', participant: participantId, ...details })
    this.#tell('PARTICIPANT_JOINED', { participantId, ...details })
  }

  #leaveIfGone(participantId: string): void {
    if (!this.#people.leaveIfGone(participantId)) return
    this.#lifecycle.leave(participantId, this.#nowUs())
    if (this.state === 'processing') return
    this.#note({ type: 'leave', participant: participantId })
    this.#tell('PARTICIPANT_LEFT', { participantId })
    this.#arm()
  }

  /** Into the journal, and to the live outputs. */
  #note(event: { readonly type: string } & Record<string, unknown>): void {
    const { writer, source } = this.#parts
    const whole: TakeEvent = { atMs: this.#offsetUs() / 1000, ...event }
    writer.event(whole)
    source?.event(whole)
  }

  #tell(type: RecordingEventType, data: RecordingEventData): void {
    const at = new Date(this.#parts.surroundings.now()).toISOString()
    this.#parts.events.add({ type, at, recordingTimeUs: this.#offsetUs(), data })
  }

  #changed(change: LifecycleChange): void {
    if (change.type === 'stop') {
      void this.#stopNow(change.reason)
      return
    }
    const { state, previous } = change
    if (state === 'recording' && previous === 'waiting') this.#tell('RECORDING', {})
    if (state === 'interrupted') this.#tell('WARNING', { code: 'NO_MEDIA', message: 'no packet has come for 3 s' })
    if (state === 'recording') this.#arm()
  }

  async #stopNow(reason: StopReason): Promise<void> {
    this.#cancelTimer?.()
    this.#tell('STOP', { reason })
    for (const track of this.#tracks.values()) track.end()
    this.#parts.source?.end()
    try {
      const manifest = await this.#parts.finish(this)
      this.#lifecycle.finished('ready')
      this.#resolveDone(manifest)
    } catch (error) {
      this.#lifecycle.finished('failed')
      this.#rejectDone(error)
    } finally {
      await this.#parts.events.settled()
      this.#parts.feed.end()
    }
  }

  #askForKeyframe(request: KeyframeNeeded): void {
    const track = this.#trackOfStretch.get(request.trackId)
    if (track === undefined || track.journalId !== request.trackId) return
    const { participantId, onKeyframeNeeded } = track.definition
    const { reason } = request
    try {
      onKeyframeNeeded?.({ type: 'keyframe-needed', trackId: track.id, reason })
    } catch (error) {
      this.#parts.surroundings.logger.error('onKeyframeNeeded threw', { recordingId: this.recordingId, error })
    }
    const { recordingId } = this
    this.#parts.feed.push({ type: 'keyframeNeeded', recordingId, participantId, trackId: track.id, reason })
  }

  async #read(track: RecordedTrack, source: NonNullable<RecordingTrackOptions['source']>): Promise<void> {
    try {
      for await (const packet of source) {
        if (track.isEnded) break
        const kept = packet instanceof Uint8Array ? track.write(packet) : track.write(packet.data, packet.arrivalUs)
        if (!kept) await this.#parts.writer.drain()
      }
    } catch (error) {
      this.#parts.surroundings.logger.warn('the source of a track failed', { recordingId: this.recordingId, error })
      this.#tell('WARNING', { code: 'SOURCE_FAILED', trackId: track.id, message: (error as Error).message })
    }
    track.end()
  }

  /** One timer for all that is awaited. */
  #arm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#isAbandoned || this.state === 'processing' || this.state === 'ready' || this.state === 'failed') return
    const { clock } = this.#parts.surroundings
    const nowUs = clock.nowUs()
    const deadline = Math.min(
      nowUs + TICK_US,
      this.#lifecycle.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#keyframes.nextDeadline() ?? Number.POSITIVE_INFINITY,
    )
    this.#cancelTimer = clock.schedule(Math.max(deadline, nowUs), () => this.#tick())
  }

  #tick(): void {
    const nowUs = this.#nowUs()
    this.#keyframes.tick(nowUs)
    this.#lifecycle.grown(this.#parts.writer.stats.bytes)
    this.#lifecycle.tick(nowUs)
    const { writer, source } = this.#parts
    for (const warning of this.#refusals.look(writer.stats.refused, source?.stats.refused))
      this.#tell('WARNING', warning)
    if (nowUs >= this.#nextStatsUs) {
      this.#nextStatsUs = nowUs + this.#parts.surroundings.statsIntervalMs * 1000
      this.#parts.feed.push({ type: 'stats', recordingId: this.recordingId, stats: this.stats })
    }
    this.#arm()
  }
}
