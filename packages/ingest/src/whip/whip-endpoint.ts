import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WhipError } from './errors.js'
import { parseSdpFragment } from './sdp-fragment.js'
import { type WhipEndpointOptions, type WhipIceServer, whipSettings } from './whip-options.js'
import { WhipSessions } from './whip-sessions.js'

const SDP = 'application/sdp'
const FRAGMENT = 'application/trickle-ice-sdpfrag'
/** Seconds after which a publisher that found no room may try again. */
const RETRY_AFTER = '10'

/**
 * A WHIP endpoint (RFC 9725) as a Fastify plugin: `app.register(whipEndpoint, { prefix: '/whip', onPublish })` takes
 * publications at `/whip` and `/whip/:stream`; their sessions live at `/whip/sessions/:id`.
 * @throws ConfigurationError from `register`
 */
export async function whipEndpoint(app: FastifyInstance, options: WhipEndpointOptions): Promise<void> {
  const settings = whipSettings(options)
  const sessions = new WhipSessions(options, settings)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    [SDP, FRAGMENT],
    { parseAs: 'string', bodyLimit: settings.maxOfferBytes },
    (_request, body, done) => done(null, body),
  )
  app.addHook('onClose', () => sessions.close())
  app.addHook('onRequest', async (request, reply) => {
    addCors(reply, options.allowOrigin)
    if (request.method !== 'OPTIONS') await authorize(request, reply, options)
  })
  app.setErrorHandler((error: Error, request, reply) => sendProblem(error, request, reply, options))

  const publish = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { stream } = request.params as { readonly stream?: string }
    const { session, answer } = await sessions.publish(bodyOf(request, SDP), (sessionId) =>
      options.onPublish({ sessionId, stream, request }),
    )
    if (options.iceServers !== undefined) reply.header('link', options.iceServers.map(linkOf))
    return reply
      .code(201)
      .header('location', `${app.prefix}/sessions/${session.id}`)
      .header('etag', session.entityTag)
      .header('accept-patch', FRAGMENT)
      .type(SDP)
      .send(answer)
  }
  for (const url of ['/', '/:stream']) {
    app.post(url, publish)
    app.options(url, async (_request, reply) => reply.header('accept-post', SDP).code(204).send())
    app.route({ method: ['GET', 'PUT', 'PATCH', 'DELETE'], url, handler: refuseMethod('OPTIONS, POST') })
  }

  const url = '/sessions/:id'
  const sessionOf = (request: FastifyRequest): ReturnType<typeof sessions.get> =>
    sessions.get((request.params as { readonly id: string }).id)
  app.delete(url, async (request, reply) => {
    await sessionOf(request).close('deleted')
    return reply.code(200).send()
  })
  app.patch(url, async (request, reply) => {
    const session = sessionOf(request)
    const text = bodyOf(request, FRAGMENT)
    checkEntityTag(request.headers['if-match'], session.entityTag)
    const { usernameFragment, candidates } = parseSdpFragment(text)
    if (usernameFragment !== undefined && usernameFragment !== session.usernameFragment) throw noRestart()
    session.addCandidates(candidates)
    return reply.code(204).send()
  })
  app.options(url, async (_request, reply) => reply.header('accept-patch', FRAGMENT).code(204).send())
  app.route({ method: ['GET', 'POST', 'PUT'], url, handler: refuseMethod('DELETE, OPTIONS, PATCH') })
}

function addCors(reply: FastifyReply, allowOrigin: string | null = '*'): void {
  if (allowOrigin === null) return
  reply.headers({
    'access-control-allow-origin': allowOrigin,
    'access-control-allow-methods': 'DELETE, OPTIONS, PATCH, POST',
    'access-control-allow-headers': 'authorization, content-type, if-match',
    'access-control-expose-headers': 'accept-patch, etag, link, location, retry-after',
    'access-control-max-age': '86400',
    ...(allowOrigin === '*' ? {} : { vary: 'origin' }),
  })
}

async function authorize(request: FastifyRequest, reply: FastifyReply, options: WhipEndpointOptions): Promise<void> {
  if (options.authorize === undefined) return
  const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  if (await options.authorize(request, token)) return
  reply.header('www-authenticate', token === undefined ? 'Bearer' : 'Bearer error="invalid_token"')
  throw new WhipError('WHIP_UNAUTHORIZED', 'a bearer token that may publish is needed')
}

function bodyOf(request: FastifyRequest, mediaType: string): string {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== mediaType || typeof request.body !== 'string') {
    throw new WhipError('WHIP_UNSUPPORTED_MEDIA_TYPE', `the body must be of type ${mediaType}`)
  }
  return request.body
}

/** RFC 9725 §4.3.1: a trickle request names the tag that it belongs to, `*` asks for a restart. */
function checkEntityTag(ifMatch: string | undefined, entityTag: string): void {
  if (ifMatch === undefined) throw new WhipError('WHIP_PRECONDITION_REQUIRED', 'If-Match with the entity tag is needed')
  if (ifMatch.trim() === '*') throw noRestart()
  const tags = ifMatch.split(',').map((tag) => tag.trim())
  if (!tags.includes(entityTag)) throw new WhipError('WHIP_PRECONDITION_FAILED', 'the entity tag is not the session’s')
}

function noRestart(): WhipError {
  return new WhipError('WHIP_ICE_RESTART', 'ICE restarts are not done here: publish anew')
}

function refuseMethod(allow: string): (request: FastifyRequest, reply: FastifyReply) => Promise<never> {
  return async (request, reply) => {
    reply.header('allow', allow)
    throw new WhipError('WHIP_METHOD_NOT_ALLOWED', `${request.method} means nothing here`)
  }
}

function linkOf({ url, username, credential }: WhipIceServer): string {
  const quoted = (value: string): string => `"${value.replace(/[\\"]/g, '\\$&')}"`
  const parts = [`<${url}>`, 'rel="ice-server"']
  if (username !== undefined) parts.push(`username=${quoted(username)}`)
  if (credential !== undefined) parts.push(`credential=${quoted(credential)}`, 'credential-type="password"')
  return parts.join('; ')
}

/** Problem details (RFC 9457), with the stable code as its title's companion. */
function sendProblem(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  options: WhipEndpointOptions,
): FastifyReply {
  const known = whipErrorOf(error)
  if (known.code === 'WHIP_FAILED') options.onError?.(error)
  if (known.status === 503) reply.header('retry-after', RETRY_AFTER)
  const { status, code, message } = known
  const body = JSON.stringify({ type: 'about:blank', title: code, status, detail: message, instance: request.url })
  return reply.code(status).type('application/problem+json').send(body)
}

function whipErrorOf(error: Error): WhipError {
  if (error instanceof WhipError) return error
  const { statusCode } = error as { readonly statusCode?: number }
  if (statusCode === 413) return new WhipError('WHIP_OFFER_TOO_LARGE', 'the body is too large')
  if (statusCode === 415) {
    return new WhipError('WHIP_UNSUPPORTED_MEDIA_TYPE', `the body must be of type ${SDP}, or ${FRAGMENT} in PATCH`)
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new WhipError('WHIP_BAD_OFFER', 'the request cannot be read')
  }
  return new WhipError('WHIP_FAILED', 'something failed here', { cause: error })
}
