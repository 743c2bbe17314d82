import type { FileHandle } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { nodeFileSystem, type OpenFile, type TakeFileSystem } from './file-system.js'

/** Writes are gathered for so long, in milliseconds: hundreds of recordings then share one message to the thread. */
const GATHER_MS = 4
/** A message is sent at once when so much has gathered. */
const GATHER_BYTES = 4_194_304

/** A write on its way. */
interface Pending {
  readonly fd: number
  readonly bytes: Uint8Array
  readonly position: number
  readonly resolve: (result: { readonly bytesWritten: number }) => void
  readonly reject: (error: Error) => void
}

/** What the thread answers for each write: how much was written, or why not. */
type Answer = number | { readonly code: string; readonly message: string }

/**
 * The thread's whole program. It is a string, so that it runs from sources, from packages and from bundles alike. A write
 * call of the system costs it a few microseconds, where a write through Node's thread pool costs two threads forty.
 */
const PROGRAM = `
const { parentPort } = require('node:worker_threads')
const { writeSync } = require('node:fs')
parentPort.on('message', ({ bytes, writes }) => {
  const view = new Uint8Array(bytes)
  const answers = []
  let offset = 0
  for (const { fd, length, position } of writes) {
    try {
      let written = 0
      while (written < length) {
        const more = writeSync(fd, view, offset + written, length - written, position + written)
        if (more === 0) break
        written += more
      }
      answers.push(written)
    } catch ({ code, message }) {
      answers.push({ code, message })
    }
    offset += length
  }
  parentPort.postMessage(answers)
})
`

/** A file system whose writes are made by one thread of its own. */
export interface DiskThread extends TakeFileSystem {
  /** Ends the thread, once all its files have been closed. */
  close(): Promise<void>
}

/**
 * The machine's file system, for many takes at a time: their writes go to one thread, many in a message. A disk that
 * stalls stalls that thread and not the event loop. The thread keeps a process alive only while it has something to write.
 */
export function createDiskThread(): DiskThread {
  return new WorkerFileSystem()
}

class WorkerFileSystem implements DiskThread {
  readonly rename: TakeFileSystem['rename'] = nodeFileSystem.rename
  readonly remove: TakeFileSystem['remove'] = nodeFileSystem.remove
  #worker: Worker | undefined
  /** Since the last message. */
  #gathered: Pending[] = []
  #gatheredBytes = 0
  #timer: NodeJS.Timeout | undefined
  /** Messages without an answer, the oldest first. */
  readonly #sent: Pending[][] = []

  async open(path: string, flags: 'r' | 'r+' | 'w' | 'wx'): Promise<OpenFile> {
    const handle = (await nodeFileSystem.open(path, flags)) as FileHandle
    return {
      read: (...args) => handle.read(...args),
      write: (buffer, offset, length, position) =>
        this.#write(handle.fd, buffer.subarray(offset, offset + length), position),
      truncate: (length) => handle.truncate(length),
      sync: () => handle.sync(),
      datasync: () => handle.datasync(),
      close: () => handle.close(),
    }
  }

  async close(): Promise<void> {
    this.#send()
    const worker = this.#worker
    this.#worker = undefined
    // What has been sent is written first: messages are taken in their order.
    while (this.#sent.length > 0) await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
    await worker?.terminate()
  }

  #write(fd: number, bytes: Uint8Array, position: number): Promise<{ readonly bytesWritten: number }> {
    return new Promise((resolve, reject) => {
      this.#gathered.push({ fd, bytes, position, resolve, reject })
      this.#gatheredBytes += bytes.byteLength
      if (this.#gatheredBytes >= GATHER_BYTES) this.#send()
      else this.#timer ??= setTimeout(() => this.#send(), GATHER_MS)
    })
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#gathered.length === 0) return
    const pending = this.#gathered
    const bytes = new Uint8Array(this.#gatheredBytes)
    this.#gathered = []
    this.#gatheredBytes = 0
    let offset = 0
    const writes = pending.map(({ fd, bytes: own, position }) => {
      bytes.set(own, offset)
      offset += own.byteLength
      return { fd, length: own.byteLength, position }
    })
    const worker = this.#running()
    this.#sent.push(pending)
    worker.ref()
    worker.postMessage({ bytes: bytes.buffer, writes }, [bytes.buffer])
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(PROGRAM, { eval: true, name: 'rushes-disk', execArgv: [] })
    worker.on('message', (answers: readonly Answer[]) => this.#answered(worker, answers))
    // It has no reason to end; if it does, what it had is tried again by whoever writes, in a new one.
    worker.on('error', (error) => this.#failed(worker, error))
    worker.on('exit', (code) => this.#failed(worker, new Error(`the disk thread ended with ${code}`)))
    this.#worker = worker
    return worker
  }

  #answered(worker: Worker, answers: readonly Answer[]): void {
    const pending = this.#sent.shift() ?? []
    if (this.#sent.length === 0) worker.unref()
    for (const [index, { resolve, reject }] of pending.entries()) {
      const answer = answers[index]
      if (typeof answer === 'number') resolve({ bytesWritten: answer })
      else reject(Object.assign(new Error(answer?.message ?? 'no answer'), { code: answer?.code }))
    }
  }

  #failed(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const pending of this.#sent.splice(0)) for (const { reject } of pending) reject(error)
  }
}
