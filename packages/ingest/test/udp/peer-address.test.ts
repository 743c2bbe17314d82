import { expect, test } from 'vitest'
import { PeerAddress } from '../../src/udp/peer-address.js'

const sender = { address: '10.0.0.1', port: 5004 }
const stranger = { address: '10.0.0.9', port: 5004 }

test('RTCP of nobody that is known does not take the place of the sender', () => {
  const peer = new PeerAddress({}, false)
  expect(peer.allows(stranger, true, 0)).toBe(true)
  peer.confirm(stranger, true, false, 0)
  expect(peer.rtcpTarget).toBeUndefined()
  expect(peer.allows(sender, false, 1)).toBe(true)
  peer.confirm(sender, false, true, 1)
  expect(peer.rtcpTarget).toEqual({ address: '10.0.0.1', port: 5005 })
  expect(peer.allows(stranger, true, 2)).toBe(false)
  // Of the sender's address it tells where to answer.
  peer.confirm({ ...sender, port: 6000 }, true, false, 3)
  expect(peer.rtcpTarget).toEqual({ address: '10.0.0.1', port: 6000 })
})

test('another address follows when the first was silent, and RTCP goes there', () => {
  const peer = new PeerAddress({}, true)
  peer.confirm(sender, false, true, 0)
  expect(peer.allows(stranger, false, 1_900_000)).toBe(false)
  expect(peer.allows(stranger, false, 2_000_000)).toBe(true)
  peer.confirm(stranger, false, true, 2_000_000)
  expect(peer.rtcpTarget).toEqual(stranger)
  expect(peer.foreign).toBe(1)
})

test('the highest port has none after it', () => {
  const peer = new PeerAddress({}, false)
  peer.confirm({ address: '10.0.0.1', port: 65_535 }, false, true, 0)
  expect(peer.rtcpTarget).toBeUndefined()
})

test('what is pinned holds, silent or not, and a few strangers are told', () => {
  const peer = new PeerAddress({ address: '10.0.0.1', rtcpPort: 7000 }, false)
  expect(peer.allows(stranger, false, 1e12)).toBe(false)
  expect(peer.rtcpTarget).toEqual({ address: '10.0.0.1', port: 7000 })
  const told = Array.from({ length: 20 }, (_, port) => peer.shouldTell({ ...stranger, port }))
  expect(told.filter(Boolean)).toHaveLength(8)
  expect(peer.shouldTell({ ...stranger, port: 0 })).toBe(false)
})
