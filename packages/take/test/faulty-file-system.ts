import { nodeFileSystem, type OpenFile, type TakeFileSystem } from '../src/file-system.js'

/** What a write does: all, half without a word, or an error after so much of it is on the disk. */
export type WriteFault = 'none' | 'short' | 'stall' | 'ENOSPC' | 'half, then EIO'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

/** A disk whose writes go as `next` says. */
export function troubledFileSystem(next: (path: string) => WriteFault | Promise<WriteFault>): TakeFileSystem {
  return {
    ...nodeFileSystem,
    async open(path, flags) {
      const file = await nodeFileSystem.open(path, flags)
      return wrap(file, {
        async write(buffer, offset, length, position) {
          const fault = await next(path)
          if (fault === 'ENOSPC') throw systemError('ENOSPC')
          if (fault === 'none' || fault === 'stall') return file.write(buffer, offset, length, position)
          const half = await file.write(buffer, offset, Math.ceil(length / 2), position)
          if (fault === 'half, then EIO') throw systemError('EIO')
          return half
        },
      })
    },
  }
}

/** The process is gone: nothing that it still tries reaches the disk. */
export class Killed extends Error {
  constructor() {
    super('the process is gone')
  }
}

/**
 * A disk under a process that is killed at its `operation`th change (0 is the first); a write leaves its first half.
 * `operations` counts the changes so far.
 */
export class DyingFileSystem implements TakeFileSystem {
  operations = 0
  readonly #killAt: number

  constructor(killAt: number) {
    this.#killAt = killAt
  }

  async open(path: string, flags: 'r' | 'r+' | 'w' | 'wx'): Promise<OpenFile> {
    if (flags === 'w' || flags === 'wx') await this.#change()
    const file = await nodeFileSystem.open(path, flags)
    return wrap(file, {
      write: async (buffer, offset, length, position) => {
        await this.#change(() => file.write(buffer, offset, Math.floor(length / 2), position))
        return file.write(buffer, offset, length, position)
      },
      truncate: async (length) => {
        await this.#change()
        await file.truncate(length)
      },
      sync: async () => {
        await this.#change()
        await file.sync()
      },
    })
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change()
    await nodeFileSystem.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    await this.#change()
    await nodeFileSystem.remove(path)
  }

  async #change(last?: () => Promise<unknown>): Promise<void> {
    const operation = this.operations
    this.operations += 1
    if (operation === this.#killAt) await last?.()
    if (operation >= this.#killAt) throw new Killed()
  }
}

function wrap(file: OpenFile, changed: Partial<OpenFile>): OpenFile {
  return {
    read: (buffer, offset, length, position) => file.read(buffer, offset, length, position),
    write: (buffer, offset, length, position) => file.write(buffer, offset, length, position),
    truncate: (length) => file.truncate(length),
    sync: () => file.sync(),
    datasync: () => file.datasync(),
    close: () => file.close(),
    ...changed,
  }
}
