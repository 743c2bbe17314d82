import type * as NodeAvConstants from 'node-av/constants'
import type * as NodeAvLib from 'node-av/lib'
import type { ChannelLayout } from 'node-av/lib'
import { CodecError } from './errors.js'

/** node-av: the classes of libavcodec, and its constants. */
export interface NodeAv {
  readonly lib: typeof NodeAvLib
  readonly constants: typeof NodeAvConstants
}

let loaded: Promise<NodeAv> | undefined

/**
 * Loads the native codecs on first use: who only copies media never pays for them and need not install them.
 * Rejects with `CODECS_NODE_AV_MISSING`.
 */
export function loadNodeAv(): Promise<NodeAv> {
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined
    throw error
  })
  return loaded
}

async function load(): Promise<NodeAv> {
  try {
    const [lib, constants] = await Promise.all([import('node-av/lib'), import('node-av/constants')])
    // An encoder prints its statistics to stderr when it closes.
    lib.Log.setLevel(constants.AV_LOG_QUIET)
    return { lib, constants }
  } catch (cause) {
    throw new CodecError(
      'CODECS_NODE_AV_MISSING',
      'transcoding needs the optional package node-av: install node-av@6.1.1 with its platform package ' +
        '(its FFmpeg is built under the GPL)',
      { cause },
    )
  }
}

/** FFmpeg's layout of one or two channels. */
export function channelLayout({ constants }: NodeAv, channels: number): ChannelLayout {
  return channels === 1 ? constants.AV_CHANNEL_LAYOUT_MONO : constants.AV_CHANNEL_LAYOUT_STEREO
}

/** Throws `CODECS_OPEN_FAILED` where FFmpeg's return code says so. */
export function checkOpened(what: string, returned: number): void {
  if (returned < 0) throw new CodecError('CODECS_OPEN_FAILED', `${what} cannot be opened: FFmpeg returned ${returned}`)
}

/** A view of native memory as floats: it holds as long as the frame does. */
export function floatsOf(buffer: Buffer, count: number): Float32Array {
  if (buffer.byteLength < count * 4) throw new CodecError('CODECS_OPEN_FAILED', 'a frame is shorter than it says')
  return new Float32Array(buffer.buffer, buffer.byteOffset, count)
}
