import { createHash, timingSafeEqual } from 'node:crypto'
import { ConfigurationError } from '@rushes/media'
import { type InputSurroundings, warningsOf } from './input-surroundings.js'
import { secretOf } from './secret-option.js'
import type { Terminal } from './terminal.js'

/** What `--whip` and `--whip-token-env` say. */
export interface WhipArguments {
  readonly port: number
  /** What publishers must send as bearer token; without it whoever reaches the port may publish. */
  readonly token?: string
}

/** Reads the options of the WHIP endpoint. @throws ConfigurationError that names the option */
export function whipArgumentsOf(
  { whip, whipTokenEnv }: { readonly whip?: string; readonly whipTokenEnv?: string },
  terminal: Terminal,
): WhipArguments | undefined {
  if (whip === undefined) {
    if (whipTokenEnv !== undefined) throw new ConfigurationError('--whip', 'must be given as well')
    return undefined
  }
  if (!/^\d{1,5}$/.test(whip) || Number(whip) > 65_535) {
    throw new ConfigurationError('--whip', 'must be a port: 0 (any) to 65535', whip)
  }
  const token = whipTokenEnv === undefined ? undefined : secretOf('--whip-token-env', whipTokenEnv, terminal)
  return { port: Number(whip), ...(token === undefined ? {} : { token }) }
}

/**
 * Opens a WHIP endpoint. Who publishes to `/whip/ann` is participant ann, who publishes to `/whip` gets a number. It is
 * loaded only where it is asked for: a web server and WebRTC take a while.
 */
export async function openWhip(
  { port, token }: WhipArguments,
  surroundings: InputSurroundings,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { target, bindAddress, onWarning } = surroundings
  const { startWhipServer } = await import('@rushes/ingest/whip')
  let publishers = 0
  try {
    return await startWhipServer({
      port,
      ...(bindAddress === undefined ? {} : { bindAddress }),
      ...(token === undefined ? {} : { authorize: (_, given) => given !== undefined && areEqual(given, token) }),
      onPublish({ stream }) {
        publishers++
        const participantId = stream ?? `publisher-${publishers}`
        return { target, participantId, onEvent: warningsOf(participantId, onWarning) }
      },
      onError: (error) => onWarning(`WHIP: ${error.message}`),
    })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const rule = error.message.slice(`${error.field}: `.length)
    throw new ConfigurationError(error.field === 'port' ? '--whip' : '--bind', rule)
  }
}

/** In a time that tells nothing of where they differ. */
function areEqual(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
