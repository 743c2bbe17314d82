import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  HlsPlaylistError,
  parseMediaPlaylist,
  parseMultivariantPlaylist,
  serializeMediaPlaylist,
  serializeMultivariantPlaylist,
} from '@rushes/hls-segmenter'
import { Mp4Error, recoverFragmentedMp4 } from '@rushes/mp4-writer'
import { check, type FuzzTarget, unlessRefused } from '../fuzz-target.js'
import { mutateBytes } from '../mutators/bytes.js'
import { mutateText } from '../mutators/text.js'

/** What outputs are read back: playlists, and files that a crash left. */
export const containerTargets: readonly FuzzTarget[] = [
  { name: 'media-playlist', weight: 2, seeds: () => playlists(MEDIA_PLAYLISTS), mutate: mutateText, run: runMedia },
  { name: 'multivariant', weight: 2, seeds: () => playlists(MULTIVARIANTS), mutate: mutateText, run: runMultivariant },
  { name: 'mp4-recovery', weight: 0.2, seeds: unfinishedFiles, mutate: mutateBytes, run: runRecovery },
]

const MEDIA_PLAYLISTS: readonly string[] = [
  `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:7
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init.mp4",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T17:00:00.000Z
#EXTINF:6.000000,one, two
#EXT-X-BYTERANGE:10@700
a.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init2.mp4"
#EXTINF:7.499999,
b.m4s
#EXT-X-ENDLIST
`,
  '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:6.000000,\na.ts\n',
  '#EXTM3U\r\n#EXT-X-TARGETDURATION:6\r\n#EXT-X-PLAYLIST-TYPE:VOD\r\n#EXTINF:6,\r\nseg/a%20b.ts?x=1\r\n#EXT-X-ENDLIST\r\n',
]

const MULTIVARIANTS: readonly string[] = [
  `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1000000,CODECS="avc1.42c01f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000,AUDIO="aud"
v.m3u8
`,
  '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.42c01f"\nv.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\nw.m3u8\n',
]

function playlists(texts: readonly string[]): Uint8Array[] {
  return [...texts, '#EXTM3U\n'].map((text) => new TextEncoder().encode(text))
}

/** What is read is either refused, or says the same once it is written and read again. */
function runMedia(input: Uint8Array): void {
  const text = new TextDecoder().decode(input)
  const playlist = unlessRefused(HlsPlaylistError, () => parseMediaPlaylist(text))
  if (playlist === undefined) return
  check(Number.isSafeInteger(playlist.targetDuration), 'the target duration is an integer')
  const written = unlessRefused(HlsPlaylistError, () => serializeMediaPlaylist(playlist))
  if (written === undefined) return
  check(parseMediaPlaylist(written).segments.length === playlist.segments.length, 'what is written reads the same')
  check(serializeMediaPlaylist(parseMediaPlaylist(written)) === written, 'and writes the same')
}

function runMultivariant(input: Uint8Array): void {
  const text = new TextDecoder().decode(input)
  const playlist = unlessRefused(HlsPlaylistError, () => parseMultivariantPlaylist(text))
  if (playlist === undefined) return
  const written = unlessRefused(HlsPlaylistError, () => serializeMultivariantPlaylist(playlist))
  if (written === undefined) return
  check(serializeMultivariantPlaylist(parseMultivariantPlaylist(written)) === written, 'it writes the same again')
}

function box(type: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  new DataView(bytes.buffer).setUint32(0, length)
  bytes.set(new TextEncoder().encode(type), 4)
  return bytes
}

function unfinishedFiles(): Uint8Array[] {
  const fragment = [box('moof', 40), box('mdat', 64)]
  const large = box('mdat', 48)
  large.set([0, 0, 0, 1], 0)
  large.set([0, 0, 0, 0, 0, 0, 0, 48], 8)
  const files = [
    [box('ftyp', 24), box('moov', 32), ...fragment, ...fragment, box('moof', 40)],
    [box('ftyp', 24), box('moov', 32), box('moof', 40), large, box('mfra', 16)],
    [box('ftyp', 24), box('free', 8), box('mdat', 100)],
  ]
  return files.map((boxes) => Uint8Array.from(boxes.flatMap((bytes) => [...bytes])))
}

async function runRecovery(input: Uint8Array): Promise<void> {
  const dir = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'rushes-fuzz-'))
  const path = join(dir, 'a.mp4.part')
  try {
    writeFileSync(path, input)
    const { bytes, removedBytes, fragments } = await recoverFragmentedMp4(path)
    check(bytes + removedBytes === input.byteLength && bytes > 0, 'what is not kept was removed')
    const again = await recoverFragmentedMp4(path)
    check(again.removedBytes === 0 && again.fragments === fragments, 'a repaired file needs no repair')
  } catch (error) {
    if (!(error instanceof Mp4Error && error.code === 'MP4_NOT_FRAGMENTED')) throw error
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
