import { fastify } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { startWhipServer, type WhipEndpointOptions, type WhipEvent, whipEndpoint } from '../../src/whip/index.js'
import { memoryTarget } from '../memory-target.js'
import { chromiumOffer } from './offers.js'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function endpoint(options: Partial<WhipEndpointOptions> = {}) {
  const app = fastify()
  open.push(app)
  const events: WhipEvent[] = []
  const onPublish: WhipEndpointOptions['onPublish'] = ({ stream }) => ({
    target: memoryTarget(),
    participantId: stream ?? 'alice',
    onEvent: (event) => events.push(event),
  })
  await app.register(whipEndpoint, { prefix: '/whip', ice: { addresses: ['127.0.0.1'] }, onPublish, ...options })
  const publish = (headers: Record<string, string> = {}, payload = chromiumOffer, url = '/whip') =>
    app.inject({ method: 'POST', url, headers: { 'content-type': 'application/sdp', ...headers }, payload })
  const patch = (
    url: string,
    headers: Record<string, string>,
    payload = 'a=ice-ufrag:8hhY\r\na=end-of-candidates\r\n',
  ) =>
    app.inject({
      method: 'PATCH',
      url,
      headers: { 'content-type': 'application/trickle-ice-sdpfrag', ...headers },
      payload,
    })
  return { app, events, publish, patch }
}

describe('publishing', () => {
  test('is answered as RFC 9725 says', async () => {
    const { publish } = await endpoint()
    const { statusCode, headers, body } = await publish()
    expect(statusCode).toBe(201)
    expect(headers).toMatchObject({
      'content-type': 'application/sdp',
      'accept-patch': 'application/trickle-ice-sdpfrag',
      'access-control-allow-origin': '*',
    })
    expect(headers['location']).toMatch(/^\/whip\/sessions\/[\w-]{36}$/)
    expect(headers['etag']).toMatch(/^"[\w-]+"$/)
    expect(body).toMatch(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host\r$/m)
  })
  test('tells of servers that help', async () => {
    const { publish } = await endpoint({
      iceServers: [
        { url: 'stun:stun.example.net' },
        { url: 'turn:turn.example.net?transport=udp', username: 'user', credential: 'a"b' },
      ],
    })
    expect((await publish()).headers['link']).toEqual([
      '<stun:stun.example.net>; rel="ice-server"',
      '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="a\\"b"; credential-type="password"',
    ])
  })
  test('tells of the address that others see', async () => {
    const { publish } = await endpoint({ ice: { addresses: ['127.0.0.1'], publicAddresses: ['198.51.100.4'] } })
    const { body } = await publish()
    expect(body).toMatch(/ 198\.51\.100\.4 \d+ typ host/)
    expect(body).not.toContain('127.0.0.1')
  })
  test('stays within the ports, and says when they are all taken', async () => {
    const { publish } = await endpoint({ ice: { addresses: ['127.0.0.1'], portRange: [41_230, 41_231] } })
    const answers = await Promise.all([publish(), publish(), publish()])
    expect(answers.map(({ statusCode }) => statusCode).sort((a, b) => a - b)).toEqual([201, 201, 503])
    const ports = answers.flatMap(({ body }) => / 127\.0\.0\.1 (\d+) typ host/.exec(body)?.[1] ?? [])
    expect(ports.sort()).toEqual(['41230', '41231'])
  })
  test('the stream is told, and may be refused', async () => {
    const seen: (string | undefined)[] = []
    const { publish } = await endpoint({
      onPublish: ({ stream }) => {
        seen.push(stream)
        return { refuse: 'this room is not recorded' }
      },
    })
    const refused = await publish({}, chromiumOffer, '/whip/room-1')
    expect(refused.statusCode).toBe(403)
    expect(refused.headers['content-type']).toContain('application/problem+json')
    expect(refused.json()).toEqual({
      type: 'about:blank',
      title: 'WHIP_REFUSED',
      status: 403,
      detail: 'this room is not recorded',
      instance: '/whip/room-1',
    })
    await publish()
    expect(seen).toEqual(['room-1', undefined])
  })
  test('no more than so many', async () => {
    const { app, publish } = await endpoint({ maxSessions: 1 })
    const first = await publish()
    const second = await publish()
    expect(second.statusCode).toBe(503)
    expect(second.headers['retry-after']).toBe('10')
    await app.inject({ method: 'DELETE', url: String(first.headers['location']) })
    expect((await publish()).statusCode).toBe(201)
  })
  test.for([
    ['another media type', { 'content-type': 'application/json' }, '{}', 415, 'WHIP_UNSUPPORTED_MEDIA_TYPE'],
    ['a fragment', { 'content-type': 'application/trickle-ice-sdpfrag' }, 'x', 415, 'WHIP_UNSUPPORTED_MEDIA_TYPE'],
    ['too much', {}, chromiumOffer + 'a=x\r\n'.repeat(20_000), 413, 'WHIP_OFFER_TOO_LARGE'],
    ['no offer', {}, 'hello', 400, 'WHIP_BAD_OFFER'],
  ] as const)('%s is refused', async ([, headers, payload, status, code]) => {
    const { publish } = await endpoint()
    const response = await publish({ ...headers }, payload)
    expect(response.statusCode).toBe(status)
    expect(response.json()).toMatchObject({ title: code, status })
  })
  test('what fails here is told to the host and not to the publisher', async () => {
    const errors: Error[] = []
    const { publish } = await endpoint({
      onPublish: () => {
        throw new Error('the database at 10.0.0.1 is gone')
      },
      onError: (error) => errors.push(error),
    })
    const response = await publish()
    expect(response.statusCode).toBe(500)
    expect(response.body).not.toContain('10.0.0.1')
    expect(errors.map(({ message }) => message)).toEqual(['the database at 10.0.0.1 is gone'])
  })
})

describe('a session', () => {
  test('takes candidates, and ends', async () => {
    const { app, events, publish, patch } = await endpoint()
    const { headers } = await publish()
    const [url, etag] = [String(headers['location']), String(headers['etag'])]
    expect((await patch(url, { 'if-match': etag })).statusCode).toBe(204)
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(200)
    expect(events).toMatchObject([{ type: 'ended', reason: 'deleted' }])
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(404)
    expect((await patch(url, { 'if-match': etag })).statusCode).toBe(404)
  })
  test.for([
    ['no tag', {}, undefined, 428, 'WHIP_PRECONDITION_REQUIRED'],
    ['another tag', { 'if-match': '"other"' }, undefined, 412, 'WHIP_PRECONDITION_FAILED'],
    ['a restart', { 'if-match': '*' }, undefined, 422, 'WHIP_ICE_RESTART'],
    ['another generation', {}, 'a=ice-ufrag:new1\r\na=ice-pwd:x\r\n', 422, 'WHIP_ICE_RESTART'],
    ['no fragment', {}, 'hello', 400, 'WHIP_BAD_FRAGMENT'],
    ['another media type', { 'content-type': 'application/sdp' }, undefined, 415, 'WHIP_UNSUPPORTED_MEDIA_TYPE'],
  ] as const)('%s is refused', async ([name, headers, payload, status, code]) => {
    const { publish, patch } = await endpoint()
    const session = await publish()
    const tag = name === 'no tag' ? {} : { 'if-match': String(session.headers['etag']) }
    const response = await patch(String(session.headers['location']), { ...tag, ...headers }, payload)
    expect(response.json()).toMatchObject({ title: code, status })
  })
  test('ends where no connection comes about', async () => {
    const { events, publish } = await endpoint({ connectTimeoutMs: 100 })
    expect((await publish()).statusCode).toBe(201)
    await expect.poll(() => events, { timeout: 5000 }).toMatchObject([{ type: 'ended', reason: 'not-connected' }])
  })
  test('ends with the server', async () => {
    const { app, events, publish } = await endpoint()
    await publish()
    await app.close()
    expect(events).toMatchObject([{ type: 'ended', reason: 'closed' }])
  })
})

describe('the web around it', () => {
  test('browsers of other origins may ask, and are told what is taken', async () => {
    const { app } = await endpoint({ authorize: () => false })
    const { statusCode, headers } = await app.inject({ method: 'OPTIONS', url: '/whip' })
    expect(statusCode).toBe(204)
    expect(headers).toMatchObject({
      'accept-post': 'application/sdp',
      'access-control-allow-methods': 'DELETE, OPTIONS, PATCH, POST',
    })
    expect(headers['access-control-allow-headers']).toContain('if-match')
    expect(headers['access-control-expose-headers']).toContain('location')
  })
  test('or may not', async () => {
    const { publish } = await endpoint({ allowOrigin: null })
    expect((await publish()).headers).not.toHaveProperty('access-control-allow-origin')
  })
  test('every request is authorized', async () => {
    const tokens: (string | undefined)[] = []
    const { app, publish, patch } = await endpoint({
      authorize: (_request, token) => {
        tokens.push(token)
        return token === 'good'
      },
    })
    const anonymous = await publish()
    expect(anonymous.statusCode).toBe(401)
    expect(anonymous.headers['www-authenticate']).toBe('Bearer')
    const wrong = await publish({ authorization: 'Bearer wrong' })
    expect(wrong.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    const { headers } = await publish({ authorization: 'bearer good' })
    const url = String(headers['location'])
    expect((await patch(url, { 'if-match': String(headers['etag']) })).statusCode).toBe(401)
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(401)
    const last = await app.inject({ method: 'DELETE', url, headers: { authorization: 'Bearer good' } })
    expect(last.statusCode).toBe(200)
    expect(tokens).toEqual([undefined, 'wrong', 'good', undefined, undefined, 'good'])
  })
  test.for([
    ['GET', '/whip', 'OPTIONS, POST'],
    ['PUT', '/whip/room', 'OPTIONS, POST'],
    ['POST', '/whip/sessions/x', 'DELETE, OPTIONS, PATCH'],
  ] as const)('%s %s is not allowed', async ([method, url, allow]) => {
    const { app } = await endpoint()
    const response = await app.inject({ method, url })
    expect(response.statusCode).toBe(405)
    expect(response.headers['allow']).toBe(allow)
  })
  test('other routes of the host keep their own ways', async () => {
    const { app } = await endpoint()
    app.post('/other', (request, reply) => reply.send({ got: request.body }))
    const response = await app.inject({ method: 'POST', url: '/other', payload: { a: 1 } })
    expect(response.json()).toEqual({ got: { a: 1 } })
    expect(response.headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('options', () => {
  test.for([
    ['ice.addresses[0]', { ice: { addresses: ['203.0.113.1'] } }],
    ['ice.addresses', { ice: { addresses: [] } }],
    ['ice.publicAddresses[0]', { ice: { publicAddresses: ['example.org'] } }],
    ['ice.portRange', { ice: { portRange: [5000, 4000] } }],
    ['ice.portRange', { ice: { portRange: [80, 4000] } }],
    ['iceServers[0].url', { iceServers: [{ url: 'https://example.org' }] }],
    ['maxSessions', { maxSessions: 0 }],
    ['idleTimeoutMs', { idleTimeoutMs: -1 }],
    ['port', { port: 70_000 }],
    ['port', { bindAddress: '203.0.113.1', port: 0 }],
    ['path', { path: 'whip' }],
    ['onPublish', { onPublish: undefined }],
  ] as const)('%s', async ([field, options]) => {
    const all = { onPublish: () => ({ refuse: '' }), port: 0, ...options } as Parameters<typeof startWhipServer>[0]
    await expect(startWhipServer(all)).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field })
  })
})
