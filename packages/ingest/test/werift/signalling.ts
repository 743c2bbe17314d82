import { fastify } from 'fastify'
import type { RTCPeerConnection } from 'werift'

/** The host of an SFU, as small as it can be: answers one offer. */
export async function serveSignalling(peer: RTCPeerConnection): Promise<{ url: string; close(): Promise<void> }> {
  const app = fastify({ forceCloseConnections: true })
  app.addContentTypeParser('application/sdp', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': '*',
      'access-control-expose-headers': '*',
    })
  })
  app.options('/', async (_request, reply) => reply.code(204).send())
  app.post('/', async (request, reply) => {
    await peer.setRemoteDescription({ type: 'offer', sdp: String(request.body) })
    // It would ask a server of the outside world for its address.
    for (const { connection } of peer.iceTransports) delete connection.stunServer
    await peer.setLocalDescription(await peer.createAnswer())
    return reply.code(201).header('location', '/').send(peer.localDescription?.sdp)
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url: `${address}/`, close: () => app.close() }
}
