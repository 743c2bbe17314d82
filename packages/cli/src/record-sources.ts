import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { UdpStream } from '@rushes/ingest/udp'
import { ConfigurationError } from '@rushes/media'
import { CliError, systemCodeOf } from './errors.js'

/** An option that names a source, or the participant of those after it, in the order in which they were typed. */
export interface SourceArgument {
  readonly option: '--sdp' | '--udp' | '--participant'
  readonly value: string
}

/** RTP to receive: what one session description, or the `--udp` options of one participant, describe. */
export interface RtpSource {
  /** As it was typed, for messages. */
  readonly label: string
  readonly participantId: string
  readonly sdp?: string
  readonly streams?: readonly UdpStream[]
}

const DEFAULT_UDP_PARTICIPANT = 'udp'

/** What `--sdp`, `--udp` and `--participant` name. Reads the session descriptions. */
export async function rtpSourcesOf(given: readonly SourceArgument[], cwd: string): Promise<readonly RtpSource[]> {
  const sources: RtpSource[] = []
  const streams = new Map<string, { readonly labels: string[]; readonly streams: UdpStream[] }>()
  const unnamed = new Set<string>()
  for (const { option, value, participant } of withParticipants(given)) {
    if (option === '--udp') {
      const id = participant ?? DEFAULT_UDP_PARTICIPANT
      const group = streams.get(id) ?? { labels: [], streams: [] }
      streams.set(id, group)
      group.labels.push(value)
      group.streams.push(parseUdpStream(value))
    } else {
      const id = participant ?? basename(value).replace(/\.[^.]+$/, '')
      if (participant === undefined && unnamed.has(id)) {
        throw new ConfigurationError('--sdp', `two files would be participant ${id}: say who is who with --participant`)
      }
      unnamed.add(id)
      sources.push({ label: `--sdp ${value}`, participantId: id, sdp: await readSdp(resolve(cwd, value)) })
    }
  }
  for (const [participantId, group] of streams) {
    sources.push({ label: `--udp ${group.labels.join(' --udp ')}`, participantId, streams: group.streams })
  }
  return sources
}

/** One `--participant` is everybody's; of several each names what stands after it. */
function withParticipants(given: readonly SourceArgument[]) {
  const names = given.filter(({ option }) => option === '--participant').map(({ value }) => value)
  const named: { option: '--sdp' | '--udp'; value: string; participant: string | undefined }[] = []
  let participant = names.length === 1 ? names[0] : undefined
  for (const { option, value } of given) {
    if (option === '--participant') participant = value
    else named.push({ option, value, participant })
  }
  for (const name of names) {
    if (name === '') throw new ConfigurationError('--participant', 'must not be empty')
    if (!named.some((source) => source.participant === name)) {
      throw new ConfigurationError('--participant', 'must stand before the --sdp or --udp options that it names', name)
    }
  }
  return named
}

const audioCodecs = ['opus', 'pcmu', 'pcma', 'g722'] as const
const videoCodecs = ['h264', 'h265', 'vp8', 'vp9', 'av1'] as const
const streamPattern = /^(?<kind>audio|video)\/(?<codec>[^:]+):(?<port>\d{1,5})(?::(?<payloadType>\d{1,3}))?$/
/** RFC 3551 §6; for the others what FFmpeg takes when nobody says otherwise. */
const payloadTypes: Readonly<Record<string, number>> = { pcmu: 0, pcma: 8, g722: 9, opus: 97 }
const DEFAULT_VIDEO_PAYLOAD_TYPE = 96

/** `video/h264:5004:96`. */
export function parseUdpStream(text: string): UdpStream {
  const { kind, codec: name = '', port, payloadType } = streamPattern.exec(text.trim())?.groups ?? {}
  const rule = 'must be KIND/CODEC:PORT[:PAYLOADTYPE], as in video/h264:5004:96'
  if (port === undefined) throw new ConfigurationError('--udp', rule, text)
  const codecs: readonly string[] = kind === 'audio' ? audioCodecs : videoCodecs
  const codec = [...audioCodecs, ...videoCodecs].find((known) => known === name.toLowerCase())
  if (codec === undefined || !codecs.includes(codec)) {
    const others = kind === 'audio' ? '; AAC needs --sdp' : ''
    throw new ConfigurationError('--udp', `the ${kind} codec must be one of ${codecs.join(', ')}${others}`, text)
  }
  const type = payloadType === undefined ? (payloadTypes[codec] ?? DEFAULT_VIDEO_PAYLOAD_TYPE) : Number(payloadType)
  if (Number(port) > 65_535) throw new ConfigurationError('--udp', 'the port must be 0 (any) to 65535', text)
  if (type > 127) throw new ConfigurationError('--udp', 'the payload type must be 0 to 127', text)
  return { kind: kind === 'audio' ? 'audio' : 'video', codec, port: Number(port), payloadType: type }
}

async function readSdp(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const code = systemCodeOf(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new CliError('INPUT_NOT_FOUND', `there is no ${path}`, { cause })
    throw new CliError('INPUT_NOT_READABLE', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
