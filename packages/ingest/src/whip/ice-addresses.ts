import { isIP, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ConfigurationError } from '@rushes/media'

/** Where publishers reach this machine. */
export interface IceOptions {
  /**
   * Addresses of this machine that take media. @defaultValue all but loopback and link-local ones, or loopback where
   * there is no other
   */
  readonly addresses?: readonly string[]
  /** Addresses that are told to publishers instead, where a router translates one to one. @defaultValue `addresses` */
  readonly publicAddresses?: readonly string[]
  /** UDP ports, first and last; each session takes one for each address. @defaultValue any */
  readonly portRange?: readonly [number, number]
}

/** Where to listen and what to tell, from options that have been checked. */
export interface IceAddresses {
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly portRange: readonly [number, number] | undefined
}

/** Finds the addresses. @throws ConfigurationError */
export function iceAddresses({ addresses, publicAddresses, portRange }: IceOptions): IceAddresses {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  for (const [index, address] of (addresses ?? []).entries()) {
    if (!own.some((known) => known.address === address)) {
      throw new ConfigurationError(`ice.addresses[${index}]`, 'must be an address of this machine', address)
    }
  }
  if (addresses?.length === 0) throw new ConfigurationError('ice.addresses', 'must name at least one address')
  for (const [index, address] of (publicAddresses ?? []).entries()) {
    if (isIP(address) === 0)
      throw new ConfigurationError(`ice.publicAddresses[${index}]`, 'must be an IP address', address)
  }
  if (portRange !== undefined) checkPorts(portRange)
  const reachable = own.filter(({ address, internal }) => !internal && !/^(169\.254\.|fe80:)/i.test(address))
  const found = reachable.map(({ address }) => address)
  return {
    listen: addresses ?? (found.length === 0 ? ['127.0.0.1'] : [...new Set(found)]),
    announce: publicAddresses ?? [],
    portRange,
  }
}

/** What publishers are told: the public addresses of the same family, or the address itself. */
export function announced(address: string, { announce }: IceAddresses): readonly string[] {
  const same = announce.filter((other) => isIPv4(other) === isIPv4(address))
  return same.length === 0 ? [address] : same
}

function checkPorts([first, last]: readonly [number, number]): void {
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1024 && port <= 65_535
  if (isPort(first) && isPort(last) && first < last) return
  throw new ConfigurationError('ice.portRange', 'must be two ports from 1024 to 65,535, the first below the last', [
    first,
    last,
  ])
}
