import { lookup } from 'node:dns/promises'
import { StoreError } from '../errors.js'
import type { ProbeReport, Store } from '../store.js'
import { diagnose, type ProbeFacts } from './diagnosis.js'
import { S3RequestError } from './request-error.js'
import type { S3Access } from './s3-client.js'
import type { S3Requests } from './s3-requests.js'
import type { S3Settings } from './s3-settings.js'

/** Puts a small object, and finds out which setting is wrong when that fails. */
export async function probeS3(
  store: Store,
  settings: S3Settings,
  access: S3Access,
  requests: S3Requests,
  options: { readonly name: string; readonly signal?: AbortSignal },
): Promise<ProbeReport> {
  const body = new TextEncoder().encode(`${JSON.stringify({ test: true })}\n`)
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  try {
    await store.put(options.name, body, { contentType: 'application/json', ...signal })
  } catch (error) {
    return failed(error, settings, access, requests, options.signal)
  }
  try {
    await store.delete?.(options.name, signal)
  } catch {
    // The right to delete is not needed; a small test object stays.
  }
  const skewMs = access.skewMs
  const hint = {
    hint: `The clock of this machine is wrong by ${Math.round(skewMs / 1000)} s; requests are corrected by it.`,
  }
  return {
    ok: true,
    message: `${options.name} could be written to ${store.name}`,
    ...(skewMs === 0 ? {} : hint),
  }
}

async function failed(
  error: unknown,
  settings: S3Settings,
  access: S3Access,
  requests: S3Requests,
  signal: AbortSignal | undefined,
): Promise<ProbeReport> {
  if (!(error instanceof StoreError)) {
    return { ok: false, cause: 'STORE_UNAVAILABLE', message: error instanceof Error ? error.message : String(error) }
  }
  const facts = await gatherFacts(error, settings, access, requests, signal)
  const requestId = error.cause instanceof S3RequestError ? error.cause.requestId : undefined
  return {
    ok: false,
    cause: error.code,
    message: error.message,
    ...diagnose(error, settings, facts),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

/** Asks what tells causes apart that look alike. Nothing here needs more than the rights to put. */
async function gatherFacts(
  error: StoreError,
  settings: S3Settings,
  access: S3Access,
  requests: S3Requests,
  signal: AbortSignal | undefined,
): Promise<ProbeFacts> {
  const cause = error.cause
  if (!(cause instanceof S3RequestError) || signal?.aborted === true) return {}
  if (cause.service === 'network') {
    if (cause.code !== 'ENOTFOUND' || settings.endpoint === undefined) return {}
    return { endpointResolves: await resolves(new URL(settings.endpoint).hostname) }
  }
  if (cause.service === 'sts') {
    const caller = await access.assumer?.caller().catch(() => undefined)
    return caller === undefined ? {} : { caller }
  }
  if (error.code !== 'STORE_ACCESS_DENIED' && error.code !== 'STORE_NO_BUCKET') return {}
  return { bucketRegion: await requests.bucketRegion(signal).catch(() => 'denied' as const) }
}

async function resolves(host: string): Promise<boolean> {
  return lookup(host).then(
    () => true,
    () => false,
  )
}
