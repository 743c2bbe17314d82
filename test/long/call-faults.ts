type Kind = 'audio' | 'video'

/** How fast a participant's clocks run, in parts per million, and how wrong the wall clock is. */
export interface ParticipantClocks {
  readonly ntpPpm: number
  readonly audioPpm: number
  readonly videoPpm: number
  readonly ntpOffsetUs?: number
}

/** What goes wrong in a simulated call. Times are seconds of true time; everything may be combined. */
export interface CallFaults {
  readonly firstReportSeconds?: { readonly audio: number; readonly video: number }
  /** No report of one kind, or of any: also what zero NTP times come to. */
  readonly noReports?: Kind | 'both'
  readonly reportGaps?: readonly (readonly [from: number, to: number])[]
  /** A wall clock that is wrong throughout; of one kind of track only, or of both. */
  readonly wrongNtp?: { readonly byUs: number; readonly kind?: Kind }
  /** The sender's wall clock is set. */
  readonly ntpSteps?: readonly { readonly at: number; readonly byUs: number }[]
  /** The RTP time in the reports is off from then on; the media is not. */
  readonly reportJumps?: readonly { readonly at: number; readonly kind: Kind; readonly byUs: number }[]
  /** The device swallowed so much: media and reports move. */
  readonly captureGlitches?: readonly { readonly at: number; readonly kind: Kind; readonly byUs: number }[]
  /** Video is reported by another clock, under another CNAME. */
  readonly separateClocks?: { readonly offsetUs: number; readonly ppm: number }
  readonly withoutCname?: boolean
  /** Share of reports that are far off. */
  readonly outliers?: number
  /** Reports come late by up to this. */
  readonly reportDelaySeconds?: number
  /** RTP time jumps by so much in the same source, or (without `bySeconds`) restarts at random, in a new epoch. */
  readonly rtpJumps?: readonly {
    readonly at: number
    readonly kind?: Kind
    readonly bySeconds?: number
    readonly newSsrc?: boolean
  }[]
  /** Nothing is sent, reports go on. */
  readonly silent?: readonly { readonly kind: Kind; readonly from: number; readonly to: number }[]
  /** Audio is muted with DTX: a frame of comfort noise each 400 ms. */
  readonly muted?: readonly (readonly [from: number, to: number])[]
  /** The network's delay goes from 20 to 300 ms and back. */
  readonly delayDrift?: boolean
  /** @defaultValue the whole call */
  readonly delayPeriodSeconds?: number
  /** Stalls of up to a second. */
  readonly spikes?: boolean
}
