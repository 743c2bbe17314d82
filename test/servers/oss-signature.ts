import { createHash, createHmac } from 'node:crypto'

// The signatures of Alibaba Cloud OSS, written from its documentation ("Include a V4 signature in the Authorization
// header", "Include a V4 signature in a URL", and the same of V1), and not from the signer of any SDK: what ali-oss
// signs is checked by what somebody else understood.

/** A request as it came in. */
export interface OssRequestFacts {
  readonly method: string
  readonly bucket: string
  /** Decoded; empty for requests on the bucket. */
  readonly key: string
  /** Decoded; a parameter without `=` has the value `''`. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** What a request says about who made it. */
export interface OssCredentialFacts {
  readonly version: 'v1' | 'v4'
  /** The signature stands in the URL. */
  readonly presigned: boolean
  readonly accessKeyId: string
  readonly signature: string
  readonly token: string | undefined
  /** V4: the region signed for. */
  readonly region: string | undefined
  /** V4: the rest of the scope, `oss/aliyun_v4_request`. */
  readonly product: string | undefined
  /** V4: the day of the scope. */
  readonly day: string | undefined
  /** The date as it is signed. */
  readonly date: string
  readonly dateMs: number
  /** When a presigned URL ends. */
  readonly expiresAtMs: number | undefined
  /** V4: headers that are signed beyond those that always are. */
  readonly additionalHeaders: string
}

/** Who signed a request, or `undefined` when nobody did. */
export function readCredentials({ query, headers }: OssRequestFacts): OssCredentialFacts | undefined {
  const parameters = new Map(query)
  const authorization = headers['authorization'] ?? ''
  const token =
    headers['x-oss-security-token'] ?? parameters.get('x-oss-security-token') ?? parameters.get('security-token')

  const presigned = parameters.get('x-oss-signature-version') === 'OSS4-HMAC-SHA256'
  if (presigned || authorization.startsWith('OSS4-HMAC-SHA256 ')) {
    const field = (name: string): string => new RegExp(`[ ,]${name}=([^,]*)`).exec(authorization)?.[1] ?? ''
    const credential = presigned ? (parameters.get('x-oss-credential') ?? '') : field('Credential')
    const [accessKeyId = '', day, region, ...product] = credential.split('/')
    const date = (presigned ? parameters.get('x-oss-date') : headers['x-oss-date']) ?? ''
    const dateMs = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
    return {
      version: 'v4',
      presigned,
      accessKeyId,
      signature: presigned ? (parameters.get('x-oss-signature') ?? '') : field('Signature'),
      token,
      day,
      region,
      product: product.join('/'),
      date,
      dateMs,
      expiresAtMs: presigned ? dateMs + Number(parameters.get('x-oss-expires')) * 1000 : undefined,
      additionalHeaders: presigned ? (parameters.get('x-oss-additional-headers') ?? '') : field('AdditionalHeaders'),
    }
  }

  const keyId = parameters.get('OSSAccessKeyId')
  if (keyId === undefined && !authorization.startsWith('OSS ')) return undefined
  const [headerKeyId = '', headerSignature = ''] = authorization.slice(4).split(':')
  const expires = parameters.get('Expires') ?? ''
  const date = keyId === undefined ? (headers['x-oss-date'] ?? headers['date'] ?? '') : expires
  return {
    version: 'v1',
    presigned: keyId !== undefined,
    accessKeyId: keyId ?? headerKeyId,
    signature: keyId === undefined ? headerSignature : (parameters.get('Signature') ?? ''),
    token,
    day: undefined,
    region: undefined,
    product: undefined,
    date,
    dateMs: Date.parse(date),
    expiresAtMs: keyId === undefined ? undefined : Number(expires) * 1000,
    additionalHeaders: '',
  }
}

/** What the signature of a request should be, when it is signed with `secret`. */
export function expectedSignature(request: OssRequestFacts, facts: OssCredentialFacts, secret: string): string {
  return facts.version === 'v4' ? signatureV4(request, facts, secret) : signatureV1(request, facts, secret)
}

function signatureV4(request: OssRequestFacts, facts: OssCredentialFacts, secret: string): string {
  const scope = `${facts.day}/${facts.region}/${facts.product}`
  const stringToSign = ['OSS4-HMAC-SHA256', facts.date, scope, sha256(canonicalRequest(request, facts))].join('\n')
  const [product = '', terminator = ''] = (facts.product ?? '').split('/')
  const key = [facts.day ?? '', facts.region ?? '', product, terminator].reduce<Buffer>(
    (signingKey, step) => createHmac('sha256', signingKey).update(step).digest(),
    Buffer.from(`aliyun_v4${secret}`),
  )
  return createHmac('sha256', key).update(stringToSign).digest('hex')
}

function canonicalRequest({ method, bucket, key, query, headers }: OssRequestFacts, facts: OssCredentialFacts): string {
  const parameters = query
    .filter(([name]) => name !== 'x-oss-signature')
    .map(([name, value]) => [encode(name), value === '' ? '' : `=${encode(value)}`] as const)
    .sort(([one], [other]) => compare(one, other))
    .map(([name, value]) => name + value)
    .join('&')
  const additional = facts.additionalHeaders === '' ? [] : facts.additionalHeaders.split(';')
  const always = Object.keys(headers).filter(
    (name) => name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-'),
  )
  const signed = [...new Set([...always, ...additional])].sort(compare)
  return [
    method,
    encode(`/${bucket}/${key}`).replaceAll('%2F', '/'),
    parameters,
    signed.map((name) => `${name}:${(headers[name] ?? '').trim()}\n`).join(''),
    facts.additionalHeaders,
    headers['x-oss-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n')
}

/** Parameters that V1 counts to the resource; all others are not signed. */
const subresources = new Set(
  `acl append asyncFetch bucketInfo callback callback-var cname comp continuation-token cors delete encryption endTime
  group inventory inventoryId lifecycle link live location logging metaQuery objectInfo objectMeta partNumber policy
  position qos qosInfo referer regionList replication replicationLocation replicationProgress requestPayment
  resourceGroup response-cache-control response-content-disposition response-content-encoding
  response-content-language response-content-type response-expires restore security-token sequential startTime stat
  status symlink tagging transferAcceleration uploadId uploads versionId versioning versions vod website worm
  wormExtend wormId x-oss-process x-oss-request-payer x-oss-traffic-limit`.split(/\s+/),
)

function signatureV1(
  { method, bucket, key, query, headers }: OssRequestFacts,
  facts: OssCredentialFacts,
  secret: string,
): string {
  const parameters = query
    .filter(([name]) => subresources.has(name))
    .sort(([one], [other]) => compare(one, other))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&')
  const ossHeaders = Object.keys(headers)
    .filter((name) => name.startsWith('x-oss-'))
    .sort(compare)
    .map((name) => `${name}:${(headers[name] ?? '').trim()}`)
  const stringToSign = [
    method,
    headers['content-md5'] ?? '',
    headers['content-type'] ?? '',
    facts.date,
    ...ossHeaders,
    `/${bucket}/${key}${parameters === '' ? '' : `?${parameters}`}`,
  ].join('\n')
  return createHmac('sha1', secret).update(stringToSign).digest('base64')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
