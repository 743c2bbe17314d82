import { opusPacketDuration } from '@rushes/bitstream'
import type { AudioFrame, EncodedSample } from '@rushes/media'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { arbitraries } from '../../src/index.js'

it.each([false, true])('Opus packets are valid and their times follow from them (wraps: %s)', (wraps) => {
  fc.assert(
    fc.property(arbitraries.audioFrames({ wraps }), ({ frames, samples }) => {
      for (const [index, frame] of frames.entries()) {
        expect(opusPacketDuration(frame.data)).toBe(frame.duration)
        const next = frames[index + 1]
        if (next !== undefined) expect(next.rtpTimestamp).toBeGreaterThanOrEqual(frame.rtpTimestamp + frame.duration)
        expect((samples[index] as EncodedSample).data).toBe(frame.data)
      }
      const last = frames[frames.length - 1] as AudioFrame
      if (wraps) expect(last.rtpTimestamp + last.duration).toBeGreaterThanOrEqual(2 ** 32)
    }),
  )
})

it('AAC frames follow each other without gaps', () => {
  fc.assert(
    fc.property(arbitraries.audioFrames({ codec: 'aac' }), ({ samples, configuration, track }) => {
      expect(track.clockRate).toBe(configuration.sampleRate)
      for (const [index, sample] of samples.entries()) {
        expect(sample.pts).toBe((samples[0] as EncodedSample).pts + index * 1024)
        expect((sample.data as Uint8Array).byteLength).toBeGreaterThan(0)
      }
    }),
    { numRuns: 300 },
  )
})
