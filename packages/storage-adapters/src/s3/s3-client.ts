import { S3Client } from '@aws-sdk/client-s3'
import { patientHandler } from './patient-handler.js'
import { sendPayloads } from './payload-middleware.js'
import { RenewedSession, RoleAssumer, sdkKeys, secretsOf } from './role-credentials.js'
import type { S3Identity, S3Keys } from './s3-options.js'
import { isKeys, type S3Settings } from './s3-settings.js'

/** How wrong a clock may be before it is worth a word. */
const TOLERABLE_SKEW_MS = 60_000

/** A client of the SDK together with the credentials that it signs with. */
export class S3Access {
  readonly client: S3Client
  readonly assumer: RoleAssumer | undefined
  readonly #keys: S3Keys | undefined
  readonly #session: RenewedSession | undefined
  #lastToken: string | undefined

  constructor(settings: S3Settings, { credentials = 'default', role }: S3Identity) {
    if (role === undefined) {
      if (isKeys(credentials)) this.#keys = credentials
    } else {
      const { region, maxAttempts, now } = settings
      const assumer = new RoleAssumer(role, credentials, {
        maxAttempts,
        now,
        ...(region === undefined ? {} : { region }),
      })
      this.assumer = assumer
      this.#session = new RenewedSession(() => assumer.assume(), now)
    }
    this.client = createClient(settings, this.#provider())
    sendPayloads(this.client, settings.signBodies)
  }

  /** The keys that sign now, with their end when it is known; with `leastMs`, a session of that length if there is one. */
  async keys(leastMs?: number): Promise<S3Keys> {
    if (this.#keys !== undefined) return this.#keys
    if (this.#session !== undefined) return this.#session.get(leastMs)
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await this.client.config.credentials()
    return {
      ...sdkKeys({ accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }),
      ...(expiration === undefined ? {} : { expiresAtMs: expiration.getTime() }),
    }
  }

  /** Makes sure that there is a session, and says which; `undefined` where there is none to renew. */
  async session(): Promise<string | undefined> {
    return (await this.#session?.get())?.sessionToken
  }

  /** The service refused this session as expired: others that still use it may have renewed it already. */
  drop(sessionToken: string): void {
    this.#session?.drop(sessionToken)
  }

  /** How far the clock of the service is ahead of ours, as far as answers told; 0 for what a second's rounding explains. */
  get skewMs(): number {
    const skewMs = this.client.config.systemClockOffset
    return Math.abs(skewMs) > TOLERABLE_SKEW_MS ? skewMs : 0
  }

  /** What must never be shown. */
  get secrets(): readonly string[] {
    if (this.#keys !== undefined) return secretsOf(this.#keys)
    return this.#lastToken === undefined ? [] : [this.#lastToken]
  }

  close(): void {
    this.client.destroy()
    this.assumer?.close()
  }

  #provider(): S3Keys | (() => Promise<S3Keys>) | undefined {
    if (this.#keys !== undefined) return sdkKeys(this.#keys)
    const session = this.#session
    if (session === undefined) return undefined
    const provider = async (): Promise<S3Keys> => {
      const keys = await session.get()
      this.#lastToken = keys.sessionToken
      return sdkKeys(keys)
    }
    // Asked for every request: the SDK would remember by the clock of the machine, and never forget what has no end.
    return Object.assign(provider, { memoized: true })
  }
}

function createClient(settings: S3Settings, credentials: S3Keys | (() => Promise<S3Keys>) | undefined): S3Client {
  const { region, endpoint, forcePathStyle, maxAttempts } = settings
  return new S3Client({
    forcePathStyle,
    maxAttempts,
    // Checksums are sent as headers, made here: those of the SDK travel behind the body, which some stores refuse.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: settings.digest === 'MD5' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    // With it the SDK opens a connection for every body of 2 MB or more.
    expectContinueHeader: false,
    requestHandler: patientHandler(settings),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
}
