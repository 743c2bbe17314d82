import type { Selector } from './layout.js'
import type { Shown } from './view.js'

/** Whether a selector means a source; a region's exact names go before its patterns, and patterns before none. */
export interface SourceMatcher {
  /** Names one participant, and nobody else. */
  readonly exact: boolean
  /** `active-speaker` or `screen`. */
  readonly special: boolean
  matches(shown: Shown, activeSpeaker: string | undefined): boolean
}

/** Compiles a selector. */
export function sourceMatcher(selector: Selector): SourceMatcher {
  if (typeof selector === 'object') {
    const { participant, kind = 'camera' } = selector
    return matcher(true, false, ({ source }) => source.participantId === participant && kindOf(source) === kind)
  }
  if (selector === 'screen') return matcher(false, true, ({ source }) => kindOf(source) === 'screen')
  if (selector === 'active-speaker') {
    return matcher(
      false,
      true,
      ({ source }, speaker) => source.participantId === speaker && kindOf(source) === 'camera',
    )
  }
  if (!selector.includes('*')) {
    return matcher(true, false, ({ source }) => source.participantId === selector && kindOf(source) === 'camera')
  }
  const parts = selector.split('*')
  return matcher(false, false, ({ source }) => kindOf(source) === 'camera' && hasParts(source.participantId, parts))
}

function matcher(exact: boolean, special: boolean, matches: SourceMatcher['matches']): SourceMatcher {
  return { exact, special, matches }
}

/** A screen that shows nothing stands for its participant, who has no camera. */
const kindOf = (source: Shown['source']): 'camera' | 'screen' =>
  source.kind === 'screen' && source.hasPicture ? 'screen' : 'camera'

/** The first part at the start, the last at the end, the others between them in order: linear, unlike a RegExp. */
function hasParts(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  const end = text.length - last.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
