import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { createS3Store, type S3StoreOptions, storagePolicy } from '@rushes/storage-adapters/s3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Answering, s3Error, startS3LikeServer } from '../../packages/storage-adapters/test/s3/s3-like-server.js'
import { freeTcpPort } from '../servers/free-tcp-port.js'
import { hasRadosgw, type Radosgw, startRadosgw } from '../servers/radosgw.js'
import { type StsGate, startStsGate } from '../servers/sts-gate.js'

/** One thing that is wrong with settings that would work otherwise, and the option that the probe must name. */
interface Mistake {
  readonly name: string
  readonly field: string
  readonly cause: string
  readonly options: () => Partial<S3StoreOptions> | Promise<Partial<S3StoreOptions>>
  /** The clock of this machine, off by this much. */
  readonly skewMs?: number
  readonly skip?: boolean
}

const localhostHasNames = await lookup('recordings.localhost').then(Boolean, () => false)
const SECRET = 'not-the-secret/not-the-secret+not-the-00'
const TOKEN = 'FwoGZXIvYXdzE-a-session-token-that-nobody-may-see'

describe.skipIf(!hasRadosgw && !process.env['CI'])('settings that are wrong', () => {
  let server: Radosgw
  let gate: StsGate
  let roleArn: string
  let confinedArn: string
  const closing: (() => Promise<void>)[] = []
  const rows: string[] = []

  beforeAll(async () => {
    server = await startRadosgw()
    await server.createBucket('recordings')
    roleArn = await server.createRole('recorder', storagePolicy({ bucket: 'recordings' }).permissions)
    const confined = storagePolicy({ bucket: 'recordings', basePath: 'tenant-1' }).permissions
    confinedArn = await server.createRole('confined', confined)
    gate = await startStsGate(server.port, new Map([[roleArn, 'tenant-42']]))
  })
  afterAll(async () => {
    for (const close of closing) await close()
    await gate?.close()
    await server?.stop()
    const path = process.env['RUSHES_PROBE_TABLE']
    const head = '| what is wrong | field | cause | hint |\n|---|---|---|---|\n'
    if (path !== undefined) writeFileSync(path, head + rows.join(''))
  })

  const role = (changes: object = {}): Partial<S3StoreOptions> => ({
    credentials: server.recorder,
    role: { arn: roleArn, externalId: 'tenant-42', endpoint: gate.url, ...changes },
  })
  /** Settings for a server that answers as S3 does where radosgw does not care. */
  const likeS3 = async (answering: Answering): Promise<Partial<S3StoreOptions>> => {
    const like = await startS3LikeServer(answering)
    closing.push(like.close)
    return { endpoint: like.endpoint }
  }
  const webServer = async (status: number): Promise<string> => {
    const http = createServer((request, response) => {
      request.resume()
      response.writeHead(status, { 'content-type': 'text/html' })
      response.end('<html><body><h1>It works!</h1><p>apache</body></html>')
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    closing.push(async () => {
      http.closeAllConnections()
      http.close()
    })
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  }

  const mistakes: readonly Mistake[] = [
    {
      name: 'a bucket that is not there',
      field: 'bucket',
      cause: 'STORE_NO_BUCKET',
      options: () => ({ bucket: 'recordngs' }),
    },
    {
      name: 'the region of another bucket (a server that answers as S3 does: AuthorizationHeaderMalformed)',
      field: 'region',
      cause: 'STORE_NO_BUCKET',
      options: () => likeS3(() => s3Error(400, 'AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>')),
    },
    {
      name: 'the region of another bucket (a server that answers as S3 does: PermanentRedirect)',
      field: 'region',
      cause: 'STORE_NO_BUCKET',
      options: () => likeS3(() => s3Error(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'eu-west-1' })),
    },
    {
      name: 'an access key that nobody knows',
      field: 'credentials.accessKeyId',
      cause: 'STORE_ACCESS_DENIED',
      options: () => ({ credentials: { ...server.recorder, accessKeyId: 'NOBODYSKEY0000000000' } }),
    },
    {
      name: 'a secret that is not of this key',
      field: 'credentials.secretAccessKey',
      cause: 'STORE_ACCESS_DENIED',
      options: () => ({ credentials: { ...server.owner, secretAccessKey: SECRET } }),
    },
    {
      name: 'a port where nothing listens',
      field: 'endpoint',
      cause: 'STORE_UNAVAILABLE',
      options: async () => ({ endpoint: `http://127.0.0.1:${await freeTcpPort()}` }),
    },
    {
      name: 'a web server that answers 404',
      field: 'endpoint',
      cause: 'STORE_BAD_SETTINGS',
      options: async () => ({ endpoint: await webServer(404) }),
    },
    {
      name: 'a web server that answers 405',
      field: 'endpoint',
      cause: 'STORE_BAD_SETTINGS',
      options: async () => ({ endpoint: await webServer(405) }),
    },
    {
      name: 'a web server that takes everything',
      field: 'endpoint',
      cause: 'STORE_BAD_SETTINGS',
      options: async () => ({ endpoint: await webServer(200) }),
    },
    {
      name: 'a host that does not exist',
      field: 'endpoint',
      cause: 'STORE_UNAVAILABLE',
      options: () => ({ endpoint: 'http://s3.does-not-exist.invalid' }),
    },
    {
      name: 'TLS to a port that speaks plain HTTP',
      field: 'endpoint',
      cause: 'STORE_UNAVAILABLE',
      options: () => ({ endpoint: `https://127.0.0.1:${server.port}` }),
    },
    {
      name: 'a server that never answers',
      field: 'endpoint',
      cause: 'STORE_UNAVAILABLE',
      options: async () => ({ ...(await likeS3(() => 'hang')), requestTimeoutMs: 500 }),
    },
    {
      name: 'the bucket in the host name, where it must be in the path',
      field: 'forcePathStyle',
      cause: 'STORE_UNAVAILABLE',
      // Some systems have an address for whatever ends with localhost.
      skip: localhostHasNames,
      options: () => ({ endpoint: `http://localhost:${server.port}`, forcePathStyle: false }),
    },
    {
      name: 'a user without rights',
      field: 'credentials',
      cause: 'STORE_ACCESS_DENIED',
      options: () => ({ credentials: server.recorder }),
    },
    {
      name: 'a base path outside of what the policy allows',
      field: 'basePath',
      cause: 'STORE_ACCESS_DENIED',
      options: () => ({ ...role({ arn: confinedArn }), basePath: 'tenant-2' }),
    },
    {
      name: 'a role that does not exist',
      field: 'role.arn',
      cause: 'STORE_ACCESS_DENIED',
      options: () => role({ arn: 'arn:aws:iam:::role/recordr' }),
    },
    {
      name: 'a wrong external id',
      field: 'role.externalId',
      cause: 'STORE_ACCESS_DENIED',
      options: () => role({ externalId: 'tenant-43' }),
    },
    {
      name: 'no external id',
      field: 'role.externalId',
      cause: 'STORE_ACCESS_DENIED',
      options: () => role({ externalId: undefined }),
    },
    {
      name: 'an access key that nobody knows, to assume the role',
      field: 'credentials.accessKeyId',
      cause: 'STORE_ACCESS_DENIED',
      options: () => ({ ...role(), credentials: { ...server.recorder, accessKeyId: 'NOBODYSKEY0000000000' } }),
    },
    {
      name: 'a secret that is not of this key, to assume the role',
      field: 'credentials.secretAccessKey',
      cause: 'STORE_ACCESS_DENIED',
      options: () => ({ ...role(), credentials: { ...server.recorder, secretAccessKey: SECRET } }),
    },
    {
      name: 'an STS where nothing listens',
      field: 'role.endpoint',
      cause: 'STORE_UNAVAILABLE',
      options: async () => role({ endpoint: `http://127.0.0.1:${await freeTcpPort()}` }),
    },
    {
      name: 'a session longer than the role allows',
      field: 'role.durationSeconds',
      cause: 'STORE_BAD_SETTINGS',
      options: () => role({ durationSeconds: 43_200 }),
    },
    {
      name: 'a clock that is an hour fast',
      field: 'clock',
      cause: 'STORE_BAD_SETTINGS',
      skewMs: 3_600_000,
      options: () => ({ maxAttempts: 1 }),
    },
    {
      name: 'a clock that is a day slow',
      field: 'clock',
      cause: 'STORE_BAD_SETTINGS',
      skewMs: -86_400_000,
      options: () => ({ maxAttempts: 1 }),
    },
    {
      name: 'a session that is over (a server that answers as S3 does)',
      field: 'credentials.sessionToken',
      cause: 'STORE_CREDENTIALS_EXPIRED',
      options: async () => ({
        ...(await likeS3(({ headers }) =>
          s3Error(400, 'ExpiredToken', `<Token-0>${String(headers['x-amz-security-token'])}</Token-0>`),
        )),
        credentials: { ...server.owner, sessionToken: TOKEN },
      }),
    },
    {
      name: 'a session token of other keys (a server that answers as S3 does)',
      field: 'credentials.sessionToken',
      cause: 'STORE_ACCESS_DENIED',
      options: async () => ({
        ...(await likeS3(() => s3Error(400, 'InvalidToken', `<Token-0>${TOKEN}</Token-0>`))),
        credentials: { ...server.owner, sessionToken: TOKEN },
      }),
    },
    {
      name: 'keys of a session without its token (a server that answers as S3 does)',
      field: 'credentials.sessionToken',
      cause: 'STORE_ACCESS_DENIED',
      options: async () => ({
        ...(await likeS3(() => s3Error(403, 'InvalidAccessKeyId'))),
        credentials: { ...server.owner, accessKeyId: 'ASIA0000000000000000' },
      }),
    },
    {
      name: 'a KMS key that does not exist (a server that answers as S3 does)',
      field: 'serverSideEncryption.kmsKeyId',
      cause: 'STORE_BAD_SETTINGS',
      options: async () => ({
        ...(await likeS3(() => s3Error(400, 'KMS.NotFoundException'))),
        serverSideEncryption: { kmsKeyId: 'arn:aws:kms:eu-west-1:111122223333:key/none' },
      }),
    },
  ]

  for (const { name, field, cause, options, skewMs, skip = false } of mistakes) {
    it.skipIf(skip)(`${name}: ${field}`, async () => {
      const settings: S3StoreOptions = {
        bucket: 'recordings',
        endpoint: server.endpoint,
        forcePathStyle: true,
        credentials: server.owner,
        maxAttempts: 2,
        ...(await options()),
      }
      if (skewMs !== undefined) vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + skewMs })
      const store = createS3Store(settings)
      try {
        const report = await store.probe({ name: 'test-file.json' })
        expect(report).toMatchObject({ ok: false, cause, field })
        expect(report.hint).toBeTruthy()
        rows.push(`| ${name} | \`${field}\` | \`${report.cause}\` | ${report.hint?.replaceAll('|', '\\|')} |\n`)
        const error = await store.put('a', new Uint8Array(1)).catch((reason: unknown) => reason)
        const shown =
          JSON.stringify(report) +
          inspect(error, { depth: 20, showHidden: true }) +
          inspect(store, { depth: 20, showHidden: true })
        for (const secret of [server.owner.secretAccessKey, server.recorder.secretAccessKey, SECRET, TOKEN]) {
          expect(shown).not.toContain(secret)
        }
      } finally {
        vi.useRealTimers()
        await store.close()
      }
    })
  }

  it('a session name that STS would refuse is refused at once', () => {
    const settings = { bucket: 'recordings', endpoint: server.endpoint, ...role({ sessionName: 'x' }) }
    expect(() => createS3Store(settings)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIGURATION', field: 'role.sessionName' }),
    )
    rows.push(
      '| a name of a session that is too short | `role.sessionName` | `BAD_CONFIGURATION` | thrown by `createS3Store` |\n',
    )
  })

  it('a clock that is wrong is corrected where a request may be tried twice, and the report says so', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    try {
      const { endpoint, owner: credentials } = server
      const store = createS3Store({ bucket: 'recordings', endpoint, forcePathStyle: true, credentials })
      const report = await store.probe({ name: 'test-file.json' })
      expect(report).toMatchObject({ ok: true, hint: expect.stringContaining('clock') })
    } finally {
      vi.useRealTimers()
    }
  })

  it('a role that does not trust the caller: STS hides it, and the report lists what it may be', async () => {
    const denied = s3Error(403, 'AccessDenied').body ?? ''
    const like = await likeS3(({ body }) =>
      body.includes('GetCallerIdentity')
        ? {
            status: 200,
            headers: { 'content-type': 'text/xml' },
            body: '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/recorder</Arn><UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
          }
        : { status: 403, body: `<ErrorResponse>${denied.slice(denied.indexOf('<Error>'))}</ErrorResponse>` },
    )
    const store = createS3Store({
      bucket: 'recordings',
      endpoint: server.endpoint,
      ...role({ endpoint: like.endpoint, externalId: undefined, arn: 'arn:aws:iam::111122223333:role/recorder' }),
    })
    const report = await store.probe({ name: 'test-file.json' })
    expect(report.field).toBe('role.arn')
    expect(report.hint).toMatch(
      /trust policy does not name arn:aws:iam::111122223333:user\/recorder.*does not exist.*external id/,
    )
  })
})
