import type * as Sts from '@aws-sdk/client-sts'
import { StoreError } from '../errors.js'
import { readFlatErrors } from './flat-error.js'
import { fromS3Error } from './s3-errors.js'
import type { S3Credentials, S3Keys, S3Role } from './s3-options.js'

/** Keys with a known end. */
export interface S3Session extends S3Keys {
  readonly sessionToken: string
  readonly expiresAtMs: number
}

/** A role is assumed again this long before its session ends, or when a third of the session is left. */
const RENEW_BEFORE_MS = 300_000
/** After a renewal that failed, the old session is used for this long before the next try. */
const RETRY_AFTER_MS = 15_000

/** A session that `load` gives, renewed in time, with one `load` under way at most. */
export class RenewedSession {
  readonly #load: () => Promise<S3Session>
  readonly #now: () => number
  #current: (S3Session & { readonly beganAtMs: number }) | undefined
  #loading: Promise<S3Session> | undefined
  #retryAtMs = Number.NEGATIVE_INFINITY

  constructor(load: () => Promise<S3Session>, now: () => number) {
    this.#load = load
    this.#now = now
  }

  /** A session with a good deal of its life left; with `leastMs`, one that was renewed if it had less than that. */
  async get(leastMs = 0): Promise<S3Session> {
    const current = this.#current
    if (current === undefined) return this.#renew()
    const now = this.#now()
    const life = current.expiresAtMs - current.beganAtMs
    const left = current.expiresAtMs - now
    // More than half of what a session has cannot be asked for: every call would assume the role.
    if (left > Math.max(Math.min(RENEW_BEFORE_MS, life / 3), Math.min(leastMs, life / 2))) return current
    if (left > 0 && now < this.#retryAtMs) return current
    try {
      return await this.#renew()
    } catch (error) {
      this.#retryAtMs = now + RETRY_AFTER_MS
      if (left > 0) return current
      throw error
    }
  }

  /** The service says that a session is over: the next call gets another. */
  drop(sessionToken: string | undefined): void {
    if (this.#current?.sessionToken === sessionToken) this.#current = undefined
  }

  #renew(): Promise<S3Session> {
    this.#loading ??= this.#load()
      .then((session) => {
        this.#current = { ...session, beganAtMs: this.#now() }
        return session
      })
      .finally(() => {
        this.#loading = undefined
      })
    return this.#loading
  }
}

/** Assumes roles with STS. The module of the SDK is loaded when it is first needed. */
export class RoleAssumer {
  readonly #role: S3Role
  readonly #base: S3Credentials
  readonly #defaults: { readonly region?: string; readonly maxAttempts: number; readonly now: () => number }
  #client: Sts.STSClient | undefined

  /** @param base who assumes the role */
  constructor(
    role: S3Role,
    base: S3Credentials,
    defaults: { readonly region?: string; readonly maxAttempts: number; readonly now: () => number },
  ) {
    this.#role = role
    this.#base = base
    this.#defaults = defaults
  }

  /** @throws StoreError */
  async assume(): Promise<S3Session> {
    const { arn, externalId, sessionName = 'rushes', durationSeconds = 3600 } = this.#role
    return this.#call('AssumeRole', async (sts, client) => {
      const command = new sts.AssumeRoleCommand({
        RoleArn: arn,
        RoleSessionName: sessionName,
        DurationSeconds: durationSeconds,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      })
      const { Credentials: keys } = await client.send(command)
      if (keys?.AccessKeyId === undefined || keys.SecretAccessKey === undefined || keys.SessionToken === undefined) {
        throw new Error('the answer holds no credentials')
      }
      // By the clock of the service; what is left of the session holds for ours, however wrong that one is.
      const leftMs = (keys.Expiration?.getTime() ?? Number.NaN) - (Date.now() + client.config.systemClockOffset)
      return {
        accessKeyId: keys.AccessKeyId,
        secretAccessKey: keys.SecretAccessKey,
        sessionToken: keys.SessionToken,
        expiresAtMs: this.#defaults.now() + (Number.isFinite(leftMs) ? leftMs : durationSeconds * 1000),
      }
    })
  }

  /** Who assumes the role, as STS sees it: needs no right. */
  async caller(): Promise<{ readonly account: string; readonly arn: string } | undefined> {
    return this.#call('GetCallerIdentity', async (sts, client) => {
      const { Account: account, Arn: arn } = await client.send(new sts.GetCallerIdentityCommand({}))
      return account === undefined || arn === undefined ? undefined : { account, arn }
    })
  }

  close(): void {
    this.#client?.destroy()
  }

  async #call<Result>(
    operation: string,
    run: (sts: typeof Sts, client: Sts.STSClient) => Promise<Result>,
  ): Promise<Result> {
    const sts = await loadSts()
    const base = this.#base
    const { endpoint, region = this.#defaults.region } = this.#role
    try {
      if (this.#client === undefined) {
        this.#client = new sts.STSClient({
          maxAttempts: this.#defaults.maxAttempts,
          requestHandler: { requestTimeout: 30_000, throwOnRequestTimeout: true, connectionTimeout: 10_000 },
          ...(endpoint === undefined ? {} : { endpoint }),
          ...(region === undefined ? {} : { region }),
          ...(base === 'default' ? {} : { credentials: sdkKeys(base) }),
        })
        readFlatErrors(this.#client)
      }
      return await run(sts, this.#client)
    } catch (error) {
      throw fromS3Error(error, {
        service: 'sts',
        operation,
        subject: `role ${this.#role.arn}`,
        secrets: base === 'default' ? [] : secretsOf(base),
      })
    }
  }
}

/** Keys as the SDK has them. */
export function sdkKeys(keys: S3Keys): { accessKeyId: string; secretAccessKey: string; sessionToken?: string } {
  const { accessKeyId, secretAccessKey, sessionToken } = keys
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
}

/** What must never be shown of keys. */
export function secretsOf(keys: S3Keys): string[] {
  return [keys.secretAccessKey, ...(keys.sessionToken === undefined ? [] : [keys.sessionToken])]
}

async function loadSts(): Promise<typeof Sts> {
  try {
    return await import('@aws-sdk/client-sts')
  } catch (cause) {
    throw new StoreError('STORE_BAD_SETTINGS', 'to assume a role, install @aws-sdk/client-sts', { cause })
  }
}
