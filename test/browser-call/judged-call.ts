import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { complaintsAbout } from './judge-call.js'
import { measureCall, type ParticipantMeasure } from './measure-call.js'
import { openBrowser } from './publisher.js'
import { type CalledParticipant, type CallOptions, type RecordedCall, recordCall } from './record-call.js'

/** One participant of a call, and what is not as it must be. */
export interface JudgedParticipant {
  readonly called: CalledParticipant
  readonly measure: ParticipantMeasure
  readonly complaints: readonly string[]
}

/** A call that was made, recorded, measured and judged. */
export interface JudgedCall {
  readonly call: RecordedCall
  readonly participants: readonly JudgedParticipant[]
}

/** What is left open of a call. */
export type JudgedCallOptions = Pick<CallOptions, 'transport' | 'seconds'> &
  Partial<Pick<CallOptions, 'path' | 'maxBitrateBps' | 'audioRedundancy'>> & {
    /** Leave journal and outputs where they are. @defaultValue false */
    readonly keep?: boolean
  }

/** A bad mobile network: every twentieth packet is lost, and nearly every second is overtaken. */
export const BAD_NETWORK = { lossRate: 0.05, delayMs: 10, jitterMs: 30, seed: 1 } as const

/** Makes a call in a browser of its own, and judges what was recorded of it. In H264: the reader of journals knows no other. */
export async function judgedCall(options: JudgedCallOptions): Promise<JudgedCall> {
  const { path = BAD_NETWORK, maxBitrateBps = 600_000, audioRedundancy = false } = options
  const { keep = false, transport } = options
  const folder = await mkdtemp(join(tmpdir(), 'rushes-call-'))
  try {
    const browser = await openBrowser()
    let call: RecordedCall
    try {
      call = await recordCall({ ...options, browser, codec: 'h264', path, maxBitrateBps, audioRedundancy, folder })
    } finally {
      // Before anything is measured: it takes all there is of the machine.
      await browser.close()
    }
    const measures = await measureCall(call, folder)
    const participants = call.participants.map((called) => {
      const measure = measures.find(({ id }) => id === called.id)
      if (measure === undefined) throw new Error(`nothing was measured of ${called.id}`)
      return { called, measure, complaints: complaintsAbout(transport, called, measure) }
    })
    return { call, participants }
  } finally {
    if (!keep) await rm(folder, { recursive: true, force: true })
  }
}
