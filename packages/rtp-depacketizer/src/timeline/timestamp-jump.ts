/** RTP time may run ahead of arrival by this much without having jumped: a stall of the network, undone by a burst. */
const MAX_AHEAD_SECONDS = 2
/** Pictures are reordered by less than this. */
const MAX_BACK_SECONDS = 1

/**
 * Whether RTP time jumped between two units of one source that came one after the other: no loss, silence or stall
 * explains it. Jumps beyond ten seconds are a new epoch already; without arrival times none is seen.
 */
export function isTimestampJump(rtpSeconds: number, arrivalSeconds: number): boolean {
  return rtpSeconds < -MAX_BACK_SECONDS || rtpSeconds - Math.max(0, arrivalSeconds) > MAX_AHEAD_SECONDS
}
