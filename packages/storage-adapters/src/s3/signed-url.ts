import { GetObjectCommand } from '@aws-sdk/client-s3'
import type * as Presigner from '@aws-sdk/s3-request-presigner'
import { StoreError } from '../errors.js'
import type { StoreUrl } from '../store.js'
import type { S3Access } from './s3-client.js'
import { MAX_URL_SECONDS, type S3Settings } from './s3-settings.js'

/**
 * A URL under which an object can be read, with its real end: the shortest of what was asked for, what the signature
 * allows (7 days) and what is left of the session that signs.
 * @throws StoreError `STORE_CANNOT_SIGN`
 */
export async function signedUrl(
  access: S3Access | undefined,
  settings: S3Settings,
  name: { readonly key: string; readonly objectKey: string },
  wanted: number | undefined,
): Promise<StoreUrl> {
  if (access === undefined) {
    const message =
      'who may only put cannot sign a URL that works: set `get` when the credentials may read, or `signing`'
    throw new StoreError('STORE_CANNOT_SIGN', message, { key: name.key })
  }
  const seconds = Math.min(MAX_URL_SECONDS, Math.floor(wanted ?? settings.urlExpiresIn))
  if (!(seconds >= 1)) {
    throw new StoreError('STORE_CANNOT_SIGN', 'a URL lives one second at least', { key: name.key })
  }
  const keys = await access.keys(seconds * 1000)
  if (keys.sessionToken !== undefined && keys.expiresAtMs === undefined) {
    const message = 'nobody knows when the session of these credentials ends: set `expiresAtMs` beside `sessionToken`'
    throw new StoreError('STORE_CANNOT_SIGN', message, { key: name.key })
  }
  // The signature knows whole seconds only.
  const { skewMs } = access
  const signedAtMs = Math.floor((settings.now() + skewMs) / 1000) * 1000
  const sessionEndMs = (keys.expiresAtMs ?? Number.POSITIVE_INFINITY) + skewMs
  if (sessionEndMs - signedAtMs < 1000) {
    throw new StoreError('STORE_CANNOT_SIGN', 'the session of the credentials is over', {
      key: name.key,
      retryable: true,
    })
  }
  const { getSignedUrl } = await loadPresigner()
  const url = await getSignedUrl(
    access.client,
    new GetObjectCommand({ Bucket: settings.bucket, Key: name.objectKey }),
    {
      expiresIn: seconds,
      signingDate: new Date(signedAtMs),
    },
  )
  return { url, expiresAtMs: Math.min(signedAtMs + seconds * 1000, sessionEndMs) }
}

async function loadPresigner(): Promise<typeof Presigner> {
  try {
    return await import('@aws-sdk/s3-request-presigner')
  } catch (cause) {
    throw new StoreError('STORE_BAD_SETTINGS', 'to sign URLs, install @aws-sdk/s3-request-presigner', { cause })
  }
}
