import { join } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import { createWebhookNotifier, type WebhookNotifier } from '@rushes/notifiers'
import { secretOf } from './secret-option.js'
import type { Terminal } from './terminal.js'

/** The options that say who is told, as they are typed. */
export interface WebhookArguments {
  readonly webhook?: string
  readonly webhookSecretEnv?: string
  readonly webhookPrivate?: boolean
}

/** Time for what is undelivered when the recording has ended; the rest is delivered by the next `record` or `recover`. */
const CLOSE_MS = 10_000

/** Tells a URL of the recording. What is undelivered lies in a hidden folder of the journal. */
export async function openWebhook(
  options: WebhookArguments,
  journalDir: string,
  terminal: Terminal,
): Promise<WebhookNotifier | undefined> {
  if (options.webhook === undefined) {
    if (options.webhookSecretEnv !== undefined) throw new ConfigurationError('--webhook', 'must be given as well')
    return undefined
  }
  const secret = secretOf('--webhook-secret-env', options.webhookSecretEnv, terminal)
  const onProblem = (error: Error): void => void terminal.stderr.write(`rushes: warning: webhook: ${error.message}\n`)
  try {
    return await createWebhookNotifier({
      url: options.webhook,
      secret,
      journalDir: join(journalDir, '.webhook'),
      allowPrivateAddresses: options.webhookPrivate === true,
      onProblem,
      onDelivery({ state, type, error }) {
        if (state === 'failed') onProblem(new Error(`${type} was given up: ${error?.message ?? 'it is too old'}`))
      },
    })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const option = error.field.startsWith('secret') ? '--webhook-secret-env' : '--webhook'
    const rule = error.message
      .slice(`${error.field}: `.length)
      .replace('allowPrivateAddresses is set', '--webhook-private is given')
    throw new ConfigurationError(option, rule)
  }
}

/** Waits a little for what is undelivered, and says how much is left. */
export async function closeWebhook(notifier: WebhookNotifier | undefined, terminal: Terminal): Promise<void> {
  if (notifier === undefined) return
  await notifier.close({ timeoutMs: CLOSE_MS })
  const { pending } = notifier.stats
  if (pending > 0) {
    terminal.stderr.write(
      `rushes: warning: webhook: ${pending} not delivered; record or recover on this journal tries again\n`,
    )
  }
}
