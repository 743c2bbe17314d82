/** What one picture of the test card says. */
export interface Card {
  /** Frame counter: `floor((t - epoch) * fps)`, modulo 65536; undefined where the card cannot be read. */
  readonly counter: number | undefined
  /** Whose card it is, 0 to 15; undefined where its complement does not match. */
  readonly cardId: number | undefined
  /** The box in the middle is white. */
  readonly flash: boolean
}

const UNREADABLE: Card = { counter: undefined, cardId: undefined, flash: false }
/** Difference of brightness that must lie between black and white cells. */
const MIN_CONTRAST = 64

/** Reads the card from a grey picture, 8 bits a pixel, of any size: all positions are fractions. */
export function readCard(gray: Uint8Array, width: number, height: number): Card {
  const mean = (x0: number, y0: number, x1: number, y1: number): number => {
    let sum = 0
    let count = 0
    for (let y = Math.floor(y0 * height); y < Math.max(y1 * height, Math.floor(y0 * height) + 1); y++) {
      for (let x = Math.floor(x0 * width); x < Math.max(x1 * width, Math.floor(x0 * width) + 1); x++) {
        sum += gray[y * width + x] as number
        count++
      }
    }
    return sum / count
  }
  // The middle of each cell: its edges are blurred by scaling and coding.
  const counterCells = Array.from({ length: 16 }, (_, i) => mean((i + 0.3) / 16, 0.04, (i + 0.7) / 16, 0.1))
  const idCells = Array.from({ length: 8 }, (_, i) => mean((i + 0.3) / 8, 0.9, (i + 0.7) / 8, 0.96))
  const all = [...counterCells, ...idCells]
  const black = Math.min(...all)
  const white = Math.max(...all)
  if (white - black < MIN_CONTRAST) return UNREADABLE
  const middle = (white + black) / 2
  // A cell between black and white is a picture in the course of being replaced, or no card at all.
  const margin = (white - black) * 0.15
  if (all.some((value) => Math.abs(value - middle) < margin)) return UNREADABLE
  const bits = (cells: readonly number[]): number =>
    cells.reduce((value, cell) => value * 2 + (cell > middle ? 1 : 0), 0)
  const id = bits(idCells.slice(0, 4))
  if ((id ^ bits(idCells.slice(4))) !== 15) return UNREADABLE
  return { counter: bits(counterCells), cardId: id, flash: mean(0.42, 0.42, 0.58, 0.58) > middle }
}
