/** Sizes of pictures in order of appearance, as `WIDTHxHEIGHT`: one for each change. */
export function sizesInOrder(pictures: Iterable<{ readonly width: number; readonly height: number }>): string[] {
  const sizes: string[] = []
  for (const { width, height } of pictures) {
    const size = `${width}x${height}`
    if (sizes.at(-1) !== size) sizes.push(size)
  }
  return sizes
}
