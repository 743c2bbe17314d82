/** The test card, drawn in grey by the description in the fixtures' README. */
export function drawCard(
  width: number,
  height: number,
  card: { readonly counter: number; readonly cardId: number; readonly flash?: boolean },
  levels: { readonly black: number; readonly white: number } = { black: 16, white: 235 },
): Uint8Array {
  const picture = new Uint8Array(width * height).fill(90)
  const bits = (card.cardId << 4) | (card.cardId ^ 15)
  const flash = card.flash ?? card.counter % 30 < 3
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fx, fy] = [(x + 0.5) / width, (y + 0.5) / height]
      let white: boolean | undefined
      if (fy < 0.14) white = ((card.counter >> (15 - Math.floor(fx * 16))) & 1) === 1
      else if (fy > 0.86) white = ((bits >> (7 - Math.floor(fx * 8))) & 1) === 1
      else if (fx > 0.35 && fx < 0.65 && fy > 0.35 && fy < 0.65) white = flash
      if (white !== undefined) picture[y * width + x] = white ? levels.white : levels.black
    }
  }
  return picture
}
