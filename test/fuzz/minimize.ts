import type { FuzzTarget } from './fuzz-target.js'
import { splice } from './mutators/bytes.js'

const MAX_RUNS = 6000

/**
 * A smaller input of which `holds` is still true: parts are left out where the target tells what they are, then chunks of
 * bytes, then bytes are made zero.
 */
export async function minimize(
  input: Uint8Array,
  holds: (smaller: Uint8Array) => Promise<boolean>,
  withoutParts: FuzzTarget['withoutParts'] = () => undefined,
): Promise<Uint8Array> {
  let smallest = input
  let runs = 0
  for (let count = 32; count >= 1; count >>= 1) {
    for (let first = 0; runs < MAX_RUNS; ) {
      const shorter = withoutParts(smallest, first, count)
      if (shorter === undefined) break
      runs++
      if (await holds(shorter)) smallest = shorter
      else first += count
    }
  }
  for (let chunk = Math.max(1, input.byteLength >> 1); chunk >= 1; chunk = chunk === 1 ? 0 : chunk >> 1) {
    for (let at = 0; at < smallest.byteLength && runs < MAX_RUNS; ) {
      const shorter = splice(smallest, at, chunk, new Uint8Array(0))
      runs++
      if (await holds(shorter)) smallest = shorter
      else at += chunk
    }
  }
  for (let at = 0; at < smallest.byteLength && runs < MAX_RUNS; at++) {
    if (smallest[at] === 0) continue
    const plainer = smallest.slice()
    plainer[at] = 0
    runs++
    if (await holds(plainer)) smallest = plainer
  }
  return smallest
}
