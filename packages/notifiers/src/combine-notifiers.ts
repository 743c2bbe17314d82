import type { Notifier } from '@rushes/media'

/**
 * Several notifiers as one. Each gets every event, whatever becomes of it with the others; `notify` and `close` resolve
 * when all of them are done, and never reject: what fails is told by the notifier that it concerns.
 */
export function combineNotifiers(notifiers: readonly Notifier[]): Notifier {
  const all = async (work: (notifier: Notifier) => Promise<void>): Promise<void> => {
    // A notifier that throws at once is like one that rejects.
    await Promise.allSettled(notifiers.map(async (notifier) => work(notifier)))
  }
  return {
    name: notifiers.map(({ name }) => name).join(', '),
    notify: (event) => all((notifier) => notifier.notify(event)),
    close: (options) => all((notifier) => notifier.close(options)),
  }
}
