import { readFileSync } from 'node:fs'
import type { LookupFunction } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DeliveryReport } from '../src/delivery.js'
import { createWebhookNotifier, type WebhookNotifier, type WebhookNotifierOptions } from '../src/webhook-notifier.js'
import { verifyWebhook } from '../src/webhook-signature.js'
import { eventOf, openssl, temporaryFolder, until, withoutOpenssl } from './event-fixtures.js'
import { type Received, startReceiver } from './receiver.js'
import { fastClock } from './test-clocks.js'

const secret = 'a-secret-of-the-host'

/** A notifier that may reach the loopback, with short waits, and its reports. */
async function open(
  url: string,
  options: Partial<WebhookNotifierOptions> = {},
): Promise<{ notifier: WebhookNotifier; reports: DeliveryReport[]; journalDir: string }> {
  const reports: DeliveryReport[] = []
  const journalDir = options.journalDir ?? temporaryFolder()
  const notifier = await createWebhookNotifier({
    url,
    secret,
    journalDir,
    allowPrivateAddresses: true,
    backoff: { firstMs: 10, maxMs: 50 },
    onDelivery: (report) => reports.push(report),
    ...options,
  })
  return { notifier, reports, journalDir }
}

/** The order in which events arrived first, per recording. */
function firstArrivals(received: readonly Received[], recordingId: string): string[] {
  return [...new Set(received.map(({ id }) => id))].filter((id) => id.startsWith(`${recordingId}:`))
}

const idsOf = (recordingId: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${recordingId}:${index + 1}`)

describe('a webhook', () => {
  it('is a signed POST of the event', async () => {
    const receiver = await startReceiver()
    const { notifier } = await open(receiver.url, { headers: { Authorization: 'Bearer token' } })
    const event = eventOf('r', 1, 'LINK', { url: 'https://example.org/ü.m3u8' })
    await notifier.notify(event)
    await until(() => notifier.stats.delivered === 1, 'delivery')
    const [{ headers, body }] = receiver.received as [Received]
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'rushes-event-id': 'r:1',
      authorization: 'Bearer token',
    })
    expect(verifyWebhook({ body, headers, secret })).toEqual(event)
    await notifier.close()
  })

  it('is signed with each secret while they are changed', async () => {
    const receiver = await startReceiver()
    const { notifier } = await open(receiver.url, { secret: ['new', 'old'] })
    await notifier.notify(eventOf('r', 1))
    await until(() => receiver.received.length === 1, 'request')
    const [{ headers, body }] = receiver.received as [Received]
    for (const one of ['new', 'old']) expect(verifyWebhook({ body, headers, secret: one }).id).toBe('r:1')
    await notifier.close()
  })

  it('a receiver that is down for two minutes gets everything, in order, with the same bytes', async () => {
    const probe = await startReceiver()
    const { port } = probe
    await probe.stop()
    // Two minutes in four seconds.
    const clock = fastClock(30)
    const { notifier, reports } = await open(`http://127.0.0.1:${port}/hook`, {
      backoff: { firstMs: 1000, maxMs: 20_000 },
      clock,
      wallNowMs: clock.wallNowMs,
    })
    for (const recording of ['a', 'b']) {
      for (let sequence = 1; sequence <= 5; sequence += 1) await notifier.notify(eventOf(recording, sequence))
    }
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect(notifier.stats.delivered).toBe(0)
    expect(reports.length).toBeGreaterThan(8)
    expect(new Set(reports.map(({ error }) => error?.code))).toEqual(new Set(['WEBHOOK_UNREACHABLE']))
    const receiver = await startReceiver({ port })
    await until(() => notifier.stats.delivered === 10, 'deliveries after the outage')
    for (const recording of ['a', 'b']) expect(firstArrivals(receiver.received, recording)).toEqual(idsOf(recording, 5))
    await notifier.close()
  })

  it('an outage in real time, with the times of attempts in the signatures', async () => {
    const receiver = await startReceiver()
    const startMs = Date.now()
    receiver.answer = (_received, response) => {
      response.statusCode = Date.now() - startMs < 1500 ? 503 : 204
      response.end()
    }
    const { notifier } = await open(receiver.url, { backoff: { firstMs: 300, maxMs: 600, jitter: 0.5 } })
    for (let sequence = 1; sequence <= 3; sequence += 1) await notifier.notify(eventOf('r', sequence))
    await until(() => notifier.stats.delivered === 3, 'deliveries')
    expect(firstArrivals(receiver.received, 'r')).toEqual(idsOf('r', 3))
    const tries = receiver.received.filter(({ id }) => id === 'r:1')
    expect(tries.length).toBeGreaterThan(2)
    expect(new Set(tries.map(({ body }) => body)).size).toBe(1)
    for (const { body, headers, atMs } of tries)
      verifyWebhook({ body, headers, secret, nowS: atMs / 1000, toleranceS: 2 })
    await notifier.close()
  })

  it.each([
    { status: 500, tried: 'again' },
    { status: 503, tried: 'again' },
    { status: 408, tried: 'again' },
    { status: 425, tried: 'again' },
    { status: 429, tried: 'again' },
    { status: 400, tried: 'once' },
    { status: 401, tried: 'once' },
    { status: 404, tried: 'once' },
    { status: 410, tried: 'once' },
    { status: 303, tried: 'once' },
  ])('is tried $tried after $status', async ({ status, tried }) => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => {
      response.statusCode = receiver.received.length === 1 ? status : 200
      response.end()
    }
    const { notifier, reports } = await open(receiver.url)
    await notifier.notify(eventOf('r', 1))
    await notifier.notify(eventOf('r', 2))
    await until(() => notifier.stats.pending === 0, 'end')
    expect(receiver.received.map(({ id }) => id)).toEqual(tried === 'again' ? ['r:1', 'r:1', 'r:2'] : ['r:1', 'r:2'])
    expect(reports[0]).toMatchObject({
      state: tried === 'again' ? 'waiting' : 'failed',
      error: { code: 'WEBHOOK_STATUS', status },
    })
    await notifier.close()
  })

  it('the host chooses which statuses are tried again', async () => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => {
      response.statusCode = receiver.received.length === 1 ? 404 : 200
      response.end()
    }
    const { notifier } = await open(receiver.url, { retryStatus: (status) => status === 404 })
    await notifier.notify(eventOf('r', 1))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(receiver.received).toHaveLength(2)
    await notifier.close()
  })

  it.each([
    { retryAfter: '1', atLeastMs: 990 },
    { retryAfter: '86400', atLeastMs: 590 },
  ])('honours Retry-After: $retryAfter, up to its maximum', async ({ retryAfter, atLeastMs }) => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => {
      if (receiver.received.length === 1) response.writeHead(429, { 'retry-after': retryAfter })
      response.end()
    }
    const maxRetryAfterMs = retryAfter === '1' ? 900_000 : 600
    const { notifier, reports } = await open(receiver.url, { maxRetryAfterMs })
    await notifier.notify(eventOf('r', 1))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    const [first, second] = receiver.received as [Received, Received]
    expect(second.atMs - first.atMs).toBeGreaterThanOrEqual(atLeastMs)
    expect(reports[0]?.retryInMs).toBeLessThanOrEqual(1000)
    await notifier.close()
  })

  it('a receiver that does not answer in time is tried again', async () => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => {
      if (receiver.received.length > 1) response.end()
    }
    const { notifier, reports } = await open(receiver.url, { timeoutMs: 200 })
    await notifier.notify(eventOf('r', 1))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(reports[0]?.error?.code).toBe('WEBHOOK_TIMEOUT')
    await notifier.close()
  })

  it('an answer that trickles does not outlast the limit', async () => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    }
    const { notifier, reports } = await open(receiver.url, { timeoutMs: 300, maxAttempts: 1 })
    await notifier.notify(eventOf('r', 1))
    await until(() => reports.length === 1, 'report')
    expect(reports[0]).toMatchObject({ state: 'failed', error: { code: 'WEBHOOK_TIMEOUT' } })
    expect(reports[0]?.durationMs).toBeLessThan(2000)
    await notifier.close()
  })

  it('reads no more of an endless answer than it must', async () => {
    const receiver = await startReceiver()
    let written = 0
    receiver.answer = (_received, response) => {
      const chunk = Buffer.alloc(65_536)
      const write = (): void => {
        while (!response.destroyed && written < 1e9) {
          written += chunk.byteLength
          if (!response.write(chunk)) return void response.once('drain', write)
        }
      }
      write()
    }
    const { notifier } = await open(receiver.url)
    await notifier.notify(eventOf('r', 1))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(written).toBeLessThan(50_000_000)
    await notifier.close()
  })

  it('a connection that breaks off is tried again', async () => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => {
      if (receiver.received.length > 2) response.end()
      else if (receiver.received.length === 2) response.socket?.destroy()
      else {
        response.writeHead(200, { 'content-length': 10 })
        response.write('x', () => response.socket?.destroy())
      }
    }
    const { notifier, reports } = await open(receiver.url)
    await notifier.notify(eventOf('r', 1))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(reports.map(({ error }) => error?.code)).toEqual(['WEBHOOK_UNREACHABLE', 'WEBHOOK_UNREACHABLE', undefined])
    await notifier.close()
  })

  it('a slow recording holds back no other', async () => {
    const receiver = await startReceiver()
    receiver.answer = ({ id }, response) => {
      if (!id.startsWith('slow')) response.end()
    }
    const { notifier } = await open(receiver.url, { maxConcurrent: 2 })
    await notifier.notify(eventOf('slow', 1))
    for (let sequence = 1; sequence <= 20; sequence += 1) await notifier.notify(eventOf('quick', sequence))
    await until(() => notifier.stats.delivered === 20, 'the quick recording')
    expect(notifier.stats.pending).toBe(1)
    await notifier.close()
  })

  it('close ends a request that is under way', async () => {
    const receiver = await startReceiver()
    receiver.answer = () => undefined
    const { notifier, journalDir } = await open(receiver.url)
    await notifier.notify(eventOf('r', 1))
    await until(() => receiver.received.length === 1, 'request')
    const startMs = Date.now()
    await notifier.close()
    expect(Date.now() - startMs).toBeLessThan(1000)
    receiver.answer = undefined
    const { notifier: second } = await open(receiver.url, { journalDir })
    await until(() => second.stats.delivered === 1, 'delivery after the restart')
    expect(receiver.received[1]?.body).toBe(receiver.received[0]?.body)
    await second.close()
  })

  it('a body of the host’s making is journalled and signed as it is', async () => {
    const receiver = await startReceiver()
    const { notifier } = await open(receiver.url, { bodyOf: ({ type }) => `<event>${type} ü</event>` })
    await notifier.notify(eventOf('r', 1))
    await until(() => receiver.received.length === 1, 'request')
    expect(receiver.received[0]?.body).toBe('<event>MARK ü</event>')
    await notifier.close()
  })

  it('an id that no header can hold is encoded there', async () => {
    const receiver = await startReceiver()
    const { notifier } = await open(receiver.url)
    await notifier.notify({ ...eventOf('r', 1), id: 'ü\r\nx: y\ud83d' })
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(receiver.received[0]?.headers['rushes-event-id']).toBe('%C3%BC%0D%0Ax:%20y%EF%BF%BD')
    expect(receiver.received[0]?.headers['x']).toBeUndefined()
    await notifier.close()
  })

  it.each([
    ['us%65r:p%40ss', 'user:p@ss'],
    ['user:100%', 'user:100%'],
    ['user', 'user:'],
  ])('credentials of the URL become basic authentication: %s', async (given, expected) => {
    const receiver = await startReceiver()
    const { notifier } = await open(receiver.url.replace('//', `//${given}@`))
    await notifier.notify(eventOf('r', 1))
    await until(() => receiver.received.length === 1, 'request')
    const sent = Buffer.from(String(receiver.received[0]?.headers.authorization).slice(6), 'base64').toString()
    expect(sent).toBe(expected)
    await notifier.close()
  })

  it.skipIf(withoutOpenssl)('over TLS believes only what it was told to', async () => {
    const dir = temporaryFolder()
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]
    expect(openssl([...request, ...subject]).status).toBe(0)
    const ca = readFileSync(cert, 'utf8')
    const receiver = await startReceiver({ tls: { key: readFileSync(key, 'utf8'), cert: ca } })
    const { notifier: trusting } = await open(receiver.url, { ca })
    await trusting.notify(eventOf('r', 1))
    await until(() => trusting.stats.delivered === 1, 'delivery over TLS')
    const { notifier: wary, reports } = await open(receiver.url, { maxAttempts: 1 })
    await wary.notify(eventOf('r', 1))
    await until(() => reports.length === 1, 'report')
    expect(reports[0]?.error).toMatchObject({ code: 'WEBHOOK_UNREACHABLE', message: expect.stringContaining('CERT') })
    expect(receiver.received).toHaveLength(1)
    await trusting.close()
    await wary.close()
  })
})

describe('the order and the content of webhooks', () => {
  it('survive a restart in the middle', async () => {
    const receiver = await startReceiver()
    let answered = 0
    receiver.answer = (_received, response) => {
      answered += 1
      response.statusCode = answered % 3 === 0 ? 500 : 200
      setTimeout(() => response.end(), 5)
    }
    const { notifier, journalDir } = await open(receiver.url)
    const recordings = ['a', 'b', 'c']
    const notified = recordings.map(async (recording) => {
      for (let sequence = 1; sequence <= 30; sequence += 1) await notifier.notify(eventOf(recording, sequence))
    })
    await Promise.all(notified)
    await until(() => receiver.received.length > 30, 'half of it')
    await notifier.close()
    expect(notifier.stats.pending).toBeGreaterThan(0)
    const { notifier: second } = await open(receiver.url, { journalDir })
    await until(() => second.stats.pending === 0, 'the rest')
    for (const recording of recordings)
      expect(firstArrivals(receiver.received, recording)).toEqual(idsOf(recording, 30))
    const bodies = new Map<string, Set<string>>()
    for (const { id, body } of receiver.received) bodies.set(id, (bodies.get(id) ?? new Set()).add(body))
    expect([...bodies.values()].every((some) => some.size === 1)).toBe(true)
    await second.close()
  })
})

describe('a receiver that must not be reached', () => {
  const lookupTo =
    (...addresses: string[]): LookupFunction =>
    (_hostname, options, callback) => {
      const family = (address: string): number => (address.includes(':') ? 6 : 4)
      if (options.all)
        callback(
          null,
          addresses.map((address) => ({ address, family: family(address) })),
        )
      else callback(null, addresses[0] ?? '', family(addresses[0] ?? ''))
    }

  it.each([
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::ffff:10.0.0.1]/',
    'http://169.254.169.254/latest/meta-data',
    'ftp://example.org/',
    'file:///etc/passwd',
    'example.org',
  ])('is refused at once: %s', async (url) => {
    const options = { url, secret, journalDir: temporaryFolder() }
    await expect(createWebhookNotifier(options)).rejects.toMatchObject({ field: 'url' })
  })

  it.each([
    ['a private address', ['127.0.0.1']],
    ['a public and a private address', ['93.184.215.14', '127.0.0.1']],
    ['a mapped private address', ['::ffff:127.0.0.1']],
  ])('is refused when its name leads to %s', async (_what, addresses) => {
    const receiver = await startReceiver()
    const { notifier, reports } = await open(`http://rebound.example:${receiver.port}/`, {
      allowPrivateAddresses: false,
      lookup: lookupTo(...addresses),
    })
    await notifier.notify(eventOf('r', 1))
    await until(() => reports.length === 1, 'report')
    expect(reports[0]).toMatchObject({ state: 'failed', error: { code: 'WEBHOOK_ADDRESS_REFUSED' } })
    expect(receiver.received).toEqual([])
    await notifier.close()
  })

  it('is refused when its name changes its address later: each connection is checked', async () => {
    const receiver = await startReceiver()
    let lookups = 0
    const { notifier, reports } = await open(`http://rebound.example:${receiver.port}/`, {
      allowPrivateAddresses: false,
      // Nobody is at the first address, which is public by its number.
      lookup: (hostname, options, callback) => {
        lookups += 1
        if (lookups === 1) callback(Object.assign(new Error('not now'), { code: 'EAI_AGAIN' }), '', 4)
        else lookupTo('127.0.0.1')(hostname, options, callback)
      },
    })
    await notifier.notify(eventOf('r', 1))
    await until(() => reports.length === 2, 'reports')
    expect(reports.map(({ error }) => error?.code)).toEqual(['WEBHOOK_UNREACHABLE', 'WEBHOOK_ADDRESS_REFUSED'])
    expect(receiver.received).toEqual([])
    await notifier.close()
  })

  it('localhost is refused', async () => {
    const receiver = await startReceiver()
    const { notifier, reports } = await open(`http://localhost:${receiver.port}/`, { allowPrivateAddresses: false })
    await notifier.notify(eventOf('r', 1))
    await until(() => reports.length === 1, 'report')
    expect(reports[0]?.error?.code).toBe('WEBHOOK_ADDRESS_REFUSED')
    await notifier.close()
  })
})

describe('redirects', () => {
  it('are followed with the same POST, a few times', async () => {
    const receiver = await startReceiver()
    receiver.answer = ({ path }, response) => {
      const hop = Number(path.slice(-1)) || 0
      if (hop < 3) response.writeHead([301, 302, 308][hop] ?? 307, { location: `/hop${hop + 1}` })
      response.end()
    }
    const { notifier } = await open(receiver.url, { headers: { authorization: 'Bearer token' } })
    await notifier.notify(eventOf('r', 1))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook', '/hop1', '/hop2', '/hop3'])
    const { body, headers } = receiver.received[3] as Received
    expect(verifyWebhook({ body, headers, secret }).id).toBe('r:1')
    expect(headers.authorization).toBe('Bearer token')
    await notifier.close()
  })

  it('do not take the host’s headers to another origin', async () => {
    const other = await startReceiver()
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => response.writeHead(307, { location: other.url }).end()
    const url = receiver.url.replace('//', '//user:password@')
    const { notifier } = await open(url, { headers: { 'x-api-key': 'key-of-the-host' } })
    await notifier.notify(eventOf('r', 1))
    await until(() => notifier.stats.delivered === 1, 'delivery')
    expect(receiver.received[0]?.headers).toMatchObject({ 'x-api-key': 'key-of-the-host' })
    expect(other.received[0]?.headers['x-api-key']).toBeUndefined()
    expect(other.received[0]?.headers.authorization).toBeUndefined()
    await notifier.close()
  })

  it.each([
    ['in a circle', '/hook', 'WEBHOOK_REDIRECT_REFUSED'],
    ['to a file', 'file:///etc/passwd', 'WEBHOOK_REDIRECT_REFUSED'],
    ['to nowhere', undefined, 'WEBHOOK_REDIRECT_REFUSED'],
    ['to no URL', 'http://[', 'WEBHOOK_REDIRECT_REFUSED'],
  ])('%s are refused', async (_what, location, code) => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => response.writeHead(307, location === undefined ? {} : { location }).end()
    const { notifier, reports } = await open(receiver.url)
    await notifier.notify(eventOf('r', 1))
    await until(() => reports.length === 1, 'report')
    expect(reports[0]).toMatchObject({ state: 'failed', error: { code } })
    expect(receiver.received.length).toBeLessThanOrEqual(4)
    await notifier.close()
  })

  it.each([
    'http://127.0.0.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://localhost:PORT/',
    'http://2130706433:PORT/',
  ])('to a private address are refused: %s', async (location) => {
    const secretService = await startReceiver()
    const { createWebhookTransport } = await import('../src/webhook-request.js')
    const checked = createWebhookTransport({ allowPrivateAddresses: false })
    const { notifier, reports } = await open('http://public.example/', {
      allowPrivateAddresses: false,
      // The first hop answers as a public receiver would; the next one goes the real way.
      transport: async (request) =>
        request.url.hostname === 'public.example'
          ? { status: 307, location: location.replace('PORT', String(secretService.port)) }
          : checked(request),
    })
    await notifier.notify(eventOf('r', 1))
    await until(() => reports.length === 1, 'report')
    expect(reports[0]).toMatchObject({ state: 'failed', error: { code: 'WEBHOOK_ADDRESS_REFUSED' } })
    expect(secretService.received).toEqual([])
    await notifier.close()
  })

  it('from https to http are refused', async () => {
    const { notifier, reports } = await open('https://public.example/', {
      transport: async () => ({ status: 308, location: 'http://public.example/' }),
    })
    await notifier.notify(eventOf('r', 1))
    await until(() => reports.length === 1, 'report')
    expect(reports[0]?.error).toMatchObject({ code: 'WEBHOOK_REDIRECT_REFUSED' })
    await notifier.close()
  })
})

describe('options', () => {
  it.each([
    ['secret', { secret: '' }],
    ['secret', { secret: [] }],
    ['secret', { secret: ['a', ''] }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['maxRetryAfterMs', { maxRetryAfterMs: Number.NaN }],
    ['headers.bad name', { headers: { 'bad name': 'x' } }],
    ['headers.x', { headers: { x: 'a\r\nb: c' } }],
    ['headers.Rushes-Signature', { headers: { 'Rushes-Signature': 'x' } }],
    ['headers.Host', { headers: { Host: 'x' } }],
    ['events', { events: 'READY' as never }],
    ['backoff.factor', { backoff: { factor: 0 } }],
  ])('%s is named when it is wrong', async (field, options) => {
    await expect(open('https://example.org/', options)).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field })
  })
})
