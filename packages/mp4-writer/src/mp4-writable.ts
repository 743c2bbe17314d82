import { Writable } from 'node:stream'
import type { TimedItem } from '@rushes/media'
import { createMp4Writer, type Mp4Summary, type Mp4Writer, type Mp4WriterOptions } from './mp4-writer.js'

/** A Writable of timed items; `summary` is there once it has finished. */
export interface Mp4Writable extends Writable {
  readonly summary: Mp4Summary | undefined
}

class Mp4FileWritable extends Writable implements Mp4Writable {
  readonly #options: Mp4WriterOptions
  #writer: Mp4Writer | undefined
  summary: Mp4Summary | undefined

  constructor(options: Mp4WriterOptions) {
    super({ objectMode: true, highWaterMark: 64 })
    this.#options = options
  }

  override _construct(callback: (error?: Error | null) => void): void {
    createMp4Writer(this.#options).then((writer) => {
      this.#writer = writer
      callback()
    }, callback)
  }

  override _write(item: TimedItem, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    let waiting: void | Promise<void>
    try {
      waiting = this.#writer?.write(item)
    } catch (error) {
      callback(error as Error)
      return
    }
    if (waiting === undefined) callback()
    else waiting.then(() => callback(), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#writer === undefined) {
      callback()
      return
    }
    this.#writer.finish().then((summary) => {
      this.summary = summary
      callback()
    }, callback)
  }

  // Does nothing after `finish`, so that only an unfinished file is removed.
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#writer === undefined) callback(error)
    else {
      this.#writer.abort().then(
        () => callback(error),
        (failure: unknown) => callback(error ?? (failure as Error)),
      )
    }
  }
}

/**
 * {@link createMp4Writer} as a sink of `stream.pipeline`: the file gets its name when the stream finishes, and leaves
 * nothing behind when it is destroyed before (wait for `close`).
 */
export function createMp4Writable(options: Mp4WriterOptions): Mp4Writable {
  return new Mp4FileWritable(options)
}
