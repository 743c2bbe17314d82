import type { AudioTrack, EncodedSample, TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAacTranscoder } from '../src/index.js'
import { voice } from './voice.js'
import { voipOpus } from './voip-opus.js'

const sound = voice(4)
const packets = {
  opus: await voipOpus(sound, { bitrate: 24_000, fec: true, packetLossPercent: 20 }),
  pcmu: Array.from({ length: 200 }, (_, index) => Uint8Array.from({ length: 160 }, (__, at) => (index * 7 + at) & 255)),
  g722: Array.from({ length: 200 }, (_, index) => Uint8Array.from({ length: 160 }, (__, at) => (index * 7 + at) & 255)),
} as const

/** What may happen to a packet of 20 ms, and before it. */
const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ kind: 'arrives' } as const) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lost' as const), count: fc.integer({ min: 1, max: 15 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pause' as const), samples: fc.integer({ min: 1, max: 90_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('garbage' as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'new-source' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('watermark' as const), ahead: fc.integer({ min: 0, max: 9000 }) }),
  },
)

test('whatever is lost, paused, broken or promised: frames follow each other, each sample has one cause', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('opus', 'pcmu', 'g722'),
      fc.array(fate, { minLength: 5, maxLength: 60 }),
      fc.constantFrom('plc', 'silence'),
      fc.constantFrom(44_100, 48_000),
      async (codec, fates, concealment, sampleRate) => {
        const clockRate = codec === 'opus' ? 48_000 : 8_000
        const ticks = clockRate / 50
        const track: AudioTrack = { id: 'voice', kind: 'audio', codec, clockRate }
        let gapsUs = 0
        const onConcealed: NonNullable<Parameters<typeof createAacTranscoder>[0]['onConcealed']> = (gap) => {
          expect(gap.endUs).toBeGreaterThan(gap.startUs)
          expect(gap.recoveredUs + gap.concealedUs + gap.silencedUs).toBeLessThanOrEqual(gap.endUs - gap.startUs + 5000)
          gapsUs += gap.recoveredUs + gap.concealedUs + gap.silencedUs
        }
        const transcoder = await createAacTranscoder({ track, concealment, sampleRate, onConcealed })
        const samples: EncodedSample[] = []
        const emit = (item: TimedItem): void => {
          if (item.type === 'sample') samples.push(item)
        }
        let at = 0
        let end = 0
        let lostPackets = 0
        const push = (data: Uint8Array, extra: Partial<EncodedSample> = {}): void => {
          const loss = lostPackets > 0 ? { lostPackets, discontinuity: true } : {}
          transcoder.push(
            { type: 'sample', trackId: 'voice', data, pts: at, dts: at, keyframe: true, ...loss, ...extra },
            emit,
          )
          lostPackets = 0
        }
        push(packets[codec][0]!)
        end = at += ticks
        for (const [index, one] of fates.entries()) {
          if (one.kind === 'lost') {
            lostPackets += one.count
            at += one.count * ticks
          } else if (one.kind === 'pause') at += Math.ceil((one.samples * clockRate) / 48_000)
          else if (one.kind === 'garbage') {
            // For the telephone every byte is a sound.
            push(codec === 'opus' ? one.bytes : new Uint8Array(0))
            at += ticks
            continue
          } else if (one.kind === 'watermark') {
            transcoder.push({ type: 'watermark', trackId: 'voice', dts: at + one.ahead }, emit)
            continue
          }
          push(
            packets[codec][index + 1]!,
            one.kind === 'new-source' && lostPackets === 0 ? { discontinuity: true } : {},
          )
          end = at += ticks
        }
        transcoder.flush(emit)
        expect(samples.map(({ pts }) => pts)).toEqual(samples.map((_, index) => index * 1024))
        const length = samples.at(-1)!.pts + samples.at(-1)!.duration!
        // Garbage may decode, a watermark may have filled up more; a difference that counts as drift is left at the end.
        expect(length).toBeGreaterThanOrEqual(((end - ticks) / clockRate) * sampleRate)
        const { stats } = transcoder
        const { samplesIn, samplesOut, silenceSamples, droppedSamples, slewedSamples, concealedSamples } = stats
        expect(Math.abs(samplesIn - droppedSamples + silenceSamples - samplesOut)).toBeLessThanOrEqual(slewedSamples)
        const filled = concealedSamples.fec + concealedSamples.plc + stats.silencedSamples
        const inputRate = codec === 'g722' ? 16_000 : clockRate
        expect(Math.abs(gapsUs - (filled / inputRate) * 1e6)).toBeLessThan(3 * fates.length)
        if (concealment === 'silence') expect(concealedSamples).toEqual({ fec: 0, plc: 0 })
      },
    ),
    {
      numRuns: 100,
      examples: [
        // A packet of 60 ms whose next comes after 20 ms: more is filled than the packets' times have between them.
        [
          'opus',
          [
            { kind: 'garbage', bytes: Uint8Array.of(0) },
            { kind: 'garbage', bytes: Uint8Array.of(88) },
            { kind: 'lost', count: 3 },
            { kind: 'arrives' },
          ],
          'plc',
          44_100,
        ],
      ],
    },
  )
})
