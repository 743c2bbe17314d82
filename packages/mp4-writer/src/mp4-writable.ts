import type { Writable } from 'node:stream'
import { FileWritable } from './file-writable.js'
import { createMp4Writer, type Mp4Summary, type Mp4WriterOptions } from './mp4-writer.js'

/** A Writable of timed items; `summary` is there once it has finished. */
export interface Mp4Writable extends Writable {
  readonly summary: Mp4Summary | undefined
}

/**
 * {@link createMp4Writer} as a sink of `stream.pipeline`: the file gets its name when the stream finishes, and leaves
 * nothing behind when it is destroyed before (wait for `close`).
 */
export function createMp4Writable(options: Mp4WriterOptions): Mp4Writable {
  return new FileWritable(() => createMp4Writer(options))
}
