import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DeliveryReport } from '../src/delivery.js'
import { createMailNotifier, type MailNotifier, type MailNotifierOptions } from '../src/mail-notifier.js'
import { eventOf, temporaryFolder, until } from './event-fixtures.js'

interface Mail {
  readonly raw: string
  readonly from: string
  readonly to: readonly string[]
}

async function startServer(
  options: SMTPServerOptions = {},
): Promise<{ port: number; mails: Mail[]; server: SMTPServer }> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          raw: Buffer.concat(chunks).toString(),
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, mails, server }
}

async function open(
  port: number,
  options: Partial<MailNotifierOptions> = {},
): Promise<{ notifier: MailNotifier; reports: DeliveryReport[] }> {
  const reports: DeliveryReport[] = []
  const notifier = await createMailNotifier({
    smtp: { host: '127.0.0.1', port, ignoreTLS: true },
    from: 'Rushes <rushes@example.org>',
    to: 'ann@example.org',
    journalDir: temporaryFolder(),
    backoff: { firstMs: 10, maxMs: 50 },
    onDelivery: (report) => reports.push(report),
    ...options,
  })
  return { notifier, reports }
}

/** Headers, unfolded, by name. */
function headersOf({ raw }: Mail): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return headers
}

/** The parts with their transfer encoding undone. */
function partsOf({ raw }: Mail): string[] {
  return raw.split(/\r\n--[^\r\n]+/).map((part) => {
    const [head = '', ...rest] = part.split('\r\n\r\n')
    const body = rest.join('\r\n\r\n')
    if (/base64/i.test(head)) return Buffer.from(body, 'base64').toString()
    if (!/quoted-printable/i.test(head)) return body
    const bytes = body
      .replaceAll('=\r\n', '')
      .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    return Buffer.from(bytes, 'latin1').toString()
  })
}

const ready = eventOf('r-1', 9, 'READY', {
  durationUs: 3_725_000_000,
  outputs: [
    { participantId: 'alice', container: 'mp4', key: 'a.mp4', location: 'https://example.org/a.mp4?x=1&y=2' },
    { container: 'hls', key: 'all.m3u8', location: 'file:///recordings/all.m3u8' },
  ],
})

describe('a mail', () => {
  it('tells of a recording that is ready', async () => {
    const { port, mails } = await startServer()
    const { notifier } = await open(port, { to: ['ann@example.org', 'Bob <bob@example.org>'] })
    await notifier.notify(eventOf('r-1', 1, 'START'))
    await notifier.notify(ready)
    await until(() => notifier.stats.delivered === 1, 'delivery')
    const [mail] = mails as [Mail]
    expect(mails).toHaveLength(1)
    expect(mail).toMatchObject({ from: 'rushes@example.org', to: ['ann@example.org', 'bob@example.org'] })
    expect(headersOf(mail).get('subject')).toEqual(['The recording of room-1 is ready'])
    const [, text = '', html = ''] = partsOf(mail)
    expect(text).toContain('Duration: 1:02:05')
    expect(text).toContain('alice, mp4: https://example.org/a.mp4?x=1&y=2')
    expect(text).toContain('hls: file:///recordings/all.m3u8')
    expect(html).toContain('<a href="https://example.org/a.mp4?x=1&#38;y=2">')
    expect(html).not.toContain('href="file:')
    await notifier.close()
  })

  it('tells of an error', async () => {
    const { port, mails } = await startServer()
    const { notifier } = await open(port)
    await notifier.notify(
      eventOf('r', 1, 'ERROR', { code: 'STORE_NO_SPACE', message: 'the disk is full <b>', fatal: true }),
    )
    await until(() => notifier.stats.delivered === 1, 'delivery')
    const [, text = '', html = ''] = partsOf(mails[0] as Mail)
    expect(text).toContain('the disk is full <b> (STORE_NO_SPACE)')
    expect(html).toContain('the disk is full &#60;b&#62; (STORE_NO_SPACE)')
    await notifier.close()
  })

  it('has a Message-ID and a date that stay the same when it comes twice', async () => {
    const { port, mails } = await startServer()
    for (let round = 0; round < 2; round += 1) {
      const { notifier } = await open(port)
      await notifier.notify(ready)
      await until(() => notifier.stats.delivered === 1, 'delivery')
      await notifier.close()
    }
    const [one, two] = mails.map(headersOf)
    expect(one?.get('message-id')).toEqual(two?.get('message-id'))
    expect(one?.get('message-id')?.[0]).toMatch(/^<[0-9a-f]{40}@example\.org>$/)
    expect(one?.get('date')).toEqual(two?.get('date'))
  })

  it('cannot be given headers or recipients by an event', async () => {
    const { port, mails } = await startServer()
    const evil = 'x\r\nBcc: evil@example.org\r\n\r\nbody\u2028\u0085 <script>alert(1)</script>'
    const template = { subject: '{roomId} {recordingId} {error}', text: '{roomId}', html: '<p>{roomId}</p>{links}' }
    const { notifier } = await open(port, { templates: { ERROR: template } })
    await notifier.notify({
      ...eventOf('r', 1, 'ERROR', { message: evil, location: 'javascript:alert("1")', key: evil }),
      id: evil,
      roomId: evil,
      recordingId: evil,
    })
    await until(() => notifier.stats.delivered === 1, 'delivery')
    const [mail] = mails as [Mail]
    expect(mail.to).toEqual(['ann@example.org'])
    const headers = headersOf(mail)
    expect(headers.has('bcc')).toBe(false)
    expect(headers.get('message-id')?.[0]).toMatch(/^<[0-9a-f]{40}@example\.org>$/)
    expect(headers.get('subject')?.join('').length).toBeLessThan(1000)
    const html = partsOf(mail).at(2) ?? ''
    expect(html).toContain('&#60;script&#62;')
    expect(html).not.toMatch(/<script|href/)
    await notifier.close()
  })

  it('comes when the server is back', async () => {
    const first = await startServer()
    await new Promise<void>((resolve) => first.server.close(() => resolve()))
    const { notifier, reports } = await open(first.port)
    await notifier.notify(ready)
    await until(() => reports.length > 1, 'attempts')
    expect(reports[0]).toMatchObject({ state: 'waiting', error: { code: 'MAIL_UNREACHABLE' } })
    const mails: string[] = []
    const again = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      onData(stream, _session, done) {
        stream.resume()
        stream.on('end', () => {
          mails.push('mail')
          done()
        })
      },
    })
    await new Promise<void>((resolve) => again.listen(first.port, '127.0.0.1', () => resolve()))
    onTestFinished(() => new Promise<void>((resolve) => again.close(() => resolve())))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(mails).toHaveLength(1)
    await notifier.close()
  })

  it.each([
    { responseCode: 451, state: 'waiting' },
    { responseCode: 550, state: 'failed' },
  ])('after $responseCode is $state', async ({ responseCode, state }) => {
    const { port } = await startServer({
      onRcptTo: (_address, _session, done) => done(Object.assign(new Error('no: secret-echo'), { responseCode })),
    })
    const { notifier, reports } = await open(port)
    await notifier.notify(ready)
    await until(() => reports.length > 0, 'report')
    expect(reports[0]).toMatchObject({ state, error: { code: 'MAIL_REFUSED', status: responseCode } })
    expect(reports[0]?.error?.message).not.toContain('secret-echo')
    await notifier.close()
  })

  it('waits for the operator when the login is refused', async () => {
    let password = 'other'
    const { port, mails } = await startServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) =>
        auth.password === password ? done(null, { user: 'u' }) : done(new Error(`no ${auth.password}`)),
    })
    const smtp = { host: '127.0.0.1', port, ignoreTLS: true, auth: { user: 'rushes', pass: 'password-of-the-host' } }
    const { notifier, reports } = await open(port, { smtp })
    await notifier.notify(ready)
    await until(() => reports.length > 0, 'report')
    expect(reports[0]).toMatchObject({ state: 'waiting', error: { code: 'MAIL_AUTH_FAILED' } })
    expect(reports[0]?.error?.message).not.toContain('password')
    password = 'password-of-the-host'
    await until(() => mails.length === 1, 'mail')
    await notifier.close()
  })

  it('close does not wait for a server that hangs', async () => {
    const { port } = await startServer({ onMailFrom: () => undefined })
    const { notifier } = await open(port)
    await notifier.notify(ready)
    await until(() => notifier.stats.inFlight === 1, 'attempt')
    const startMs = Date.now()
    await notifier.close()
    expect(Date.now() - startMs).toBeLessThan(1000)
  })

  it.each([
    ['smtp', { smtp: undefined as never }],
    ['from', { from: 'nobody' }],
    ['from', { from: 'a@b\r\nBcc: c@d' }],
    ['to', { to: [] }],
    ['to', { to: ['ann@example.org', 'x'] }],
    ['templates.READY.subject', { templates: { READY: { subject: '{unknown}', text: '' } } }],
    ['templates.READY.text', { templates: { READY: { subject: '', text: 1 as never } } }],
  ])('%s is named when it is wrong', async (field, options) => {
    await expect(open(1, options)).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field })
  })
})
