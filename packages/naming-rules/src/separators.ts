import { fault, type TemplateToken, type ValueToken } from './parse-template.js'

/**
 * The tokens of a component, with what must be encoded in its facts so that it can be read back in one way only:
 * without that, `{roomId}-{participantId}` would give `a-b-c` for two different pairs.
 *
 * Reading goes from the left up to the last fact of free content, and from the right back to it. A free fact that is
 * not the last ends at the first character of the text behind it, which is therefore encoded in it. Digits end where
 * no digit follows.
 * @throws ConfigurationError where a template cannot be read back
 */
export function withSeparators(component: readonly TemplateToken[]): readonly TemplateToken[] {
  const lastFree = component.findLastIndex((token) => token.type === 'value')
  return component.map((token, index) => {
    const previous = component[index - 1]
    const next = component[index + 1]
    if (token.type === 'digits') {
      const ends =
        index < lastFree || lastFree < 0
          ? next === undefined || (next.type === 'text' && /^\D/.test(next.text))
          : previous?.type === 'text' && /\D$/.test(previous.text)
      if (!ends)
        throw fault(token.position, `{${token.element}} needs a sign between its digits and what stands beside`)
    }
    if (token.type !== 'value' || index === lastFree) return token
    return { ...token, avoid: each(separatorBehind(token, next)) }
  })
}

function separatorBehind(token: ValueToken, next: TemplateToken | undefined): string {
  const separator = next?.type === 'text' ? String.fromCodePoint(next.text.codePointAt(0) as number) : ''
  // Letters and digits occur in encoded facts; base64url uses two signs as well.
  const unfit = separator === '' || /[\dA-Za-z%]/.test(separator)
  if (unfit || (token.encoding === 'base64url' && /[-_]/.test(separator))) {
    throw fault(
      token.position,
      `{${token.element}} needs a sign${token.encoding === 'base64url' ? ' other than - and _' : ''} behind it, because another element follows in the same component`,
    )
  }
  if (token.fallback?.includes(separator) === true) {
    throw fault(token.position, `the fallback of {${token.element}} must not contain ${JSON.stringify(separator)}`)
  }
  return separator
}

function each(character: string): RegExp {
  return new RegExp(character.replace(/[$()*+.?[\\\]^{|}]/, '\\$&'), 'gu')
}
