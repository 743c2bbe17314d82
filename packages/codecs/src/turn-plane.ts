/** A part of the memory of a plane: `stride` bytes from row to row, `offset` to its first sample. */
export interface PlanePart {
  readonly plane: Uint8Array
  readonly stride: number
  readonly offset: number
}

/**
 * Copies a plane of `width` x `height`, turned clockwise: by 180 degrees to the same size, by 90 and 270 to
 * `height` x `width`.
 */
export function turnPlane(source: PlanePart, width: number, height: number, degrees: number, target: PlanePart): void {
  const { plane: from, stride, offset } = source
  const { plane: to, stride: toStride, offset: toOffset } = target
  const rows = degrees === 180 ? height : width
  const columns = degrees === 180 ? width : height
  // Where the first target sample comes from, and how the source moves with each column and row of the target.
  const start =
    degrees === 90
      ? offset + (height - 1) * stride
      : degrees === 180
        ? offset + (height - 1) * stride + width - 1
        : offset + width - 1
  const perColumn = degrees === 90 ? -stride : degrees === 180 ? -1 : stride
  const perRow = degrees === 90 ? 1 : degrees === 180 ? -stride : -1
  for (let row = 0; row < rows; row++) {
    let read = start + row * perRow
    let write = toOffset + row * toStride
    for (const end = write + columns; write < end; write++, read += perColumn) to[write] = from[read]!
  }
}
