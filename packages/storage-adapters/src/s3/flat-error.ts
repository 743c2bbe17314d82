import { Readable } from 'node:stream'
import type { STSClient } from '@aws-sdk/client-sts'

/** The part of the SDK's response that is looked at. */
interface HttpResponseLike {
  readonly statusCode: number
  body: unknown
}

/** No error of STS has more. */
const MAX_ERROR_BYTES = 65_536

/**
 * Lets a client of STS read errors as Ceph says them: `<Error>` without the `<ErrorResponse>` around it that AWS has.
 * The SDK would lose the code, and with it what is wrong.
 */
export function readFlatErrors(client: STSClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const response = result.response as HttpResponseLike
      if (response.statusCode >= 400 && response.body instanceof Readable) {
        const text = await textOf(response.body)
        const flat = /<Error>.*<\/Error>/s.exec(text)?.[0]
        const wrapped =
          flat === undefined || text.includes('<ErrorResponse') ? text : `<ErrorResponse>${flat}</ErrorResponse>`
        response.body = Readable.from([Buffer.from(wrapped)], { objectMode: false })
      }
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'rushesFlatErrors', override: true },
  )
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += (chunk as Buffer).byteLength
    if (bytes <= MAX_ERROR_BYTES) chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
