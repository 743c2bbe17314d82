import { describe, expect, it } from 'vitest'
import { durationMsOf, journalOf, type RecordArguments, settingsOf } from '../src/record-options.js'

const given = (options: Partial<RecordArguments>): RecordArguments => ({ out: 'out', sources: [], ...options })

describe('the settings of a recording', () => {
  it('say nothing of what was not asked for', () => {
    expect(settingsOf(given({}))).toEqual({ limits: {} })
    expect(durationMsOf(given({}))).toBeUndefined()
  })

  it('are those that were asked for', () => {
    const options = given({
      format: 'hls',
      segment: '2',
      segments: 'cmaf',
      audio: 'opus',
      sampleRate: '44100',
      afterLoss: 'continue',
      parts: '600',
      keepJournal: true,
      idle: '600',
      duration: '1:00',
    })
    expect(settingsOf(options)).toEqual({
      formats: ['hls'],
      hls: { segmentDuration: 2, segments: 'cmaf' },
      audio: { codec: 'opus', sampleRate: 44_100 },
      afterLoss: 'continue',
      parts: { seconds: 600 },
      journal: 'keep',
      limits: { idleMs: 600_000, noMediaMs: 600_000, maxDurationMs: Number.POSITIVE_INFINITY },
    })
    expect(durationMsOf(options)).toBe(60_000)
  })

  it('wait no less for the first than by default, and for ever where that is asked for', () => {
    expect(settingsOf(given({ idle: '5' })).limits).toEqual({ idleMs: 5000, noMediaMs: 300_000 })
    const never = Number.POSITIVE_INFINITY
    expect(settingsOf(given({ idle: 'never' })).limits).toEqual({ idleMs: never, noMediaMs: never, silenceMs: never })
  })

  it('refuse what no timer can wait for', () => {
    expect(() => durationMsOf(given({ duration: '600:00:00' }))).toThrow(/--duration: must be less than 24 days/)
    expect(durationMsOf(given({ duration: '576:00:00' }))).toBe(576 * 3_600_000)
  })
})

describe('the journal', () => {
  it('lies beside the outputs, or where it is said', () => {
    expect(journalOf({ out: 'r' }, '/home/ann')).toBe('/home/ann/r/.takes')
    expect(journalOf({ out: 'r', journal: '../takes' }, '/home/ann')).toBe('/home/takes')
  })
})
