import { createHash } from 'node:crypto'
import { ConfigurationError, type RecordingEvent, type RecordingEventType } from '@rushes/media'
import { createTransport, type SMTPTransportOptions } from 'nodemailer'
import type { Deliver, DeliveryOutcome } from './delivery.js'
import { NotifierError, systemCode } from './errors.js'
import { checkTemplate, DEFAULT_TEMPLATE, DEFAULT_TEMPLATES, fillTemplate, type MailTemplate } from './mail-template.js'
import { createOutboxNotifier, type OutboxNotifier } from './outbox-notifier.js'
import type { OutboxOptions } from './outbox-options.js'

/** Options of `createMailNotifier`. */
export interface MailNotifierOptions extends OutboxOptions {
  /** The mail server, as nodemailer's SMTP transport takes it: `host`, `port`, `secure`, `auth`, `requireTLS`, `tls`. */
  readonly smtp: SMTPTransportOptions
  /** The sender: `rushes@example.org` or `Rushes <rushes@example.org>`. */
  readonly from: string
  /** The recipients; one mail goes to all. */
  readonly to: string | readonly string[]
  /** Which events are told; default READY and ERROR. */
  readonly on?: readonly RecordingEventType[]
  /** Texts by type of event, instead of the default ones. */
  readonly templates?: Readonly<Partial<Record<RecordingEventType, MailTemplate>>>
}

/** Tells people of recordings. */
export type MailNotifier = OutboxNotifier

/** A mail server that does not answer holds one of the attempts at the same time, so it gets less than nodemailer's. */
const TIMEOUTS = { connectionTimeout: 15_000, greetingTimeout: 15_000, socketTimeout: 60_000 }

/**
 * Tells people of recordings, by mail: in order per recording, tried again until the mail server takes it. Resolves when
 * the journal has been read; the server is not contacted before there is something to send. Throws `ConfigurationError`.
 */
export async function createMailNotifier(options: MailNotifierOptions): Promise<MailNotifier> {
  const { on = ['READY', 'ERROR'], templates = {} } = options
  if (typeof options.smtp !== 'object' || options.smtp === null) {
    throw new ConfigurationError('smtp', "must be options of nodemailer's SMTP transport")
  }
  const from = checkAddress(options.from, 'from')
  const to = (typeof options.to === 'string' ? [options.to] : options.to).map((one) => checkAddress(one, 'to'))
  if (to.length === 0) throw new ConfigurationError('to', 'must name somebody')
  for (const [type, template] of Object.entries(templates)) checkTemplate(template, `templates.${type}`)
  const templateOf = (type: RecordingEventType): MailTemplate =>
    templates[type] ?? DEFAULT_TEMPLATES[type] ?? DEFAULT_TEMPLATE
  const deliver = createMailDeliver({ ...TIMEOUTS, ...options.smtp }, from, to, templateOf)
  return createOutboxNotifier({ ...options, name: 'mail', deliver, events: on })
}

/** The Message-ID (RFC 5322 §3.6.4) of the mail for an event: the same at each attempt, so duplicates are recognized. */
function messageIdOf(eventId: string, from: string): string {
  const domain = /@([A-Za-z0-9.-]+)>?$/.exec(from)?.[1] ?? 'rushes.invalid'
  return `<${createHash('sha256').update(eventId).digest('hex').slice(0, 40)}@${domain}>`
}

function createMailDeliver(
  smtp: SMTPTransportOptions,
  from: string,
  to: readonly string[],
  templateOf: (type: RecordingEventType) => MailTemplate,
): Deliver {
  const transport = createTransport(smtp)
  return async ({ id, body }, _attempt, signal) => {
    const event = JSON.parse(body) as RecordingEvent
    const at = new Date(event.at)
    const sending = transport.sendMail({
      from,
      to: [...to],
      ...fillTemplate(templateOf(event.type), event),
      messageId: messageIdOf(id, from),
      ...(!Number.isNaN(at.getTime()) && { date: at }),
      // Nothing in an event makes this machine read a file or a URL.
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    return unlessAborted(
      sending.then((): DeliveryOutcome => ({ status: 'delivered' }), failureOf),
      signal,
    )
  }
}

/** What a failed attempt means. Replies of servers are not repeated: some echo what they were sent. */
function failureOf(error: unknown): DeliveryOutcome {
  const status = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : undefined
  const reply = status === undefined || Number.isNaN(status) ? {} : { status }
  const code = systemCode(error)
  // A wrong password is the operator's to mend, and the journal waits.
  if (code === 'EAUTH') {
    return { status: 'retry', error: new NotifierError('MAIL_AUTH_FAILED', 'the mail server refuses the login', reply) }
  }
  if (reply.status === undefined) {
    const message = `the mail server cannot be reached: ${code}`
    return { status: 'retry', error: new NotifierError('MAIL_UNREACHABLE', message) }
  }
  const refusal = new NotifierError('MAIL_REFUSED', `the mail server answered ${reply.status}`, reply)
  // Replies of 5xx are final (RFC 5321 §4.2.1).
  return { status: reply.status >= 500 ? 'rejected' : 'retry', error: refusal }
}

/** nodemailer cannot break off a mail; whoever closes need not wait for it. */
function unlessAborted(outcome: Promise<DeliveryOutcome>, signal: AbortSignal): Promise<DeliveryOutcome> {
  return new Promise((resolve, reject) => {
    const end = (): void =>
      resolve({ status: 'retry', error: new NotifierError('MAIL_UNREACHABLE', 'the notifier was closed') })
    signal.addEventListener('abort', end)
    outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
    if (signal.aborted) end()
  })
}

function checkAddress(address: unknown, field: string): string {
  if (typeof address !== 'string' || !/^[^\p{Cc}]*[^\s@]+@[^\s@,;]+$/u.test(address)) {
    throw new ConfigurationError(field, 'must be a mail address')
  }
  return address
}
