import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { TimedItem, Track } from '@rushes/media'
import { createMp4Writer, createWebmWriter, type Mp4Writer, type WebmWriter } from '@rushes/mp4-writer'
import { putFile } from '@rushes/storage-adapters'
import type { ManifestOutput } from './manifest.js'
import type { OutputContext, OutputStart, OutputSubject, PartOutput } from './output.js'
import { TrackFacts } from './track-facts.js'

/** One MP4 or WebM: it grows as a file of its own on the scratch disk and goes to the store when it is whole. */
export class Mp4Output implements PartOutput {
  readonly #context: OutputContext
  readonly #start: OutputStart
  readonly #path: string
  readonly #container: 'mp4' | 'webm'
  readonly #writer: Mp4Writer | WebmWriter
  readonly #facts: TrackFacts
  readonly #tracks: Track[]
  readonly #part: number | undefined
  /** Writes that must be waited for, since the last drain. */
  readonly #waiting: Promise<void>[] = []

  private constructor(
    context: OutputContext,
    start: OutputStart,
    part: number | undefined,
    container: 'mp4' | 'webm',
    path: string,
    writer: Mp4Writer | WebmWriter,
  ) {
    this.#context = context
    this.#part = part
    this.#container = container
    this.#start = start
    this.#path = path
    this.#writer = writer
    this.#facts = new TrackFacts(start.tracks)
    this.#tracks = [...start.tracks]
  }

  static create(context: OutputContext, start: OutputStart, part?: number): Promise<Mp4Output> {
    return Mp4Output.#open('mp4', context, start, part)
  }

  static createWebm(context: OutputContext, start: OutputStart, part?: number): Promise<Mp4Output> {
    return Mp4Output.#open('webm', context, start, part)
  }

  static async #open(
    container: 'mp4' | 'webm',
    context: OutputContext,
    start: OutputStart,
    part: number | undefined,
  ): Promise<Mp4Output> {
    const name = createHash('sha256').update(scratchName(context.subject)).digest('hex').slice(0, 24)
    const path = join(context.scratchDir, `${name}-${part ?? 1}.${container}`)
    const createWriter = container === 'mp4' ? createMp4Writer : createWebmWriter
    const writer = await createWriter({ path, tracks: start.tracks, originUs: start.startUs })
    const { subject, emit } = context
    emit({ type: 'output-started', ...subject, container })
    return new Mp4Output(context, start, part, container, path, writer)
  }

  addTrack(track: Track): void {
    this.#facts.addTrack(track)
    this.#tracks.push(track)
    this.#writer.addTrack(track)
  }

  push(item: TimedItem): void {
    if (item.type === 'sample') this.#facts.see(item)
    const waiting = this.#writer.write(item)
    if (waiting !== undefined) this.#waiting.push(waiting)
  }

  async drain(): Promise<void> {
    if (this.#waiting.length > 0) await Promise.all(this.#waiting.splice(0))
  }

  async finish(isLast?: boolean): Promise<ManifestOutput[]> {
    await this.drain()
    await this.#writer.finish()
    const { store, signal, emit, naming, subject } = this.#context
    const { startUs } = this.#start
    const endUs = this.#facts.endUs ?? startUs
    // Named at its end, when everything is known of it.
    const own = { container: this.#container, tracks: this.#tracks, part: this.#part, isLast, startUs, endUs }
    const key = naming.of(own).main
    const sha256 = await hashOf(this.#path)
    const put = await putFile(store, key, this.#path, {
      contentType: `video/${this.#container}`,
      move: true,
      ...(signal === undefined ? undefined : { signal }),
    })
    emit({ type: 'stored', key, bytes: put.bytes })
    const output: ManifestOutput = {
      ...subject,
      container: this.#container,
      key,
      location: put.location,
      bytes: put.bytes,
      sha256,
      startUs,
      durationUs: endUs - startUs,
      ...(this.#part === undefined ? undefined : { part: this.#part }),
      ...this.#facts.describe(),
    }
    emit({ type: 'output-ready', output })
    return [output]
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#waiting.splice(0))
    await this.#writer.abort()
    await rm(this.#path, { force: true })
  }
}

/** Tells outputs that grow side by side apart. */
function scratchName(subject: OutputSubject): string {
  return JSON.stringify([subject.kind, subject.participantId, subject.name])
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
