import type { CaptureFile } from './capture-file.js'
import { viewOf } from './capture-input.js'
import type { MjrInfo, MjrRecord, MjrStats } from './mjr-parser.js'

/** What a first reading of a Janus recording shows. */
export interface MjrSurvey {
  /** Absent when the header cannot be read. */
  readonly info: MjrInfo | undefined
  readonly stats: MjrStats
  /** Present when there are RTP packets. */
  readonly found?: {
    readonly ssrc: number
    /** That of most packets. */
    readonly payloadType: number
    /** Wall time of the first packet, where the file says it. */
    readonly firstUs: number | undefined
  }
}

/** Reads a recording once. */
export async function surveyMjr(file: CaptureFile, onBytes: (bytes: number) => void): Promise<MjrSurvey> {
  const payloadTypes = new Map<number, number>()
  let ssrc = 0
  const { info, stats } = await file.records(({ data }, parser) => {
    if (parser.info?.kind === 'data') return undefined
    const view = viewOf(data)
    if (payloadTypes.size === 0) ssrc = view.getUint32(8)
    const payloadType = view.getUint8(1) & 127
    payloadTypes.set(payloadType, (payloadTypes.get(payloadType) ?? 0) + 1)
    return undefined
  }, onBytes)
  const frequent = [...payloadTypes].sort(([, one], [, other]) => other - one)[0]
  if (info === undefined || frequent === undefined) return { info, stats }
  return { info, stats, found: { ssrc, payloadType: frequent[0], firstUs: info.firstPacketUs ?? info.createdUs } }
}

/**
 * Says when packets came; those that have no time of their own at the pace of their RTP timestamps.
 */
export class MjrArrival {
  readonly #clockRate: number
  #lastTimestamp: number | undefined
  /** Ticks after the first packet. */
  #ticks = 0

  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** Microseconds after the first packet. */
  afterFirstUs({ data, timeMs }: MjrRecord): number {
    if (timeMs !== undefined) return timeMs * 1000
    const timestamp = viewOf(data).getUint32(4)
    // The shortest of all steps that the 32 bits may stand for.
    this.#ticks += (timestamp - (this.#lastTimestamp ?? timestamp)) | 0
    this.#lastTimestamp = timestamp
    return Math.max(0, Math.round((this.#ticks * 1_000_000) / this.#clockRate))
  }
}

/** Endings that the plugins of Janus give their files: the rest names the participant. */
const KIND_SUFFIX = /[-_.](?:audio|video|data|screen)(?:[-_.]?\d{1,4})?$/i

/** The participant of a file: its name without extension and without what says which media it holds. */
export function participantOfMjr(name: string): string {
  const stem = name.replace(/\.mjr$/i, '')
  const plain = stem.replace(KIND_SUFFIX, '')
  return plain === '' ? stem : plain
}
