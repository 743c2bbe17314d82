import { describe, expect, test } from 'vitest'
import { parseSdpFragment } from '../../src/whip/sdp-fragment.js'

/** RFC 8840 §9, as browsers' clients send it. */
const fragment = [
  'a=ice-ufrag:EsAw',
  'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
  'm=audio 9 RTP/AVP 0',
  'a=mid:0',
  'a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1',
  'a=candidate:3471623853 1 udp 2122194687 2001:db8::1 61765 typ host generation 0 ufrag EsAw network-id 2',
  'a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1',
  'a=candidate:1 1 udp 2113937151 f3b2c9a0.local 51820 typ host',
  'a=end-of-candidates',
  '',
].join('\r\n')

describe('trickle fragments', () => {
  test('candidates that can be used, whatever section they stand in', () => {
    const { usernameFragment, candidates } = parseSdpFragment(fragment)
    expect(usernameFragment).toBe('EsAw')
    expect(candidates.map(({ address, port, type }) => `${address} ${port} ${type}`)).toEqual([
      '192.0.2.1 61764 host',
      '2001:db8::1 61765 host',
    ])
  })
  test('the end alone is a fragment', () => {
    expect(parseSdpFragment('a=end-of-candidates\r\n').candidates).toEqual([])
  })
  test('a flood is cut', () => {
    const many = Array.from({ length: 500 }, (_, i) => `a=candidate:${i} 1 udp 1 192.0.2.1 ${1024 + i} typ host`)
    expect(parseSdpFragment(`m=audio 9 RTP/AVP 0\r\n${many.join('\r\n')}\r\n`).candidates).toHaveLength(32)
  })
  test.for(['', 'hello', 'm=audio 9 RTP/AVP 0\r\na=mid:0\r\n'])('%j is none', (text) => {
    expect(() => parseSdpFragment(text)).toThrow(expect.objectContaining({ code: 'WHIP_BAD_FRAGMENT', status: 400 }))
  })
})
