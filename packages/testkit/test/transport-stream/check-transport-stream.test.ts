import { describe, expect, it } from 'vitest'
import { checkTransportStream, type Finding, formatFindings, transportStreamRules } from '../../src/index.js'
import { brokenStreams, strict } from './broken-streams.js'
import { goodAudioSegments, goodSegments } from './good-stream.js'

function rulesOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ rule }) => rule))].sort()
}

describe('checkTransportStream', () => {
  it('finds nothing in good streams', () => {
    expect(formatFindings(checkTransportStream(goodSegments(), strict))).toBe('')
    expect(formatFindings(checkTransportStream(Buffer.concat(goodSegments())))).toBe('')
    expect(formatFindings(checkTransportStream(goodAudioSegments(), strict))).toBe('')
  })

  it.each(brokenStreams)('$rule: $name', ({ rule, make, also = [], options = strict }) => {
    const findings = checkTransportStream(make(), options)
    const rules = rulesOf(findings)
    expect(rules, formatFindings(findings)).toContain(rule)
    expect(rules, formatFindings(findings)).toEqual([...new Set([rule, ...also])].sort())
  })

  it('has a case for every rule', () => {
    expect(rulesOf(brokenStreams.map(({ rule }) => ({ rule, message: '' })))).toEqual(
      Object.keys(transportStreamRules).sort(),
    )
  })
})
