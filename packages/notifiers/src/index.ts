export type { BackOff } from '@rushes/media'
export { combineNotifiers } from './combine-notifiers.js'
export type { Deliver, Delivery, DeliveryOutcome, DeliveryReport, NotifierLogger } from './delivery.js'
export {
  type AttemptResult,
  DeliverySchedule,
  type ScheduledDelivery,
  type ScheduleLimits,
  type Settled,
} from './delivery-schedule.js'
export { NotifierError, type NotifierErrorCode } from './errors.js'
export type { EventOutput } from './event-facts.js'
export {
  createHookScriptNotifier,
  type FinishedFile,
  type HookScriptNotifier,
  type HookScriptNotifierOptions,
  type ScriptOutput,
} from './hook-script-notifier.js'
export { createMailNotifier, type MailNotifier, type MailNotifierOptions } from './mail-notifier.js'
export type { MailTemplate } from './mail-template.js'
export type { OutboxItem } from './outbox.js'
export {
  createOutboxNotifier,
  type EventFilter,
  type OutboxNotifier,
  type OutboxNotifierOptions,
} from './outbox-notifier.js'
export type { OutboxOptions } from './outbox-options.js'
export type { OutboxStats } from './outbox-stats.js'
export { createWebhookNotifier, type WebhookNotifier, type WebhookNotifierOptions } from './webhook-notifier.js'
export type { WebhookAnswer, WebhookRequest, WebhookTransport } from './webhook-request.js'
export { type ReceivedWebhook, signWebhook, verifyWebhook } from './webhook-signature.js'
