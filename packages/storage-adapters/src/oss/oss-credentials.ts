import { StoreError } from '../errors.js'

/** Keys of Alibaba Cloud, and the token that belongs to them when they are those of a session. */
export interface OssKeys {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  /** Token of a session of STS. */
  readonly stsToken?: string
  /** When the session ends, in milliseconds since 1970-01-01T00:00Z. Without it no URL can be signed with a token. */
  readonly expiresAtMs?: number
}

/** Keys as they are, or a function that gets the keys of a session and is called again before that one ends. */
export type OssCredentials = OssKeys | { readonly refresh: () => Promise<OssKeys & { readonly expiresAtMs: number }> }

/** Keys are renewed this long before they end, or after three quarters of their life where that is later. */
const RENEW_BEFORE_MS = 300_000

/** The keys that hold now. Whoever asks while they are being renewed waits for the same renewal. */
export class CredentialSource {
  readonly #credentials: OssCredentials
  readonly #now: () => number
  readonly #timeoutMs: number
  #current: { readonly keys: OssKeys; readonly renewAtMs: number } | undefined
  #renewal: Promise<OssKeys> | undefined

  constructor(credentials: OssCredentials, options: { readonly now: () => number; readonly timeoutMs: number }) {
    this.#credentials = credentials
    this.#now = options.now
    this.#timeoutMs = options.timeoutMs
  }

  get renewable(): boolean {
    return 'refresh' in this.#credentials
  }

  /** @throws StoreError `STORE_CREDENTIALS_EXPIRED`, `STORE_BAD_SETTINGS` */
  async keys(): Promise<OssKeys> {
    if (!('refresh' in this.#credentials)) return this.#credentials
    const current = this.#current
    if (current !== undefined && this.#now() < current.renewAtMs) return current.keys
    try {
      return await this.#renew(this.#credentials.refresh)
    } catch (error) {
      // What we have may hold a little longer than it takes the other side to come back.
      if (current !== undefined && this.#now() < (current.keys.expiresAtMs ?? 0)) return current.keys
      throw error
    }
  }

  /** The service says that these keys are no longer good, whatever the clock says. */
  forget(keys: OssKeys): void {
    if (this.#current?.keys === keys) this.#current = undefined
  }

  #renew(refresh: () => Promise<OssKeys>): Promise<OssKeys> {
    this.#renewal ??= this.#ask(refresh).finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  async #ask(refresh: () => Promise<OssKeys>): Promise<OssKeys> {
    let keys: OssKeys
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer for ${this.#timeoutMs} ms`)), this.#timeoutMs)
    })
    try {
      keys = await Promise.race([refresh(), tooLate])
    } catch (cause) {
      throw new StoreError('STORE_CREDENTIALS_EXPIRED', 'the credentials could not be renewed', { cause })
    } finally {
      clearTimeout(timer)
    }
    const rule = brokenKeyRule(keys)
    if (rule !== undefined || typeof keys.expiresAtMs !== 'number' || !Number.isFinite(keys.expiresAtMs)) {
      throw new StoreError(
        'STORE_BAD_SETTINGS',
        `credentials.refresh gave ${rule?.field ?? 'expiresAtMs'} that is none`,
      )
    }
    const lifeMs = keys.expiresAtMs - this.#now()
    if (lifeMs <= 0)
      throw new StoreError('STORE_CREDENTIALS_EXPIRED', 'credentials.refresh gave a session that is over')
    this.#current = { keys, renewAtMs: keys.expiresAtMs - Math.min(RENEW_BEFORE_MS, lifeMs / 4) }
    return keys
  }
}

/** What is wrong with keys, without telling what they are. */
export function brokenKeyRule(keys: OssKeys): { readonly field: keyof OssKeys; readonly rule: string } | undefined {
  for (const field of ['accessKeyId', 'accessKeySecret'] as const) {
    if (!isPlain(keys?.[field])) return { field, rule: 'must be text without white space' }
  }
  if (keys.stsToken !== undefined && !isPlain(keys.stsToken)) {
    return { field: 'stsToken', rule: 'must be text without white space' }
  }
  if (keys.accessKeyId.startsWith('STS.') && keys.stsToken === undefined) {
    return { field: 'stsToken', rule: 'is needed: the access key id is that of a session' }
  }
  return undefined
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}
