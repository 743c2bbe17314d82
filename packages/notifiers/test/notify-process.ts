// Notifies a receiver of many events, for a test that ends this process by force: URL JOURNAL_DIR RECORDINGS EVENTS.
// An event is told again from the first on at each start, as a host does that does not know what was taken.
import { createWebhookNotifier } from '../src/webhook-notifier.js'

const [url = '', journalDir = '', recordings = '', events = ''] = process.argv.slice(2)

const notifier = await createWebhookNotifier({
  url,
  secret: 'secret',
  journalDir,
  allowPrivateAddresses: true,
  backoff: { firstMs: 5, maxMs: 20 },
})
await Promise.all(
  Array.from({ length: Number(recordings) }, async (_, recording) => {
    for (let sequence = 1; sequence <= Number(events); sequence += 1) {
      await notifier.notify({
        id: `r${recording}:${sequence}`,
        recordingId: `r${recording}`,
        roomId: 'room-1',
        sequence,
        type: 'MARK',
        at: new Date().toISOString(),
        // Another content for the same id would show in the test.
        data: { random: Math.random() },
      })
      process.stdout.write('.')
    }
  }),
)
await notifier.close({ timeoutMs: 60_000 })
