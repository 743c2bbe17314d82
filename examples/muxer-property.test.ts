/** Property-test your own muxer or pipeline: generated access units in, the standard's rules out. */
import { TsMuxer } from '@rushes/h264-ts-muxer'
import { arbitraries, checkTransportStream } from '@rushes/testkit'
import fc from 'fast-check'
import { it } from 'vitest'

it('a muxer obeys the standard for any stream', () => {
  fc.assert(
    fc.property(arbitraries.h264Stream({ bFrames: true, wraps: true }), ({ track, samples }) => {
      const bytes: Uint8Array[] = []
      const muxer = new TsMuxer([track])
      for (const sample of samples) muxer.push(sample, (out) => bytes.push(out))
      return checkTransportStream(Buffer.concat(bytes)).length === 0
    }),
    { numRuns: 200 },
  )
})
