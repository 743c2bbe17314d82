import { mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'

/** Before the program of a thread: its writes below the folder stand still while the flag is up, and the thread with them. */
const PRELUDE = `{
  const fs = require('node:fs')
  const { stall } = require('node:worker_threads').workerData
  const flag = new Int32Array(stall.flag)
  const { writeSync } = fs
  fs.writeSync = (fd, ...rest) => {
    if (Atomics.load(flag, 0) === 1 && fs.readlinkSync('/proc/self/fd/' + fd).startsWith(stall.dir)) Atomics.wait(flag, 0, 1)
    return writeSync(fd, ...rest)
  }
}
`

/**
 * A disk that stalls: every write below `dir`, by file handles of this process and by threads of `threadsOf`, stands still
 * from `stall` to `release`, as it does in the system where a disk does not answer. Linux only: files are known by /proc.
 */
export class StallingDisk {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'rushes-stall-'))
  readonly #flag = new SharedArrayBuffer(4)
  readonly #restore: (() => void)[] = []
  #stalled: Promise<void> | undefined
  #release: () => void = () => {}
  /** Writes of this process's file handles that stood still. */
  stalledWrites = 0

  /** Begins to watch the writes of file handles. */
  async watch(): Promise<this> {
    const file = await open(join(this.dir, '.probe'), 'w')
    const handles = Object.getPrototypeOf(file) as Record<string, (...given: unknown[]) => Promise<unknown>>
    await file.close()
    const before = (fd: number): Promise<void> | undefined => this.#before(fd)
    for (const name of ['write', 'writev', 'sync', 'datasync'] as const) {
      const real = handles[name] as (...given: unknown[]) => Promise<unknown>
      handles[name] = async function (this: { readonly fd: number }, ...given: unknown[]) {
        await before(this.fd)
        return await real.apply(this, given)
      }
      this.#restore.push(() => {
        handles[name] = real
      })
    }
    return this
  }

  /** Threads whose writes below the folder stall too. */
  threadsOf(Real: typeof Worker): typeof Worker {
    const stall = { flag: this.#flag, dir: this.dir }
    return class extends Real {
      constructor(program: string | URL, options: ConstructorParameters<typeof Worker>[1] = {}) {
        if (options.eval === true) super(PRELUDE + String(program), { ...options, workerData: { stall } })
        else super(program, options)
      }
    }
  }

  stall(): void {
    Atomics.store(new Int32Array(this.#flag), 0, 1)
    this.#stalled = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#stalled = undefined
    this.#release()
    Atomics.store(new Int32Array(this.#flag), 0, 0)
    Atomics.notify(new Int32Array(this.#flag), 0)
  }

  /** Everything as it was, and the folder gone. */
  close(): void {
    this.release()
    for (const restore of this.#restore.splice(0)) restore()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #before(fd: number): Promise<void> | undefined {
    if (this.#stalled === undefined || !readlinkSync(`/proc/self/fd/${fd}`).startsWith(this.dir)) return undefined
    this.stalledWrites++
    return this.#stalled
  }
}
