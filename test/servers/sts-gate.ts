import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What stands in front of a radosgw. */
export interface StsGate {
  readonly url: string
  /** How often a role was assumed with success. */
  readonly assumed: () => number
  readonly close: () => Promise<void>
}

/**
 * Forwards everything to a radosgw unchanged, signatures included, but for one thing that radosgw does not look at:
 * `sts:ExternalId`. A role that is in `externalIds` is refused, in the words of AWS, unless its id comes along.
 */
export async function startStsGate(upstreamPort: number, externalIds: ReadonlyMap<string, string>): Promise<StsGate> {
  let assumed = 0
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const form = new URLSearchParams(body.toString())
      const assumes = form.get('Action') === 'AssumeRole'
      const role = form.get('RoleArn') ?? ''
      const wanted = externalIds.get(role)
      if (assumes && wanted !== undefined && form.get('ExternalId') !== wanted) {
        response.writeHead(403, { 'content-type': 'text/xml' })
        response.end(refusal(role))
        return
      }
      const { method, url, headers } = incoming
      const upstream = request({ host: '127.0.0.1', port: upstreamPort, method, path: url, headers }, (answer) => {
        if (assumes && answer.statusCode === 200) assumed += 1
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      upstream.on('error', () => response.destroy())
      upstream.end(body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    assumed: () => assumed,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function refusal(role: string): string {
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::111122223333:user/recorder is not authorized to perform: sts:AssumeRole on resource: ${role}</Message></Error><RequestId>0c8f7e2a-test</RequestId></ErrorResponse>`
}
