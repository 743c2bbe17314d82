import type { CallFaults, ParticipantClocks } from './call-faults.js'
import type { CallOptions } from './call-simulator.js'
import type { Judged } from './drift-measure.js'

/** A fault, or all of them, and when a live render is judged. */
export interface DriftScenario {
  readonly name: string
  readonly faults: CallFaults
  readonly recorderPpm?: number
  /** Seconds from which live counts: 5 s after both first reports, 7.4 s unless said. */
  readonly liveFrom?: number
  readonly liveExcept?: readonly (readonly [from: number, to: number])[]
}

const YEAR_US = 365 * 86_400_000_000
/** Every clock off by as much as any crystal, each in its own direction. */
const CLOCKS: readonly ParticipantClocks[] = [
  { ntpPpm: 300, audioPpm: 500, videoPpm: -500 },
  { ntpPpm: -500, audioPpm: -500, videoPpm: 500 },
]

/** The scenarios of a call of `seconds`: faults lie at shares of it. */
export function driftScenarios(seconds: number): readonly DriftScenario[] {
  const at = (share: number): number => Math.round(seconds * share)
  const muteSeconds = Math.min(1200, seconds / 5)
  const ntpSteps = [20_000, -20_000, 500_000, -500_000, 3_000_000, -3_000_000, 3_600_000_000, -3_600_000_000, 40_000]
  const steps: CallFaults = { ntpSteps: ntpSteps.map((byUs, i) => ({ at: at(0.1 + 0.08 * i), byUs })) }
  const muted: CallFaults = { muted: [[at(0.4), at(0.4) + muteSeconds]] }
  const network: CallFaults = { delayDrift: true, delayPeriodSeconds: Math.min(seconds, 3600), spikes: true }
  const restarts: CallFaults = {
    rtpJumps: [
      { at: at(0.15), kind: 'audio', bySeconds: 10 },
      { at: at(0.25), kind: 'video', bySeconds: 9.5 },
      { at: at(0.35), kind: 'video' },
      { at: at(0.65), kind: 'audio' },
      { at: at(0.75), newSsrc: true },
    ],
    silent: [{ kind: 'video', from: at(0.85), to: at(0.85) + 3 }],
  }
  const reportJumps: CallFaults = {
    reportJumps: [
      { at: at(0.3), kind: 'audio', byUs: 40_000 },
      { at: at(0.6), kind: 'audio', byUs: -30_000 },
      { at: at(0.8), kind: 'video', byUs: 25_000 },
    ],
  }
  const noReportsYet: CallFaults = { firstReportSeconds: { audio: 12, video: 10 } }
  return [
    { name: 'drift only', faults: {} },
    { name: 'recorder +500 ppm', faults: {}, recorderPpm: 500 },
    { name: 'recorder -500 ppm', faults: {}, recorderPpm: -500 },
    { name: 'no report for 10 s', faults: noReportsYet, liveFrom: 17 },
    { name: 'NTP years ahead', faults: { wrongNtp: { byUs: 7 * YEAR_US } } },
    { name: 'NTP of 1970', faults: { wrongNtp: { byUs: 3 - 1_790_000_000_000_000 } } },
    { name: 'NTP years off, audio only', faults: { wrongNtp: { byUs: 7 * YEAR_US, kind: 'audio' } } },
    { name: 'NTP years off, video only', faults: { wrongNtp: { byUs: 7 * YEAR_US, kind: 'video' } } },
    { name: 'NTP zero, audio only', faults: { noReports: 'audio' } },
    { name: 'NTP zero, video only', faults: { noReports: 'video' } },
    { name: 'NTP zero, both', faults: { noReports: 'both' } },
    { name: 'NTP steps', faults: steps },
    { name: 'report RTP time jumps', faults: reportJumps },
    {
      name: 'capture glitches',
      faults: {
        captureGlitches: [
          { at: at(0.3), kind: 'audio', byUs: 30_000 },
          { at: at(0.6), kind: 'audio', byUs: 25_000 },
        ],
      },
    },
    { name: 'separate NTP clocks', faults: { separateClocks: { offsetUs: 2_000_000, ppm: -200 } } },
    { name: 'no CNAME', faults: { withoutCname: true } },
    {
      name: 'separate NTP clocks, no CNAME',
      faults: { separateClocks: { offsetUs: -800_000, ppm: 200 }, withoutCname: true },
    },
    { name: 'outliers', faults: { outliers: 0.03 } },
    { name: 'reports late by up to 2 s', faults: { reportDelaySeconds: 2 } },
    { name: 'reports missing for long', faults: { reportGaps: [[at(0.3), at(0.4)]] } },
    { name: 'RTP jumps and restarts', faults: restarts },
    { name: 'muted', faults: muted },
    { name: 'network delay 20 to 300 ms, stalls', faults: network },
    {
      name: 'all',
      faults: {
        ...steps,
        ...muted,
        ...network,
        ...restarts,
        ...noReportsYet,
        ...reportJumps,
        outliers: 0.02,
        reportDelaySeconds: 2,
      },
      recorderPpm: -500,
      liveFrom: 17,
    },
  ]
}

/** The call of a scenario. */
export function callOf(scenario: DriftScenario, seconds: number, seed = 1): CallOptions {
  return {
    seed,
    seconds,
    participants: CLOCKS,
    recorderPpm: scenario.recorderPpm ?? 0,
    faults: scenario.faults,
  }
}

/** When it is judged. */
export function judgedOf(scenario: DriftScenario, mode: 'offline' | 'live'): Judged {
  if (mode === 'offline') return { from: 0 }
  return { from: scenario.liveFrom ?? 7.4, ...(scenario.liveExcept && { except: scenario.liveExcept }) }
}
