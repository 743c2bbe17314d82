import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { checkHls, checkMp4, checkTransportStream, readTransportStream } from '@rushes/testkit'
import { HlsFacts } from './hls-facts.js'
import { describeSync, type MediaInspection, type StreamInspection } from './media-inspection.js'
import { readMovieBoxes } from './mp4-boxes.js'
import { describeMp4 } from './mp4-facts.js'
import { describeTransportStream } from './transport-stream-facts.js'

/** Reads and checks an MPEG-TS file. */
export async function inspectTransportStream(path: string, signal: AbortSignal): Promise<MediaInspection> {
  const bytes = await readFile(path, { signal })
  const streams = describeTransportStream(readTransportStream(bytes))
  const findings = checkTransportStream(bytes)
  return { kind: 'transport-stream', path, bytes: bytes.byteLength, ...describeSync(streams), streams, findings }
}

/** Reads and checks a playlist with everything that it names; all of it must be on this disk. */
export async function inspectPlaylist(path: string, signal: AbortSignal): Promise<MediaInspection> {
  const folder = dirname(path)
  const facts = new HlsFacts()
  const findings = await checkHls({
    entry: basename(path),
    async read(uri) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) throw new Error('it is not on this disk, and was not looked at')
      const bytes = await readFile(join(folder, uri), { signal })
      facts.add(uri, bytes)
      return bytes
    },
  })
  signal.throwIfAborted()
  const { streams, playlist, bytes } = facts
  const described = playlist === undefined ? {} : { playlist }
  return { kind: 'hls', path, bytes, ...describeSync(streams), ...described, streams, findings }
}

/** Reads and checks an MP4 file, whole or fragmented. Of the media data only one sample at a time is in memory. */
export async function inspectMp4(path: string, signal: AbortSignal): Promise<MediaInspection> {
  const { size } = await stat(path)
  const findings = await checkMp4(path)
  signal.throwIfAborted()
  const streams = await mp4Streams(path, size, signal)
  return { kind: 'mp4', path, bytes: size, ...describeSync(streams), streams, findings }
}

async function mp4Streams(path: string, fileBytes: number, signal: AbortSignal): Promise<StreamInspection[]> {
  try {
    return describeMp4(await readMovieBoxes(path, signal), fileBytes)
  } catch (error) {
    // A box ends inside a field: the findings say where.
    if (error instanceof RangeError) return []
    throw error
  }
}
