import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/**
 * Below the ports that the system itself gives to whoever asks for any (32768 and up on Linux), so that nobody is given
 * one of these between our look and the bind of the program that we tell it to.
 */
const FIRST = 20_000
const COUNT = 12_000

/** Where this process looks next: processes side by side start far from each other. */
let next = (process.pid * 97) % COUNT

/** A UDP port that nobody uses, and that this process gives out once. */
export async function freePort(): Promise<number> {
  return freePorts(1)
}

/** The first, even, of `count` UDP ports in a row that nobody uses, and that this process gives out once. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    next = (next + (next % 2)) % (COUNT - count)
    const first = FIRST + next
    next += count
    const ports = Array.from({ length: count }, (_, index) => first + index)
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first
  }
}

/** True when one can bind to it. */
async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  try {
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return true
  } catch {
    return false
  } finally {
    socket.close()
  }
}
