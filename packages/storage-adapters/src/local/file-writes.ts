import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, open } from 'node:fs/promises'
import { systemCode } from './system-error.js'

/** Pieces that one call of the system takes (IOV_MAX of Linux). */
const MAX_PIECES = 1024

/** A segment is hundreds of small pieces: one call of the system for many. A system may write less than it was given. */
export async function writePieces(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  let left = pieces.filter((piece) => piece.byteLength > 0)
  while (left.length > 0) {
    let { bytesWritten } = await handle.writev(left.slice(0, MAX_PIECES))
    let index = 0
    for (; index < left.length; index += 1) {
      const length = (left[index] as Uint8Array).byteLength
      if (bytesWritten < length) break
      bytesWritten -= length
    }
    left = left.slice(index)
    if (bytesWritten > 0) left[0] = (left[0] as Uint8Array).subarray(bytesWritten)
  }
}

/**
 * Gives a file a second place: with `move` a second name, so that the first one goes only when all is done. On another
 * file system, or when the file is to stay, a copy, which costs nothing where blocks can be shared.
 */
export async function linkOrCopy(path: string, target: string, move: boolean): Promise<void> {
  const linked =
    move &&
    (await link(path, target).then(
      () => true,
      () => false,
    ))
  if (!linked) await copyFile(path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
}

/** Waits until a file, or the names in a folder, are on the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some systems cannot sync a folder.
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw error
  } finally {
    await handle.close()
  }
}
