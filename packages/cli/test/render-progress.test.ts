import { describe, expect, it } from 'vitest'
import { formatProgressBar, RenderProgress } from '../src/render-progress.js'

describe('formatProgressBar', () => {
  it('shows the share, the position and the speed', () => {
    const state = { recordedUs: 10_000_000, totalUs: 20_000_000, elapsedMs: 1000 }
    expect(formatProgressBar(state, 80)).toBe(
      'Rendering ███████████████░░░░░░░░░░░░░░░   50 %  0:10.0 / 0:20.0  10x real time',
    )
  })

  it('tells how long it will take once that can be said, of what was not there already', () => {
    const state = { recordedUs: 1_200_000_000, totalUs: 3_600_000_000, keptUs: 600_000_000, elapsedMs: 120_000 }
    expect(formatProgressBar(state, 100)).toContain(' 33 %  20:00.0 / 1:00:00.0  5.0x real time, 8:00 left')
    expect(formatProgressBar({ ...state, elapsedMs: 1999 }, 100)).not.toContain('left')
    expect(formatProgressBar({ ...state, recordedUs: 3_700_000_000 }, 100)).toContain(', 0:00 left')
  })

  it('fits every width and gives the bar up first', () => {
    const state = { recordedUs: 3_333_333, totalUs: 10_000_000, elapsedMs: 1000 }
    for (let columns = 1; columns <= 200; columns++) {
      expect(formatProgressBar(state, columns).length).toBeLessThanOrEqual(columns)
    }
    expect(formatProgressBar(state, 60)).not.toContain('░')
  })

  it('never says more than 100 %, and nothing of a whole that is not known', () => {
    expect(formatProgressBar({ recordedUs: 21_000_000, totalUs: 20_000_000, elapsedMs: 0 }, 80)).toContain('100 %')
    expect(formatProgressBar({ recordedUs: 21_000_000, elapsedMs: 0 }, 80)).toBe('Rendering  0:21.0')
  })
})

describe('RenderProgress', () => {
  it('writes a plain line at each tenth where nobody watches', () => {
    const lines: string[] = []
    const progress = new RenderProgress({ write: (text) => lines.push(text) }, () => 0)
    for (let us = 0; us <= 20_000_000; us += 500_000) progress.update(us, 20_000_000)
    progress.clear()
    expect(lines).toHaveLength(10)
    expect(lines[0]).toBe('Rendering: 10 % (0:02.0 of 0:20.0)\n')
    expect(lines.at(-1)).toBe('Rendering: 100 % (0:20.0 of 0:20.0)\n')
  })

  it('says in plain lines how long it will take', () => {
    const lines: string[] = []
    let nowMs = 0
    const progress = new RenderProgress({ write: (text) => lines.push(text) }, () => nowMs)
    nowMs = 3000
    progress.update(5_000_000, 20_000_000)
    expect(lines).toEqual(['Rendering: 20 % (0:05.0 of 0:20.0, 0:09 left)\n'])
  })

  it('writes no more than one line when it jumps', () => {
    const lines: string[] = []
    const progress = new RenderProgress({ write: (text) => lines.push(text) }, () => 0)
    for (const us of [4_600_000, 4_700_000, 9_900_000]) progress.update(us, 10_000_000)
    expect(lines).toEqual(['Rendering: 40 % (0:04.6 of 0:10.0)\n', 'Rendering: 90 % (0:09.9 of 0:10.0)\n'])
  })

  it('redraws one line of a terminal, not too often, and takes it away', () => {
    let nowMs = 0
    const written: string[] = []
    const output = { write: (text: string) => written.push(text), isTTY: true, columns: 70 }
    const progress = new RenderProgress(output, () => nowMs)
    for (nowMs = 0; nowMs <= 1000; nowMs += 10) progress.update(nowMs * 10_000, 10_000_000)
    expect(written.length).toBeGreaterThan(5)
    expect(written.length).toBeLessThanOrEqual(13)
    for (const text of written) expect(text.startsWith('\r\u001b[K') && !text.includes('\n')).toBe(true)
    progress.clear()
    expect(written.at(-1)).toBe('\r\u001b[K')
  })

  it('makes no speed of what was there already', () => {
    let nowMs = 0
    const written: string[] = []
    const output = { write: (text: string) => written.push(text), isTTY: true, columns: 100 }
    const progress = new RenderProgress(output, () => nowMs)
    progress.update(0, 3_600_000_000)
    progress.goOn(754_000_000, 3_600_000_000)
    expect(written.slice(1)).toEqual(['\r\u001b[K', 'An earlier try was interrupted: goes on at 12:34 of 1:00:00\n'])
    nowMs = 5000
    progress.update(754_000_000, 3_600_000_000)
    expect(written.at(-1)).toContain(' 20 %')
    expect(written.at(-1)).not.toContain('real time')
    nowMs = 6000
    progress.update(757_000_000, 3_600_000_000)
    expect(written.at(-1)).toContain('3.0x real time')
  })

  it('takes a terminal that says it has no columns for one of 80', () => {
    const written: string[] = []
    const output = { write: (text: string) => written.push(text), isTTY: true, columns: 0 }
    new RenderProgress(output, () => 0).update(5_000_000, 10_000_000)
    expect(written[0]).toContain('50 %')
  })
})
