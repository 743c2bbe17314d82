import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that the system itself gives to whoever asks for any (32768 and up on Linux), so that nobody is given
 * one of these between our look and the bind of the program that we tell it to.
 */
const FIRST = 20_000
const COUNT = 12_000

/** Where this process looks next: processes side by side start far from each other. */
let next = (process.pid * 97) % COUNT

/** A TCP port of the loopback that nobody uses, and that this process gives out once. For programs that are told one. */
export async function freeTcpPort(): Promise<number> {
  for (;;) {
    const port = FIRST + next
    next = (next + 1) % COUNT
    if (await isFree(port)) return port
  }
}

/** True when one can listen on it. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
