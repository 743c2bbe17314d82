import { StoreError } from './errors.js'
import type { ProbeReport, Store } from './store.js'

/** What an adapter says of an error that its probe met: which option is probably wrong, and what to do. */
export type ProbeAdvice = (error: unknown) => { readonly field?: string; readonly hint?: string }

/** The probe that adapters share: puts a small object and removes it again where the rights allow. */
export async function probeStore(
  store: Store,
  options: { readonly name: string; readonly signal?: AbortSignal },
  advice: ProbeAdvice,
): Promise<ProbeReport> {
  const body = new TextEncoder().encode(`${JSON.stringify({ test: true })}\n`)
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  try {
    await store.put(options.name, body, { contentType: 'application/json', ...signal })
  } catch (error) {
    const cause = error instanceof StoreError ? error.code : 'STORE_UNAVAILABLE'
    return { ok: false, cause, message: error instanceof Error ? error.message : String(error), ...advice(error) }
  }
  try {
    await store.delete?.(options.name, signal)
  } catch {
    // The right to delete is not needed; a small test object stays.
  }
  return { ok: true, message: `${options.name} could be written to ${store.name}` }
}
