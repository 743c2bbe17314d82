import { createHash, createHmac } from 'node:crypto'

/** Keys of a user of a test server. */
export interface TestKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** One request in Signature Version 4, made without the SDK: to prepare servers, and to look behind a store's back. */
export async function signedRequest(
  endpoint: string,
  keys: TestKeys,
  request: {
    readonly method: string
    /** Encoded already. */
    readonly path: string
    readonly query?: Readonly<Record<string, string>>
    readonly body?: Uint8Array | string
    readonly service?: 's3' | 'iam'
  },
): Promise<Response> {
  const { method, path, query = {}, body = '', service = 's3' } = request
  const { host } = new URL(endpoint)
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const hash = sha256(body)
  const headers: Record<string, string> = {
    host,
    'x-amz-content-sha256': hash,
    'x-amz-date': date,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
  }
  const names = Object.keys(headers).sort()
  const search = Object.entries(query)
    .map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`)
    .sort()
    .join('&')
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('')
  const canonical = [method, path, search, lines, names.join(';'), hash].join('\n')
  const scope = `${date.slice(0, 8)}/us-east-1/${service}/aws4_request`
  const signingKey = scope.split('/').reduce<Buffer | string>(hmac, `AWS4${keys.secretAccessKey}`)
  const signature = hmac(signingKey, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex')
  const { host: _, ...sent } = headers
  return fetch(`${endpoint}${path}${search === '' ? '' : `?${search}`}`, {
    method,
    headers: {
      ...sent,
      authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
    },
    ...(body.length === 0 ? {} : { body }),
  })
}

function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

/** As Signature Version 4 wants it (RFC 3986 §2.3). */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
