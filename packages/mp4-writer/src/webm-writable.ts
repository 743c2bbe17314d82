import type { Writable } from 'node:stream'
import { FileWritable } from './file-writable.js'
import { createWebmWriter, type WebmSummary, type WebmWriterOptions } from './webm-writer.js'

/** A Writable of timed items; `summary` is there once it has finished. */
export interface WebmWritable extends Writable {
  readonly summary: WebmSummary | undefined
}

/** {@link createWebmWriter} as a sink of `stream.pipeline`, with the contract of `createMp4Writable`. */
export function createWebmWritable(options: WebmWriterOptions): WebmWritable {
  return new FileWritable(() => createWebmWriter(options))
}
