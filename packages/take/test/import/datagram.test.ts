import { describe, expect, it } from 'vitest'
import { datagramOf } from '../../src/import/datagram.js'
import { udpFrame } from '../import-fixtures.js'

const payload = Uint8Array.of(1, 2, 3, 4, 5)
const plain = udpFrame(payload)
const ip = plain.slice(14)

function ipv6(next: readonly number[], nextType: number): Uint8Array {
  const header = Buffer.alloc(40)
  header[0] = 0x60
  header[6] = nextType
  header.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], 8)
  header[39] = 1
  return new Uint8Array(Buffer.concat([header, Uint8Array.from(next), ip.slice(20)]))
}

function changed(at: number, ...bytes: number[]): Uint8Array {
  const frame = plain.slice()
  frame.set(bytes, at)
  return frame
}

function join(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))))
}

const found = { sourceHost: '10.0.0.1', sourcePort: 6000, destinationHost: '10.0.0.2', destinationPort: 5000, payload }
const found6 = { ...found, sourceHost: '2001:db8::1:0:0:1', destinationHost: '::1' }

describe('a frame', () => {
  it.each<[string, number, Uint8Array, object | string]>([
    ['Ethernet', 1, plain, found],
    ['Ethernet, padded', 1, join(plain, new Uint8Array(9)), found],
    ['one VLAN tag', 1, join(plain.subarray(0, 12), [0x81, 0, 0, 7], plain.subarray(12)), found],
    ['two VLAN tags', 1, join(plain.subarray(0, 12), [0x88, 0xa8, 0, 7, 0x81, 0, 0, 8], plain.subarray(12)), found],
    ['raw IP', 101, ip, found],
    ['raw IPv4', 228, ip, found],
    ['BSD loopback, little-endian', 0, join([2, 0, 0, 0], ip), found],
    ['BSD loopback, big-endian', 108, join([0, 0, 0, 2], ip), found],
    ['BSD loopback, IPv6', 0, join([30, 0, 0, 0], ipv6([], 17)), found6],
    ['BSD loopback, something else', 0, join([7, 0, 0, 0], ip), 'not-ip'],
    ['IPv4 with options', 101, join([0x46], ip.subarray(1, 20), [1, 1, 1, 1], ip.subarray(20)), found],
    ['IPv6', 229, ipv6([], 17), found6],
    [
      'IPv6 with extension headers',
      101,
      ipv6([60, 0, 0, 0, 0, 0, 0, 0, 17, 1, ...Array<number>(14).fill(0)], 0),
      found6,
    ],
    ['a fragment of IPv6', 229, ipv6([17, 0, 0, 1, 0, 0, 0, 0], 44), 'fragment'],
    ['TCP over IPv6', 229, ipv6([], 6), 'not-udp'],
    ['the first fragment of IPv4', 1, changed(20, 0x20, 0), 'fragment'],
    ['a later fragment of IPv4', 1, changed(20, 0, 9), 'fragment'],
    ['not to be fragmented', 1, changed(20, 0x40, 0), found],
    ['TCP', 1, changed(23, 6), 'not-udp'],
    ['ARP', 1, changed(12, 8, 6), 'not-ip'],
    ['a wrong version', 1, changed(14, 0x65), 'malformed'],
    ['too short a header', 1, changed(14, 0x44), 'malformed'],
    ['too short a UDP length', 1, changed(38, 0, 7), 'malformed'],
    ['too long a UDP length', 1, changed(38, 0, 99), 'cut-short'],
    ['the beginning of a frame', 1, plain.subarray(0, 40), 'cut-short'],
    ['nothing', 1, new Uint8Array(0), 'cut-short'],
    ['Wi-Fi', 105, plain, 'unknown-link'],
  ])('of %s', (_name, linkType, data, expected) => {
    expect(datagramOf({ linkType, data, timestampUs: 0 })).toEqual(expected)
  })
})
