import type { CallFaults } from './call-faults.js'
import type { Random } from './seeded-random.js'

/** The way from one participant to the recorder; all of his or her packets share it. */
export interface NetworkPath {
  /** True time of arrival of what was sent at `seconds`. */
  arrival(seconds: number, random: Random): number
}

/** Seconds between two spikes, on average. */
const SPIKE_SECONDS = 45

/** A base delay that may drift, jitter that only adds, and now and then a stall whose packets come in a burst. */
export function networkPath(faults: CallFaults, seconds: number, random: Random): NetworkPath {
  const spikes: [from: number, to: number][] = []
  if (faults.spikes) {
    for (let at = 8; at < seconds; at += SPIKE_SECONDS * (0.5 + random.next())) {
      spikes.push([at, at + 0.3 + 0.7 * random.next()])
    }
  }
  let next = 0
  return {
    arrival(sent, own) {
      // Triangle: up to the middle of each period, and back.
      const phase = (sent / (faults.delayPeriodSeconds ?? seconds)) % 1
      const base = faults.delayDrift ? 0.02 + 0.28 * (1 - Math.abs(2 * phase - 1)) : 0.03
      let arrival = sent + base - 0.005 * Math.log(1 - own.next())
      while (next < spikes.length && (spikes[next] as [number, number])[1] < sent - 5) next++
      for (let i = next; i < spikes.length; i++) {
        const [from, to] = spikes[i] as [number, number]
        if (from > arrival) break
        if (arrival < to) arrival = to + 0.002 * own.next()
      }
      return arrival
    },
  }
}
