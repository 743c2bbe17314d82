/** Attribute lists (RFC 8216 §4.2). */

const ATTRIBUTE = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)/y

/** Name to value, quotes removed; `undefined` where it is no attribute list. */
export function readAttributes(text: string): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>()
  ATTRIBUTE.lastIndex = 0
  while (ATTRIBUTE.lastIndex < text.length) {
    const match = ATTRIBUTE.exec(text)
    if (match === null) return undefined
    const [, name, value] = match as unknown as [string, string, string]
    if (attributes.has(name)) return undefined
    attributes.set(name, value.startsWith('"') ? value.slice(1, -1) : value)
    // A comma at the very end has no attribute behind it.
    if (match[3] === ',' && ATTRIBUTE.lastIndex === text.length) return undefined
  }
  return attributes
}
