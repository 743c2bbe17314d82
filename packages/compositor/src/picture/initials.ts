/** What a circle holds of a name. */
const MAX_INITIALS = 2
/** Muted, and dark enough for white letters: contrast of 3 at least, as large text needs (WCAG 2.2 §1.4.3). */
const COLORS: readonly string[] = [
  '#c2504a',
  '#b3612a',
  '#8a7420',
  '#4f8434',
  '#2e8567',
  '#2b7f96',
  '#3b74c4',
  '#6467cc',
  '#8a57bd',
  '#b04d92',
]

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Whole letters of a text, with their accents; an emoji is one. */
export function graphemesOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment)
}

/** The first letters of the first and the last word, or one where there is but one word. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._\-+@/()]+/u).filter((word) => /[\p{L}\p{N}\p{Emoji_Presentation}]/u.test(word))
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words
  const letters = chosen.slice(0, MAX_INITIALS).map((word) => firstOf(word ?? ''))
  return letters.length === 0 ? '?' : letters.join('')
}

/** Always the same for an id. */
export function colorOf(participantId: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < participantId.length; index++) {
    hash = Math.imul(hash ^ participantId.charCodeAt(index), 0x01000193)
  }
  // The low bits of ids that differ in their last letter only differ too little.
  hash ^= hash >>> 15
  return COLORS[(hash >>> 0) % COLORS.length] ?? '#3b74c4'
}

function firstOf(word: string): string {
  const letter = graphemesOf(word).find((grapheme) => /[\p{L}\p{N}\p{Emoji_Presentation}]/u.test(grapheme)) ?? ''
  const upper = letter.toUpperCase()
  // Some letters become two.
  return graphemesOf(upper).length === 1 ? upper : letter
}
