import { parseSession } from '@rushes/take'
import { repositoryFile } from './capture-seeds.js'
import { encodeSequence } from './packet-sequence.js'

const TAKES: readonly string[] = ['solo', 'meeting3', 'rejoin', 'mutes', 'lossy']
const FILE_BYTES = 4000

const decoder = new TextDecoder()

/** The beginnings of captured tracks, one with a tail of zeros. */
export function dumpSeeds(): Uint8Array[] {
  return ['solo/alice-video', 'mutes/alice-audio', 'codecs/vp9'].flatMap((path) => {
    const file = repositoryFile(`test/fixtures/${path}.rtpdump`)
    const zeroFilled = new Uint8Array(FILE_BYTES)
    zeroFilled.set(file.subarray(0, 3000))
    return [file.slice(0, FILE_BYTES), file.slice(0, 900), zeroFilled]
  })
}

/** session.json of captured takes. */
export function sessionSeeds(): Uint8Array[] {
  return TAKES.map((take) => repositoryFile(`test/fixtures/${take}/session.json`))
}

/** events.ndjson as it would have been while these takes were recorded. */
export function eventSeeds(): Uint8Array[] {
  return TAKES.map((take) => {
    const { participants, events } = parseSession(decoder.decode(sessionSeeds()[TAKES.indexOf(take)]))
    const added = participants.flatMap(({ id, tracks }) =>
      tracks.map((definition) => ({ atMs: definition.joinedAtMs, type: 'track-added', participant: id, definition })),
    )
    const lines = [...added, ...events, { atMs: 9000, type: 'track-removed', track: added[0]?.definition.id }]
    return new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  })
}

/** The beginnings of captures by other programs. */
export function captureSeeds(format: 'pcap' | 'pcapng' | 'mjr'): Uint8Array[] {
  const names = {
    pcap: ['ethernet.pcap', 'cooked-v1.pcap', 'cooked-v2.pcap', 'raw-ip.pcap', 'nanoseconds.pcap'],
    pcapng: ['ethernet.pcapng'],
    mjr: ['room-alice-audio.mjr', 'room-alice-video.mjr'],
  }
  return names[format].flatMap((name) => {
    const file = repositoryFile(`packages/take/test/captures/${name}`)
    return [file.slice(0, FILE_BYTES), file.slice(0, 700)]
  })
}

/** All of them. */
export function importSeeds(): Uint8Array[] {
  return [...captureSeeds('pcap'), ...captureSeeds('pcapng'), ...captureSeeds('mjr')]
}

/** Takes with short tracks, finished and not: session.json, events.ndjson, then the tracks, as the packets of a sequence. */
export function folderSeeds(): Uint8Array[] {
  return TAKES.flatMap((take) => {
    const json = repositoryFile(`test/fixtures/${take}/session.json`)
    const session = parseSession(decoder.decode(json))
    const events = eventSeeds()[TAKES.indexOf(take)]!
    const dumps = session.participants.flatMap(({ tracks }) =>
      tracks.map(({ file }) => repositoryFile(`test/fixtures/${take}/${file}`).slice(0, FILE_BYTES)),
    )
    const unfinished = new TextEncoder().encode(JSON.stringify({ ...session, finished: false, formatVersion: 1 }))
    return [json, unfinished].map((first) =>
      encodeSequence({ options: 0, packets: [first, events, ...dumps].map((bytes) => ({ delay: 0, bytes })) }),
    )
  })
}
