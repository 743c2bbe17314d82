import { Writable } from 'node:stream'
import type { TimedItem } from '@rushes/media'

/** What writes a file, as a Writable drives it. */
export interface FileWriter<Summary> {
  write(item: TimedItem): void | Promise<void>
  finish(): Promise<Summary>
  abort(): Promise<void>
}

/**
 * A writer of a file as a sink of `stream.pipeline`: the file gets its name when the stream finishes, and leaves nothing
 * behind when it is destroyed before.
 */
export class FileWritable<Summary> extends Writable {
  readonly #open: () => Promise<FileWriter<Summary>>
  #writer: FileWriter<Summary> | undefined
  summary: Summary | undefined

  constructor(open: () => Promise<FileWriter<Summary>>) {
    super({ objectMode: true, highWaterMark: 64 })
    this.#open = open
  }

  override _construct(callback: (error?: Error | null) => void): void {
    this.#open().then((writer) => {
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
