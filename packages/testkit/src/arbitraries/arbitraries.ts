import { audioFrames } from './audio-frames.js'
import { h264AccessUnits, h264Stream } from './h264-stream.js'
import { program } from './program.js'
import { rtpStream } from './rtp-stream.js'

/** fast-check arbitraries for media. All bounds come from generated seeds: nothing is filtered away, all shrinks. */
export const arbitraries: {
  readonly audioFrames: typeof audioFrames
  readonly h264AccessUnits: typeof h264AccessUnits
  readonly h264Stream: typeof h264Stream
  readonly program: typeof program
  readonly rtpStream: typeof rtpStream
} = { audioFrames, h264AccessUnits, h264Stream, program, rtpStream }
