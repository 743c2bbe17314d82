import { createHash } from 'node:crypto'
import { createReadStream, type ReadStream } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { linkOrCopy, syncPath, writePieces } from '../local/file-writes.js'
import type { StoreBody } from '../store.js'
import { bodyPieces, readBody } from '../store-body.js'

/** Blocks in which a file is read back. */
const READ_BYTES = 262_144

/**
 * The files of the bodies: `objects/<id>.part` until the journal has the entry, then `objects/<id>.body`. So a `.part`
 * without an entry was never acknowledged.
 */
export class SpoolFiles {
  readonly #folder: string
  readonly #fsync: boolean

  constructor(dir: string, fsync: boolean) {
    this.#folder = join(dir, 'objects')
    this.#fsync = fsync
  }

  async create(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
  }

  pathOf(id: number): string {
    return join(this.#folder, `${nameOf(id)}.body`)
  }

  /** Writes a body. `reserve` is called before each write with its bytes, and may refuse by throwing. */
  async write(
    id: number,
    body: StoreBody,
    options: { readonly signal?: AbortSignal; readonly sha256?: boolean },
    reserve: (bytes: number) => Promise<void> | void,
  ): Promise<{ readonly bytes: number; readonly sha256?: string }> {
    const handle = await open(this.#partOf(id), 'wx', 0o600)
    const hash = options.sha256 === true ? createHash('sha256') : undefined
    let bytes = 0
    const take = async (pieces: readonly Uint8Array[]): Promise<void> => {
      let length = 0
      for (const piece of pieces) {
        hash?.update(piece)
        length += piece.byteLength
      }
      await reserve(length)
      await writePieces(handle, pieces)
      bytes += length
    }
    try {
      const pieces = bodyPieces(body)
      if (pieces?.every((piece) => piece instanceof Uint8Array) === true) await take(pieces)
      else await readBody(body, options.signal, (chunk) => take([chunk]))
      if (this.#fsync) await handle.datasync()
    } finally {
      await handle.close()
    }
    return hash === undefined ? { bytes } : { bytes, sha256: hash.digest('hex') }
  }

  /** Takes a file over: by a second name, or a copy where it is to stay or lies on another file system. */
  async adopt(id: number, path: string, move: boolean): Promise<void> {
    await linkOrCopy(path, this.#partOf(id), move)
    if (!this.#fsync) return
    const handle = await open(this.#partOf(id), 'r')
    try {
      await handle.datasync()
    } finally {
      await handle.close()
    }
  }

  /** The names of new files are on the disk, where that is asked for. */
  async syncNames(): Promise<void> {
    if (this.#fsync) await syncPath(this.#folder)
  }

  /** The journal has the entry. */
  async accept(id: number): Promise<void> {
    await rename(this.#partOf(id), this.pathOf(id))
  }

  async remove(id: number): Promise<void> {
    await rm(this.pathOf(id), { force: true })
  }

  async removePart(id: number): Promise<void> {
    await rm(this.#partOf(id), { force: true })
  }

  /** Bytes of a body, `undefined` when it is not there. */
  async bytesOf(id: number): Promise<number | undefined> {
    return await stat(this.pathOf(id)).then(
      ({ size }) => size,
      () => undefined,
    )
  }

  read(id: number): ReadStream {
    return createReadStream(this.pathOf(id), { highWaterMark: READ_BYTES })
  }

  open(id: number): Promise<FileHandle> {
    return open(this.pathOf(id), 'r')
  }

  /** Ids of what is there. Files with other names are nobody's business. */
  async scan(): Promise<{ readonly parts: readonly number[]; readonly bodies: ReadonlySet<number> }> {
    const parts: number[] = []
    const bodies = new Set<number>()
    for (const name of await readdir(this.#folder)) {
      const match = /^([0-9a-f]{12})\.(part|body)$/.exec(name)
      if (match === null) continue
      const id = Number.parseInt(match[1] as string, 16)
      if (match[2] === 'part') parts.push(id)
      else bodies.add(id)
    }
    return { parts, bodies }
  }

  #partOf(id: number): string {
    return join(this.#folder, `${nameOf(id)}.part`)
  }
}

/** Whether a path names a plain file, not followed through links. */
export async function plainFileBytes(path: string): Promise<number | undefined> {
  const info = await lstat(path)
  return info.isFile() ? info.size : undefined
}

function nameOf(id: number): string {
  return id.toString(16).padStart(12, '0')
}
