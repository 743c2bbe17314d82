import { formatTime } from './quantities.js'

/** Lists longer than this are cut: `--json` has all. */
const MAX_LISTED = 12

/** `a, b, c and 7 more`. */
function listed(items: readonly string[]): string {
  const more = items.length - MAX_LISTED
  return `${items.slice(0, MAX_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Lines on the changes of size and the holes of a track or stream; none where there are none. */
export function formatSizesAndGaps(
  id: string,
  sizes: readonly { readonly atUs: number; readonly width: number; readonly height: number }[],
  gaps: readonly { readonly startUs: number; readonly endUs: number }[],
): string[] {
  const lines: string[] = []
  if (sizes.length > 1) {
    const changes = sizes.map(({ atUs, width, height }) => `${width}x${height} from ${formatTime(atUs)}`)
    lines.push(`  ${id}  ${listed(changes)}`)
  }
  if (gaps.length > 0) {
    const holes = gaps.map(({ startUs, endUs }) => `${formatTime(startUs)} to ${formatTime(endUs)}`)
    lines.push(`  ${id}  nothing ${listed(holes)}`)
  }
  return lines
}

/** `640x360`, `640x360, 960x540`, `3 sizes`. */
export function formatSizes(sizes: readonly { readonly width: number; readonly height: number }[]): string {
  const distinct = [...new Set(sizes.map(({ width, height }) => `${width}x${height}`))]
  return distinct.length > 2 ? `${distinct.length} sizes` : distinct.join(', ')
}
