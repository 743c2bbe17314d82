import ipaddr from 'ipaddr.js'

/** Azure's platform service: reachable from every virtual machine there, and public by its number. */
const PLATFORM_SERVICES = new Set(['168.63.129.16'])

/** All that is handed out to hosts on the Internet (RFC 4291 §2.4); the rest is reserved or tunnels something. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/** Addresses that stand for an IPv4 address in their last 32 bits: NAT64 (RFC 6052 §2.1). */
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96]

/**
 * Whether an address is a host on the Internet: not private, loopback, link-local (which has the metadata services of
 * clouds), unique-local, shared (RFC 6598), multicast, reserved, a transition tunnel, or any of these written as IPv6.
 * What is no address is not public.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.kind() === 'ipv4') return isPublicIPv4(ipaddr.IPv4.parse(address))
  const six = ipaddr.IPv6.parse(address)
  if (six.isIPv4MappedAddress()) return isPublicIPv4(six.toIPv4Address())
  // A network without IPv4 reaches public hosts this way, and could reach private ones.
  if (six.match(NAT64)) return isPublicIPv4(new ipaddr.IPv4(six.toByteArray().slice(12)))
  return six.range() === 'unicast' && six.match(GLOBAL_UNICAST)
}

function isPublicIPv4(address: ipaddr.IPv4): boolean {
  return address.range() === 'unicast' && !PLATFORM_SERVICES.has(address.toString())
}
