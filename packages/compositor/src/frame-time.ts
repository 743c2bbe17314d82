/** Recording time of a frame, microseconds. */
export function frameUs(frame: number, fps: number): number {
  return Math.round((frame * 1_000_000) / fps)
}
