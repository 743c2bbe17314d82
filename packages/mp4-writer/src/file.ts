import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Longest file name that the common file systems take. */
const MAX_NAME_BYTES = 255
const COPY_BUFFER_BYTES = 1 << 20
/** As many as Linux takes in one call. */
const MAX_PIECES = 1024

/** A hidden name beside `path`, for what is not finished. */
export function temporaryPath(path: string, suffix: string): string {
  const name = basename(path)
  const hidden = `.${name}${suffix}`
  // A long name leaves no room for the suffix; its hash stands for it.
  const fits = Buffer.byteLength(hidden) <= MAX_NAME_BYTES
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return join(dirname(path), fits ? hidden : `.${hash}${suffix}`)
}

/** Writes all of `bytes` at `position`: one `write` may write less. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, offset, bytes.byteLength - offset, position + offset)
    offset += bytesWritten
  }
}

/** Writes the pieces one behind the other from `position` on. */
export async function writePieces(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let at = position
  for (let index = 0; index < pieces.length; ) {
    const some = pieces.slice(index, index + MAX_PIECES)
    let { bytesWritten: left } = await file.writev(some, at)
    at += left
    for (; index < pieces.length && left >= pieces[index]!.byteLength; index++) left -= pieces[index]!.byteLength
    // It may write less than it was given.
    if (left > 0) {
      const rest = pieces[index++]!.subarray(left)
      await writeAll(file, rest, at)
      at += rest.byteLength
    }
  }
}

/** A stretch of a file. */
export interface FileRange {
  readonly position: number
  readonly length: number
}

/** Copies the ranges one behind the other to `target` at `position`, a megabyte at a time. */
export async function copyRanges(
  source: FileHandle,
  ranges: readonly FileRange[],
  target: FileHandle,
  position: number,
): Promise<void> {
  const buffer = new Uint8Array(COPY_BUFFER_BYTES)
  let filled = 0
  let written = position
  const flush = async (): Promise<void> => {
    await writeAll(target, buffer.subarray(0, filled), written)
    written += filled
    filled = 0
  }
  for (const range of ranges) {
    for (let done = 0; done < range.length; ) {
      if (filled === buffer.byteLength) await flush()
      const want = Math.min(range.length - done, buffer.byteLength - filled)
      const { bytesRead } = await source.read(buffer, filled, want, range.position + done)
      if (bytesRead === 0) throw new Error(`the file ends ${range.length - done} bytes too early`)
      done += bytesRead
      filled += bytesRead
    }
  }
  await flush()
}

/** Makes a rename outlast a power failure, where the system lets a folder be synced. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch {
    // Not every file system has it; the file itself has been synced.
  }
}
