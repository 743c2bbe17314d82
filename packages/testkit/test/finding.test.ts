import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkTransportStream, formatFindings, hlsRules, mp4Rules, transportStreamRules } from '../src/index.js'

describe('findings', () => {
  it('are told in one line each, with their place', () => {
    const findings = [
      { rule: 'a-rule', message: 'seven, not six', segment: 1, offset: 188, pid: 256 },
      { rule: 'b-rule', message: 'nothing', uri: 'index.m3u8', line: 3 },
      { rule: 'c-rule', message: 'all' },
    ]
    expect(formatFindings(findings)).toBe(
      'a-rule at segment 1, offset 188, pid 0x100: seven, not six\nb-rule at index.m3u8, line 3: nothing\nc-rule: all',
    )
    expect(formatFindings([])).toBe('')
  })

  it('are bounded', () => {
    const findings = checkTransportStream(new Uint8Array(188 * 50), { maxFindings: 10 })
    expect(findings.length).toBe(11)
    expect(findings[10]).toEqual({ rule: 'too-many-findings', message: '41 more findings are not listed' })
  })

  it('are all in the README, as the tables say them', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    for (const [id, { rule, source }] of Object.entries({ ...transportStreamRules, ...hlsRules, ...mp4Rules })) {
      expect(readme, id).toContain(`| \`${id}\` | ${rule.replaceAll('|', '\\|')} | ${source} |`)
    }
  })
})
