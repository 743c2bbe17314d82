import { posix } from 'node:path'

/** What there is of a recording before it has begun. */
const NOTHING_YET = { hls: null, segments: 0, segmentBytes: 0 }

/** What the page asks for, kept up to date by what the replay and the render tell. Times are microseconds. */
export class RecordingStatus {
  #participants = new Map()
  #composite = { ...NOTHING_YET, outputs: [] }
  #facts
  #urlOf
  #state = 'recording'
  #recordedUs = 0
  #manifest = null
  #manifestUrl = null
  #error = null

  /** `facts`: recordingId, startedAt, expectedUs, title, earlier. `urlOf` makes a URL of a key. */
  constructor(facts, urlOf) {
    this.#facts = facts
    this.#urlOf = urlOf
  }

  /** Something happened in the room. */
  room({ type, participant: id, atMs, name }) {
    if (type === 'join') this.#participant(id, name).joinedUs ??= atMs * 1000
    if (type === 'join') this.#participant(id).leftUs = null
    if (type === 'leave') this.#participant(id).leftUs = atMs * 1000
  }

  /** The render says something. */
  render(event) {
    switch (event.type) {
      case 'progress':
        this.#recordedUs = event.recordedUs
        break
      case 'output-started':
        if (event.container === 'hls') this.#subject(event).hls = this.#urlOf(event.key)
        break
      case 'stored': {
        if (posix.basename(event.key) === 'manifest.json') this.#manifestUrl = this.#urlOf(event.key)
        const recording = this.#recordingIn(posix.basename(posix.dirname(event.key)))
        if (recording !== undefined && event.key.endsWith('.ts')) {
          recording.segments += 1
          recording.segmentBytes += event.bytes
        }
        break
      }
      case 'output-ready':
        this.#subject(event.output).outputs.push({
          ...event.output,
          url: this.#urlOf(event.output.key),
        })
        break
    }
  }

  finishing(recordedUs) {
    this.#state = 'finishing'
    this.#recordedUs = recordedUs
    for (const participant of this.#participants.values()) participant.leftUs ??= recordedUs
  }

  ready(manifest) {
    this.#state = 'ready'
    this.#manifest = manifest
    this.#recordedUs = manifest.durationUs
  }

  failed(error) {
    this.#state = 'failed'
    this.#error = error.message
  }

  /** Of a folder of segments: how many there are. */
  segmentsIn(folder) {
    return this.#recordingIn(folder)?.segments ?? 0
  }

  toJSON() {
    return {
      ...this.#facts,
      state: this.#state,
      recordedUs: this.#recordedUs,
      composite: this.#composite,
      participants: [...this.#participants.values()],
      manifest: this.#manifest,
      manifestUrl: this.#manifestUrl,
      error: this.#error,
    }
  }

  /** Whom an output shows: somebody, or everyone. */
  #subject({ kind, participantId }) {
    return kind === 'composite' ? this.#composite : this.#participant(participantId)
  }

  /** The recording whose segments lie in a folder of this name: that of a participant, or the composite's. */
  #recordingIn(folder) {
    return folder === 'composite' ? this.#composite : this.#participants.get(folder)
  }

  #participant(id, name = id) {
    let participant = this.#participants.get(id)
    if (participant === undefined) {
      participant = { id, name, joinedUs: null, leftUs: null, ...NOTHING_YET, outputs: [] }
      this.#participants.set(id, participant)
    }
    return participant
  }
}
