import { ConfigurationError } from '@rushes/media'
import type { ImportCapturesOptions, ImportStream, PayloadFormat } from '@rushes/take'

/** The options of `rushes import` as they are typed. */
export interface ImportArguments {
  readonly out: string
  readonly codec?: readonly string[]
  readonly participant?: readonly string[]
  readonly recording?: string
  readonly room?: string
  readonly startedAt?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

const codecPattern = /^(?<payloadType>\d{1,3})=(?<mimeType>(?:audio|video)\/[\w.-]+)(?:\/(?<clockRate>\d+))?$/

/** `96=video/H264`, `97=audio/mpeg4-generic/44100`: what payload types stand for. */
export function parseCodecs(given: readonly string[]): Record<number, PayloadFormat> {
  const formats: Record<number, PayloadFormat> = {}
  for (const text of given) {
    const { payloadType, mimeType, clockRate } = codecPattern.exec(text.trim())?.groups ?? {}
    if (payloadType === undefined || mimeType === undefined) {
      throw new ConfigurationError('--codec', 'must be PAYLOADTYPE=MIME[/RATE], as in 96=video/H264', text)
    }
    if (Number(payloadType) > 127) throw new ConfigurationError('--codec', 'the payload type must be 0 to 127', text)
    formats[Number(payloadType)] = { mimeType, ...(clockRate === undefined ? {} : { clockRate: Number(clockRate) }) }
  }
  return formats
}

/**
 * `ID` for all streams, or `KEY=ID` for those whose SSRC (decimal or 0x…), CNAME, sender (`address` or `address:port`),
 * receiver (`address:port`) or `.mjr` file is KEY.
 */
export function parseParticipants(given: readonly string[]): (stream: ImportStream) => string | undefined {
  let everyone: string | undefined
  const named: { readonly key: string; readonly id: string }[] = []
  for (const text of given) {
    // A CNAME may hold `=`; what is behind the last one is the participant.
    const at = text.lastIndexOf('=')
    const [key, id] = at < 0 ? [undefined, text] : [text.slice(0, at), text.slice(at + 1)]
    if (id === '' || key === '') throw new ConfigurationError('--participant', 'must be ID or KEY=ID', text)
    if (key !== undefined) named.push({ key, id })
    else if (everyone === undefined) everyone = id
    else throw new ConfigurationError('--participant', `${everyone} is everyone already: use KEY=ID`, text)
  }
  return (stream) => {
    const keys = keysOf(stream)
    return named.find(({ key }) => keys.has(key.toLowerCase()))?.id ?? everyone
  }
}

function keysOf({ ssrc, cname, source, destination, input }: ImportStream): ReadonlySet<string> {
  const texts = [String(ssrc), `0x${ssrc.toString(16)}`, `0x${ssrc.toString(16).padStart(8, '0')}`]
  // An IPv6 address stands in brackets before its port.
  const host = source?.replace(/:\d+$/, '')
  for (const text of [cname, source, host, host?.replaceAll(/[[\]]/g, ''), destination, input]) {
    if (text !== undefined) texts.push(text.toLowerCase())
  }
  return new Set(texts)
}

/** What `importCaptures` is asked for. @throws ConfigurationError that names the option */
export function importOptionsOf(options: ImportArguments): Omit<ImportCapturesOptions, 'inputs' | 'dir'> {
  const { codec = [], participant = [], recording, room, startedAt } = options
  return {
    payloadTypes: parseCodecs(codec),
    ...(participant.length === 0 ? {} : { participantOf: parseParticipants(participant) }),
    ...(recording === undefined ? {} : { recordingId: recording }),
    ...(room === undefined ? {} : { roomId: room }),
    ...(startedAt === undefined ? {} : { startedAt }),
  }
}
