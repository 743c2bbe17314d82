import { NamingError } from './errors.js'

/** One token of a date pattern: text, or a field of fixed width. */
type DateToken = { readonly text: string } | { readonly field: keyof typeof fields }

const fields = {
  yyyy: (date: Date) => String(date.getUTCFullYear()).padStart(4, '0'),
  MM: (date: Date) => two(date.getUTCMonth() + 1),
  dd: (date: Date) => two(date.getUTCDate()),
  HH: (date: Date) => two(date.getUTCHours()),
  mm: (date: Date) => two(date.getUTCMinutes()),
  ss: (date: Date) => two(date.getUTCSeconds()),
  SSS: (date: Date) => String(date.getUTCMilliseconds()).padStart(3, '0'),
}

/** A date pattern that has been understood. */
export interface DatePattern {
  /** Every date gives as many characters. The epoch forms do not: they are digits, as many as it takes. */
  readonly fixedWidth: boolean
  format(timeUs: number): string
}

/** What `{startedAt}` means. */
export const DEFAULT_DATE_PATTERN = "yyyyMMdd'T'HHmmssSSS'Z'"

/**
 * Understands a date pattern: `yyyy MM dd HH mm ss SSS` in UTC, signs between them, other text in single quotes; or
 * `epochMs`, `epochS`. Returns the fault as text.
 */
export function parseDatePattern(pattern: string): DatePattern | string {
  if (pattern === 'epochMs') return { fixedWidth: false, format: (us) => String(Math.floor(checked(us) / 1000)) }
  if (pattern === 'epochS') return { fixedWidth: false, format: (us) => String(Math.floor(checked(us) / 1_000_000)) }
  const tokens: DateToken[] = []
  for (const [token] of pattern.matchAll(/'[^']*'|yyyy|MM|dd|HH|mm|ss|SSS|[\s\S]/g)) {
    if (token in fields) tokens.push({ field: token as keyof typeof fields })
    else if (token.length > 1 && token.startsWith("'")) tokens.push({ text: token.slice(1, -1) })
    else if (/^[-_.+=, ]$/.test(token)) tokens.push({ text: token })
    else {
      return `${JSON.stringify(token)} is no field of a date (yyyy MM dd HH mm ss SSS, epochMs, epochS) and not quoted`
    }
  }
  if (!tokens.some((token) => 'field' in token)) return 'has no field of a date (yyyy MM dd HH mm ss SSS)'
  return {
    fixedWidth: true,
    format(timeUs) {
      const date = new Date(Math.floor(checked(timeUs) / 1000))
      return tokens.map((token) => ('field' in token ? fields[token.field](date) : token.text)).join('')
    },
  }
}

function checked(timeUs: number): number {
  // From 1970 to 9999, the years that have four digits.
  if (Number.isFinite(timeUs) && timeUs >= 0 && timeUs < 253_402_300_800_000_000) return timeUs
  throw new NamingError('NAMING_BAD_FACT', `a time must be microseconds since 1970, got ${timeUs}`)
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
