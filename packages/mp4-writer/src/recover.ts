import { type FileHandle, open } from 'node:fs/promises'
import { typeAt } from './box.js'
import { Mp4Error, writeError } from './errors.js'

/** What was found in an unfinished file. */
export interface RecoveredMp4 {
  readonly path: string
  /** Length of the file now. */
  readonly bytes: number
  readonly removedBytes: number
  /** Complete fragments. None: the file has nothing to play. */
  readonly fragments: number
}

/**
 * Cuts an unfinished file (the `.name.part` that a crash left) behind its last complete fragment, so that players end
 * there instead of stumbling over half a fragment. Not while it is being written. Rejects with `MP4_NOT_FRAGMENTED` and
 * leaves the file alone where it does not begin as an MP4.
 */
export async function recoverFragmentedMp4(path: string): Promise<RecoveredMp4> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r+')
    const { size } = await file.stat()
    const { end, fragments } = await lastCompleteFragment(file, size)
    if (end === 0) throw new Mp4Error('MP4_NOT_FRAGMENTED', `${path} does not begin with the boxes of an MP4 file`)
    if (end < size) {
      await file.truncate(end)
      await file.sync()
    }
    return { path, bytes: end, removedBytes: size - end, fragments }
  } catch (cause) {
    throw writeError(path, cause)
  } finally {
    await file?.close()
  }
}

/** Walks the boxes from the start: a `moof` counts once the `mdat` behind it is complete. */
async function lastCompleteFragment(file: FileHandle, size: number): Promise<{ end: number; fragments: number }> {
  const header = new Uint8Array(16)
  const view = new DataView(header.buffer)
  let end = 0
  let fragments = 0
  let inFragment = false
  for (let position = 0; position + 8 <= size; ) {
    const { bytesRead } = await file.read(header, 0, 16, position)
    if (bytesRead < 8) break
    const type = typeAt(header, 4)
    if (position === 0 && type !== 'ftyp') break
    let length = view.getUint32(0)
    if (length === 1 && bytesRead === 16) length = Number(view.getBigUint64(8))
    if (length < 8 || position + length > size) break
    position += length
    if (type === 'moof') {
      inFragment = true
    } else if (type === 'mdat' && inFragment) {
      inFragment = false
      fragments++
      end = position
    } else if (!inFragment) {
      end = position
    }
  }
  return { end, fragments }
}
