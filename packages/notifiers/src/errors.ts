import { RushesError } from '@rushes/media'

/**
 * What went wrong with a notifier or with a delivery:
 * - `NOTIFIER_CLOSED`: an event came after `close`.
 * - `NOTIFIER_BAD_EVENT`: the event cannot be written as JSON, or is too large.
 * - `NOTIFIER_JOURNAL_FAILED`: the journal could not be read or written; deliveries go on from memory.
 * - `NOTIFIER_OVERFLOW`: too much is undelivered; the event was not taken.
 * - `DELIVERY_UNEXPECTED`: the code that delivers threw.
 * - `WEBHOOK_UNREACHABLE`: name resolution, connection or TLS failed, or the answer broke off.
 * - `WEBHOOK_TIMEOUT`: no complete answer in time.
 * - `WEBHOOK_STATUS`: the receiver answered with something other than 2xx.
 * - `WEBHOOK_REDIRECT_REFUSED`: a redirect that is not followed.
 * - `WEBHOOK_ADDRESS_REFUSED`: the name leads to an address that is not public.
 * - `WEBHOOK_SIGNATURE_MISSING`: a received webhook lacks a header of the scheme.
 * - `WEBHOOK_SIGNATURE_WRONG`: no secret made any of its signatures.
 * - `WEBHOOK_TIMESTAMP_OUT_OF_RANGE`: it is older or newer than the tolerance: a replay, or a wrong clock.
 * - `WEBHOOK_BODY_INVALID`: it is signed, but no event.
 * - `MAIL_UNREACHABLE`: the mail server cannot be reached, or the connection broke.
 * - `MAIL_AUTH_FAILED`: it refuses the credentials.
 * - `MAIL_REFUSED`: it refuses the message or every recipient; see `retry` of the report.
 * - `HOOK_NOT_STARTED`: the script cannot be run.
 * - `HOOK_FAILED`: the script ended with another exit code than 0, or by a signal.
 * - `HOOK_TIMEOUT`: the script ran too long and was ended.
 */
export type NotifierErrorCode =
  | 'NOTIFIER_CLOSED'
  | 'NOTIFIER_BAD_EVENT'
  | 'NOTIFIER_JOURNAL_FAILED'
  | 'NOTIFIER_OVERFLOW'
  | 'DELIVERY_UNEXPECTED'
  | 'WEBHOOK_UNREACHABLE'
  | 'WEBHOOK_TIMEOUT'
  | 'WEBHOOK_STATUS'
  | 'WEBHOOK_REDIRECT_REFUSED'
  | 'WEBHOOK_ADDRESS_REFUSED'
  | 'WEBHOOK_SIGNATURE_MISSING'
  | 'WEBHOOK_SIGNATURE_WRONG'
  | 'WEBHOOK_TIMESTAMP_OUT_OF_RANGE'
  | 'WEBHOOK_BODY_INVALID'
  | 'MAIL_UNREACHABLE'
  | 'MAIL_AUTH_FAILED'
  | 'MAIL_REFUSED'
  | 'HOOK_NOT_STARTED'
  | 'HOOK_FAILED'
  | 'HOOK_TIMEOUT'

/**
 * A notifier or a delivery failed. The message never holds a secret, and there is no `cause`: what lies underneath may
 * carry request headers, credentials of a URL or what a server echoed.
 */
export class NotifierError extends RushesError<NotifierErrorCode> {
  /** `WEBHOOK_STATUS`: the HTTP status. `MAIL_REFUSED`: the SMTP reply code. `HOOK_FAILED`: the exit code. */
  readonly status?: number
  constructor(code: NotifierErrorCode, message: string, options: { readonly status?: number } = {}) {
    super(code, message)
    if (options.status !== undefined) this.status = options.status
  }
}

/** The code of a system error (`ECONNREFUSED`), which never holds a secret; messages may. */
export function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : typeof error
}
