import { stripVTControlCharacters } from 'node:util'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
// Unicode Standard Annex 11: what East Asian fonts show in two cells. The blocks are enough for names.
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}|^[\u{20000}-\u{3fffd}]/u
const ascii = /^[\u0020-\u007e]*$/

/** Cells that `text` takes on a terminal; colours take none. */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text)
  if (ascii.test(plain)) return plain.length
  let width = 0
  for (const { segment } of graphemes.segment(plain)) width += wide.test(segment) ? 2 : 1
  return width
}
