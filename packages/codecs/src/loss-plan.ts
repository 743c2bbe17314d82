/** What becomes of the time of lost packets: pure arithmetic, in samples of one rate. */

/** A loss, as it is known when the packet after it is here. */
export interface Loss {
  /** Time between the sound so far and the packet, over 0. */
  readonly hole: number
  readonly lostPackets: number
  /** Length of the packet before: the lost ones are taken to be as long. */
  readonly packetSamples: number
  /** What the packet repeats of the sound before it. */
  readonly recoverable: number
  /** Most that may be guessed: 0 where the sound before has already become silence. */
  readonly maxConcealed: number
  /** 20 ms: a quarter of it, or of a packet, may be drift. */
  readonly slewLimit: number
}

/** What to put before the packet: a guess, silence up to the next part, and the sound that the packet repeats. */
export interface LossPlan {
  readonly concealed: number
  readonly recovered: number
  /** What was lost and becomes silence. */
  readonly silenced: number
  /** Everything is filled, and the packet goes on from there: what its time differs is drift. */
  readonly whole: boolean
}

/**
 * As much is filled as the lost packets were long: a hole beyond that is a silence of the sender (DTX, mute) that a
 * loss happened to fall into.
 */
export function planLoss(loss: Loss): LossPlan {
  const { hole, lostPackets, packetSamples, recoverable, maxConcealed, slewLimit } = loss
  const expected = lostPackets * packetSamples
  const explained = Math.abs(hole - expected) * 4 < Math.min(slewLimit, packetSamples)
  const fill = explained ? expected : Math.min(hole, expected)
  const recovered = recoverable <= fill ? recoverable : 0
  const concealed = Math.min(fill - recovered, maxConcealed)
  const silenced = fill - recovered - concealed
  return { concealed, recovered, silenced, whole: silenced === 0 && (explained || fill === hole) }
}
