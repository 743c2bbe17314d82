import type { InputSurroundings } from './input-surroundings.js'
import type { RtpSource } from './record-sources.js'
import { openUdp } from './record-udp.js'
import { openWhip, type WhipArguments } from './record-whip.js'

/** Where something is received. */
export type Listening =
  | {
      readonly source: 'udp'
      readonly participantId: string
      readonly kind: 'audio' | 'video'
      readonly address: string
      readonly port: number
      /** The same as `port` where both share one. */
      readonly rtcpPort: number
    }
  | { readonly source: 'whip'; readonly url: string }

/** Sources that are open. */
export interface RecordInputs {
  readonly listening: readonly Listening[]
  /** Ends their tracks and closes the ports. */
  close(): Promise<void>
}

/** Opens all sources, or none. @throws ConfigurationError that names the option. */
export async function openInputs(
  sources: readonly RtpSource[],
  whip: WhipArguments | undefined,
  options: InputSurroundings,
): Promise<RecordInputs> {
  const listening: Listening[] = []
  const open: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => void (await Promise.all(open.map((input) => input.close())))
  try {
    for (const source of sources) {
      const { participantId } = source
      const ingest = await openUdp(source, options)
      open.push(ingest)
      for (const { kind, address, port, rtcpPort } of ingest.endpoints) {
        listening.push({ source: 'udp', participantId, kind, address, port, rtcpPort })
      }
    }
    if (whip !== undefined) {
      const server = await openWhip(whip, options)
      open.push(server)
      listening.push({ source: 'whip', url: server.url })
    }
    return { listening, close }
  } catch (error) {
    await close()
    throw error
  }
}
