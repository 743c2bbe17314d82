import { describe, expect, it } from 'vitest'
import { type NamingFacts, namingRule, outputNames, PRESET_NAMES, parseWcsRotation, withFacts } from '../src/index.js'

const facts: NamingFacts = {
  recordingId: 'rec-7',
  roomId: 'room-1',
  participantId: 'alice',
  kind: 'individual',
  startedAtUs: 0,
}

describe('a naming rule as text', () => {
  const cases: readonly [string, string][] = [
    ['{roomId}-{recordingId}', 'room%2D1-rec-7'],
    ['out', 'out'],
    ['fishjam', 'room-1/rec-7/participants/alice'],
    ['fishjam:prefix=a/b', 'a/b/room-1/rec-7/participants/alice'],
    ['100ms:prefix=test-prefix', 'test-prefix/room-1/19700101/rec-7/alice/alice/alice'],
    ['jocloud', 'rid_rec-7_room-1__uid_s_alice__uid_e'],
    ['wcs', 'stream-cmVjLTc-alice-alice'],
    ['wcs:policy=streamName,encoding=base64url', 'YWxpY2U'],
    ['wcs:prefix=records,template={login},{streamName}=x', 'records/alice,alice=x'],
  ]
  for (const [text, expected] of cases) {
    it(`${text} gives ${expected}`, () => {
      expect(namingRule(text).name(facts)).toBe(expected)
    })
  }

  const wrong: readonly [string, string, string][] = [
    ['fishjm:prefix=a', 'naming', 'fishjam, 100ms, wcs, jocloud'],
    ['fishjam:', 'naming', 'nothing behind the colon'],
    ['fishjam:a', 'naming', 'name=value'],
    ['fishjam:policy=streamName', 'naming', 'fishjam takes prefix'],
    ['wcs:prefix=a,prefix=b', 'naming', 'twice'],
    ['wcs:prefix=a,,policy=streamName', 'naming', 'name=value'],
    ['wcs:policy=no', 'policy', 'streamName'],
    ['wcs:template={no}', 'template', 'no element'],
    ['jocloud:prefix=..', 'prefix', 'dot'],
    ['{no}', 'template', 'no element'],
    ['', 'template', 'empty'],
  ]
  for (const [text, field, message] of wrong) {
    it(`${JSON.stringify(text)} is refused: ${message}`, () => {
      expect(() => namingRule(text)).toThrow(
        expect.objectContaining({ code: 'BAD_CONFIGURATION', field, message: expect.stringContaining(message) }),
      )
    })
  }

  it('knows every preset by name', () => {
    for (const name of PRESET_NAMES) expect(namingRule(name).name(facts)).toMatch(/alice|YWxpY2U/)
  })
})

describe('a rule with more facts', () => {
  it('has the facts of the host, and otherwise stays as it was', () => {
    const plain = namingRule('jocloud')
    const rule = withFacts(plain, ({ participantId }) => ({ uid: `${participantId}-1`, extras: { more: 'x' } }))
    expect(outputNames(rule, facts, 'hls').main).toBe('rid_rec-7_room-1__uid_s_alice-1__uid_e.m3u8')
    expect([rule.elements, rule.distinct]).toEqual([plain.elements, true])
    const session = withFacts(namingRule('100ms'), () => ({ sessionId: 's' }))
    expect(session.name({ ...facts, extras: { streamId: 'cam' } })).toBe('room-1/19700101/s/alice/cam/cam')
    expect('indexSuffix' in session).toBe(false)
  })
})

describe('the rotation of WCS', () => {
  it('is in seconds or in megabytes', () => {
    expect(parseWcsRotation('10')).toEqual({ seconds: 10 })
    expect(parseWcsRotation('10M')).toEqual({ bytes: 10_485_760 })
    expect(parseWcsRotation('999999999M')).toEqual({ bytes: 1_048_575_998_951_424 })
    for (const text of ['', '0', '-1', '1.5', '10m', '10 M', 'M', '1e3', '01', '10K', '1000000000']) {
      expect(() => parseWcsRotation(text)).toThrow(
        expect.objectContaining({ code: 'BAD_CONFIGURATION', field: 'rotation' }),
      )
    }
  })
})
