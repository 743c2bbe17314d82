import { NamingError } from './errors.js'

/**
 * How a fact becomes part of a name.
 * - `percent`: what no file system or store likes is percent-encoded (RFC 3986 §2.1), all else stays readable, in any
 *   script.
 * - `base64url`: RFC 4648 §5 without padding, of the UTF-8 bytes.
 * - `none`: as it is; a fact that would need encoding is refused.
 */
export type ElementEncoding = 'percent' | 'base64url' | 'none'

/** What must not stand in a fact because of where it stands in the template. */
export interface EncodingContext {
  /** Where the fact would be misread: what matches is encoded. Global. */
  readonly avoid: RegExp | undefined
  /** The fact begins a component: no dot or space there. */
  readonly atStart: boolean
  /** The fact ends a component: no dot or space there. */
  readonly atEnd: boolean
  /** The fact ends a name that objects are called by: an extension could be taken for a suffix of another name. */
  readonly endsName: boolean
  /** Texts that the fact must not be, because they stand for a missing one. */
  readonly taken: readonly string[]
}

// Controls (C0, DEL, C1), line separators, what Windows refuses, our own signs, and halves of surrogate pairs.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029/\\<>:"|?*%~]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Encodes one fact. Facts that differ give texts that differ: `percent` and `base64url` can be decoded, and `none` does
 * not change anything.
 * @throws NamingError `NAMING_BAD_FACT` under `none`
 */
export function encodeElement(
  value: string,
  encoding: ElementEncoding,
  context: EncodingContext,
  element: string,
): string {
  if (encoding === 'base64url') return Buffer.from(utf8(value)).toString('base64url')
  let encoded = value.replace(unsafe, percent)
  if (context.avoid !== undefined) encoded = encoded.replace(context.avoid, percent)
  if (context.atStart) encoded = encoded.replace(/^[. ]/, percent)
  if (context.atEnd) encoded = encoded.replace(/[. ]$/, percent)
  if (context.endsName) encoded = encoded.replace(/\.(?=(mp4|webm|m3u8|ts|m4s|json|part-\d+)$)/i, percent)
  if (context.taken.includes(encoded)) encoded = encodeFirst(encoded)
  if (encoding === 'none' && encoded !== value) {
    throw new NamingError(
      'NAMING_BAD_FACT',
      `${element}: ${JSON.stringify(value)} cannot stand in a name as it is; give the element an encoding`,
      element,
    )
  }
  return encoded
}

/** The same text with its first character encoded: what a name needs that is reserved. */
export function encodeFirst(text: string): string {
  return text.replace(/^./su, percent)
}

function percent(text: string): string {
  let encoded = ''
  for (const byte of utf8(text)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return encoded
}

/** UTF-8 in which half a surrogate pair has its own three bytes, so that no two texts become one. */
function utf8(text: string): readonly number[] {
  const bytes: number[] = []
  for (const char of text) {
    const code = char.codePointAt(0) as number
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x1_0000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    }
  }
  return bytes
}

/** What must not stand in the text of a template either. */
export function unsafeCharacterIn(text: string): string | undefined {
  return text.match(unsafe)?.[0]
}

// CON, NUL and their like, also with an extension (Windows).
const reserved = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)/i

/** Whether Windows takes a component for a device. */
export function isReservedName(component: string): boolean {
  return reserved.test(component)
}
