import { Readable } from 'node:stream'
import { StoreError } from './errors.js'
import type { StoreBody } from './store.js'

/** The pieces of a body that is whole in memory, or `undefined` for one that comes bit by bit. */
export function bodyPieces(body: StoreBody): readonly Uint8Array[] | undefined {
  if (body instanceof Uint8Array) return [body]
  return Array.isArray(body) ? (body as readonly Uint8Array[]) : undefined
}

/**
 * Gives the chunks of a body one after the other to `take`, and waits for it. When `signal` fires, a body that hangs
 * does not hold up the caller; its source is told to stop.
 * @throws StoreError `STORE_ABORTED`, `STORE_BODY_FAILED`; what `take` throws comes through as it is.
 */
export async function readBody(
  body: StoreBody,
  signal: AbortSignal | undefined,
  take: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  throwIfAborted(signal)
  const pieces = bodyPieces(body)
  if (pieces !== undefined) {
    for (const piece of pieces) {
      await take(bytesOf(piece))
      throwIfAborted(signal)
    }
    return
  }
  const iterator = (body as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  // One promise per chunk that the signal can settle: racing each chunk against one long-lived promise would pile up.
  let interrupt: (error: StoreError) => void = () => {}
  const onAbort = (): void => interrupt(abortError(signal))
  signal?.addEventListener('abort', onAbort)
  let ended = false
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        interrupt = reject
        iterator.next().then(resolve, (error: unknown) => reject(bodyFailed(error)))
      })
      if (next.done === true) {
        ended = true
        return
      }
      await take(bytesOf(next.value))
      throwIfAborted(signal)
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    if (!ended) stop(body, iterator)
  }
}

/** @throws StoreError `STORE_ABORTED` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}

function abortError(signal: AbortSignal | undefined): StoreError {
  return new StoreError('STORE_ABORTED', 'the caller stopped the transfer', { cause: signal?.reason })
}

function bodyFailed(cause: unknown): StoreError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new StoreError('STORE_BODY_FAILED', `the body of the object failed: ${message}`, { cause })
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw bodyFailed(new TypeError(`a body is made of Uint8Array, got ${chunk === null ? 'null' : typeof chunk}`))
}

// Not awaited: the source may hang, which may be why we stop.
function stop(body: unknown, iterator: AsyncIterator<unknown>): void {
  if (body instanceof Readable) {
    body.on('error', () => {})
    body.destroy()
  } else void Promise.resolve(iterator.return?.()).catch(() => {})
}
