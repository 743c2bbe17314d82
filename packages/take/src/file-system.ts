import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** An open file, as far as takes need it; Node's `FileHandle` is one. */
export interface OpenFile {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
  /** May write less than it was given. */
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>
  truncate(length: number): Promise<void>
  sync(): Promise<void>
  /** As `sync`, without times and rights. */
  datasync(): Promise<void>
  close(): Promise<void>
}

/** Whatever changes something on the disk goes through here, so that tests can make a disk stall, fail or die. */
export interface TakeFileSystem {
  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx'): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>
}

/** The machine's own. */
export const nodeFileSystem: TakeFileSystem = {
  open: (path, flags) => open(path, flags),
  rename,
  remove: (path) => rm(path, { force: true }),
}

/** Writes all of `bytes` at `position`, also where the system takes them in several bites. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const left = bytes.byteLength - written
    const { bytesWritten } = await file.write(bytes, written, left, position + written)
    // A disk that takes nothing and does not say why would be asked for ever.
    if (!(bytesWritten > 0)) throw new Error(`nothing of ${left} bytes was written, and no reason given`)
    written += bytesWritten
  }
}

/** A name in a folder is durable once the folder is. Some systems cannot sync folders, and then need not. */
export async function syncFolder(dir: string, files: TakeFileSystem): Promise<void> {
  const handle = await files.open(dir, 'r').catch(() => undefined)
  try {
    await handle?.sync()
  } catch {
    // EINVAL, EPERM: not possible here.
  } finally {
    await handle?.close()
  }
}

/** Makes a folder and those above it; with `sync` their names are on the disk when this resolves. */
export async function makeFolder(dir: string, sync: boolean, files: TakeFileSystem): Promise<void> {
  const first = await mkdir(dir, { recursive: true })
  if (!sync || first === undefined) return
  for (let path = dir; path.length >= first.length; path = dirname(path)) await syncFolder(dirname(path), files)
}
