import { createUdpIngest, type UdpIngest } from '@rushes/ingest/udp'
import { ConfigurationError } from '@rushes/media'
import { type InputSurroundings, warningsOf } from './input-surroundings.js'
import type { RtpSource } from './record-sources.js'

/** Opens the ports of one source. @throws ConfigurationError that names the option */
export async function openUdp(
  { label, participantId, sdp, streams }: RtpSource,
  { target, bindAddress, onWarning }: InputSurroundings,
): Promise<UdpIngest> {
  try {
    return await createUdpIngest({
      target,
      participantId,
      ...(sdp === undefined ? {} : { sdp }),
      ...(streams === undefined ? {} : { streams }),
      ...(bindAddress === undefined ? {} : { bindAddress }),
      onEvent: warningsOf(participantId, onWarning),
    })
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const rule = error.message.slice(`${error.field}: `.length)
    throw new ConfigurationError(error.field === 'bindAddress' ? '--bind' : label, rule)
  }
}
