import type { CardFrame } from '@rushes/testkit/card'
import { expect, test } from 'vitest'
import { soundDelaysMs } from './page-sync.js'
import { loopbackPort, throughRelay, withoutCandidates } from './sdp-candidates.js'

const cards = (shiftMs: number, left: (counter: number) => boolean = () => true): CardFrame[] =>
  Array.from({ length: 150 }, (_, counter) => counter)
    .filter(left)
    .map((counter) => {
      const ptsUs = Math.round((counter * 1e6) / 30) + shiftMs * 1000
      return { counter, cardId: 1, flash: counter % 30 < 3, ptsUs, width: 640, height: 360 }
    })
const beeps = (...atMs: number[]) => atMs.map((ms) => ({ atUs: ms * 1000, level: 0.5, levelBefore: 0.02 }))
const sender = {
  pictures: Array.from({ length: 150 }, (_, n) => [n, 1e12 + (n * 1000) / 30] as const),
  beepsMs: [1, 2, 3, 4].map((second) => 1e12 + second * 1000),
}

test.for([
  ['in step', beeps(1000, 2000), cards(0), [0, 0]],
  ['both late by the same', beeps(1250, 2250), cards(250), [0, 0]],
  ['sound late', beeps(1030, 2070), cards(0), [30, 70]],
  ['sound early', beeps(990, 1920), cards(0), [-10, -80]],
  ['the flash is lost', beeps(1020), cards(0, (n) => n < 28 || n > 35), [20]],
  ['no picture near', beeps(1000), cards(0, (n) => n > 60), [Number.NaN]],
  ['a beep that was never sent', beeps(1500), cards(0), [Number.NaN]],
] as const)('%s', ([, heard, seen, expected]) => {
  const delays = soundDelaysMs(heard, seen, sender).map((ms) => Math.round(ms))
  expect(delays).toEqual([...expected])
})

test('a description leads to the relay and nowhere else', () => {
  const sdp = [
    'v=0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host',
    'a=candidate:2 1 udp 2130706431 192.0.2.2 40000 typ host',
    'a=candidate:3 1 tcp 1518280447 192.0.2.2 9 typ host tcptype active',
    'a=end-of-candidates',
    '',
  ].join('\r\n')
  expect(loopbackPort(sdp)).toBe(40_000)
  expect(throughRelay(sdp, 5000).match(/^a=candidate.*$/gm)).toEqual([
    'a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host',
  ])
  expect(withoutCandidates(sdp)).not.toContain('candidate:')
  expect(() => loopbackPort(withoutCandidates(sdp))).toThrow('0 ports')
})
