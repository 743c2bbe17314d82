import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { RecordingEvent } from '@rushes/media'
import { describe, expect, it, vi } from 'vitest'
import { createHookScriptNotifier } from '../src/hook-script-notifier.js'
import { createMailNotifier } from '../src/mail-notifier.js'
import type { OutboxNotifier } from '../src/outbox-notifier.js'
import { createWebhookNotifier } from '../src/webhook-notifier.js'
import { verifyWebhook } from '../src/webhook-signature.js'
import { eventOf, temporaryFolder, until } from './event-fixtures.js'
import { startReceiver } from './receiver.js'

const SECRETS = ['hmac-5ecret', 'url-user-5ecret', 'url-pass-5ecret', 'header-5ecret', 'smtp-5ecret', 'query-5ecret']

/** Everything that leaves a notifier, other than to its receiver. */
class Leaks {
  readonly texts: string[] = []
  readonly options = {
    onDelivery: (report: unknown): void => this.take(report),
    onProblem: (problem: unknown): void => this.take(problem),
    logger: { warn: (...parts: unknown[]) => this.take(parts), error: (...parts: unknown[]) => this.take(parts) },
  }

  take(value: unknown): void {
    this.texts.push(inspect(value, { depth: 10, showHidden: true }), JSON.stringify(value) ?? '')
    if (value instanceof Error) this.texts.push(value.stack ?? '', inspect(value.cause))
  }

  takeFolder(dir: string): void {
    for (const name of readdirSync(dir)) this.texts.push(name, readFileSync(join(dir, name), 'utf8'))
  }
}

async function failing(notifier: OutboxNotifier, event: RecordingEvent, leaks: Leaks): Promise<void> {
  await notifier.notify(event)
  await until(() => notifier.stats.retries + notifier.stats.failed > 0, 'a failed attempt')
  leaks.take(notifier)
  leaks.take(notifier.stats)
  await notifier.close()
  await notifier.notify(event).catch((error: unknown) => leaks.take(error))
}

describe('secrets', () => {
  it('reach no log, report, error, statistics or journal', async () => {
    const leaks = new Leaks()
    const printed = ['log', 'info', 'warn', 'error', 'debug'] as const
    const spies = printed.map((name) => vi.spyOn(console, name).mockImplementation((...parts) => leaks.take(parts)))
    const writes = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        leaks.take(String(text))
        return true
      }),
    )
    try {
      const journalDir = temporaryFolder()
      const common = {
        secret: 'hmac-5ecret',
        headers: { authorization: 'header-5ecret' },
        backoff: { firstMs: 60_000 },
      }
      const receiver = await startReceiver()
      const credentials = 'url-user-5ecret:url-pass-5ecret'
      const answers: { status: number; location?: string }[] = [
        { status: 500 },
        { status: 404 },
        { status: 307, location: 'file:///query-5ecret' },
        { status: 307, location: `https://${credentials}@127.0.0.1:1/` },
      ]
      for (const [index, { status, location }] of answers.entries()) {
        const url = `${receiver.url.replace('//', `//${credentials}@`)}?key=query-5ecret`
        receiver.answer = ({ headers, body }, response) => {
          response.writeHead(status, location === undefined ? {} : { location })
          response.end(JSON.stringify(headers) + body)
        }
        const dir = join(journalDir, String(index))
        const options = { ...common, ...leaks.options, url, journalDir: dir, allowPrivateAddresses: true }
        await failing(await createWebhookNotifier(options), eventOf('r', 1), leaks)
        leaks.takeFolder(dir)
      }
      const unreachable = [
        `http://${credentials}@127.0.0.1:1/?key=query-5ecret`,
        `https://${credentials}@127.0.0.1:${receiver.port}/`,
        `https://${credentials}@does-not-exist.invalid/`,
      ]
      for (const [index, url] of unreachable.entries()) {
        const dir = join(journalDir, `down${index}`)
        const options = { ...common, ...leaks.options, url, journalDir: dir, allowPrivateAddresses: true }
        await failing(await createWebhookNotifier(options), eventOf('r', 1), leaks)
        leaks.takeFolder(dir)
      }
      const wrong = [
        { url: `ftp://${credentials}@example.org/query-5ecret` },
        { url: `${credentials} query-5ecret` },
        { url: `http://${credentials}@127.0.0.1/query-5ecret` },
        { headers: { 'x-key': 'header-5ecret\r\n' } },
        { timeoutMs: -1 },
        { journalDir: '/dev/null/x' },
      ]
      for (const change of wrong) {
        const options = { ...common, url: `http://${credentials}@example.org/`, journalDir, ...change }
        const error: unknown = await createWebhookNotifier(options).then(
          () => 'made',
          (error: unknown) => error,
        )
        expect(error).toBeInstanceOf(Error)
        leaks.take(error)
      }
      const smtp = { host: '127.0.0.1', port: 1, auth: { user: 'rushes', pass: 'smtp-5ecret' } }
      const mail = { smtp, from: 'a@example.org', to: 'b@example.org', backoff: { firstMs: 60_000 } }
      const mailDir = join(journalDir, 'mail')
      await failing(
        await createMailNotifier({ ...mail, ...leaks.options, journalDir: mailDir }),
        eventOf('r', 1, 'READY'),
        leaks,
      )
      leaks.takeFolder(mailDir)
      const hookDir = join(journalDir, 'hook')
      const env = { TOKEN: 'header-5ecret' }
      const event = eventOf('r', 1, 'READY', { outputs: [{ location: '/a.mp4' }] })
      const hook = { path: '/bin/false', env, journalDir: hookDir, ...leaks.options }
      await failing(await createHookScriptNotifier(hook), event, leaks)
      leaks.takeFolder(hookDir)
      try {
        const headers = { 'rushes-timestamp': '1', 'rushes-signature': 'v1=00' }
        verifyWebhook({ body: '', headers, secret: 'hmac-5ecret' })
      } catch (error) {
        leaks.take(error)
      }
    } finally {
      for (const spy of [...spies, ...writes]) spy.mockRestore()
    }
    // The net catches what it should.
    expect(leaks.texts.join('\n')).toContain('WEBHOOK_STATUS')
    expect(leaks.texts.join('\n')).toContain('MAIL_UNREACHABLE')
    for (const secret of SECRETS) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64').replace(/=+$/, ''),
        encodeURIComponent(secret),
      ]) {
        expect(
          leaks.texts.filter((text) => text.includes(form)),
          form,
        ).toEqual([])
      }
    }
  })
})
