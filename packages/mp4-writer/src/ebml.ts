/**
 * Elements of EBML (RFC 8794): an identifier, a length, content. An element is the list of its parts, so that nesting
 * copies nothing, as with boxes.
 */
import { sizeOf } from './box.js'

/** Bytes of an element, in parts. */
export type Element = readonly Uint8Array[]

/** One element around `content`, its length in as few bytes as it takes. */
export function element(id: number, ...content: readonly (Element | Uint8Array)[]): Element {
  const parts = content.flatMap((part) => (part instanceof Uint8Array ? [part] : part))
  return [elementHeader(id, sizeOf(parts)), ...parts]
}

/** Identifier and length (§4, §5). */
export function elementHeader(id: number, length: number): Uint8Array {
  let lengthBytes = 1
  // All ones is the unknown length.
  while (length >= 2 ** (7 * lengthBytes) - 1) lengthBytes++
  return Uint8Array.from([...bytesOf(id), ...fixedBytes(length + 2 ** (7 * lengthBytes), lengthBytes)])
}

/** Identifier and a length in eight bytes: unknown at first, to be written over. */
export function wideElementHeader(id: number, length: number | undefined): Uint8Array {
  const rest = length === undefined ? new Array<number>(7).fill(0xff) : fixedBytes(length, 7)
  return Uint8Array.from([...bytesOf(id), 0x01, ...rest])
}

/** An unsigned integer element (§7.2). */
export function uintElement(id: number, value: number): Element {
  return element(id, Uint8Array.from(value === 0 ? [0] : bytesOf(value)))
}

/** An unsigned integer element of eight bytes, which keeps its length when it is written over. */
export function wideUintElement(id: number, value: number): Element {
  return element(id, Uint8Array.from(fixedBytes(value, 8)))
}

/** A float element of eight bytes (§7.3). */
export function floatElement(id: number, value: number): Element {
  const content = new Uint8Array(8)
  new DataView(content.buffer).setFloat64(0, value)
  return element(id, content)
}

/** A string element, in UTF-8 (§7.5). */
export function textElement(id: number, value: string): Element {
  return element(id, new TextEncoder().encode(value))
}

/** A void element that takes `bytes` in all, at least 9: free space (§11.3.2). */
export function voidElement(bytes: number): Element {
  return [wideElementHeader(0xec, bytes - 9), new Uint8Array(bytes - 9)]
}

/** Big-endian, as few bytes as it takes. */
function bytesOf(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return bytes
}

function fixedBytes(value: number, count: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (let index = 0; index < count; index++) {
    bytes.unshift(rest % 256)
    rest = Math.floor(rest / 256)
  }
  return bytes
}
