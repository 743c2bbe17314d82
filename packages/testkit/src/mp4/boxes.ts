import type { Report } from '../finding.js'
import type { ByteSource } from './byte-source.js'
import type { Mp4Rule } from './rules.js'

/** A box with its place in the file (ISO/IEC 14496-12 §4.2). */
export interface Box {
  readonly type: string
  /** Of its first byte, in the file. */
  readonly offset: number
  readonly size: number
  readonly headerBytes: number
}

/** A box in memory. */
export interface LoadedBox extends Box {
  /** Without the header. */
  readonly body: Uint8Array
  readonly children: readonly LoadedBox[]
}

/** Boxes that only hold boxes. */
const CONTAINERS = new Set(['moov', 'trak', 'edts', 'mdia', 'minf', 'dinf', 'stbl', 'mvex', 'moof', 'traf', 'mfra'])

/** The boxes at the top of the file; bodies are not read. */
export async function readTopLevelBoxes(source: ByteSource, report: Report<Mp4Rule>): Promise<Box[]> {
  const boxes: Box[] = []
  let offset = 0
  while (offset < source.size) {
    const head = await source.read(offset, 16)
    const box = readHeader(head, 0, offset, source.size, report)
    if (box === undefined) break
    boxes.push(box)
    offset += box.size
  }
  return boxes
}

/** Reads a box and all that is in it. */
export async function loadBox(source: ByteSource, box: Box, report: Report<Mp4Rule>): Promise<LoadedBox> {
  const bytes = await source.read(box.offset + box.headerBytes, box.size - box.headerBytes)
  return { ...box, body: bytes, children: childrenOf(box.type, bytes, box.offset + box.headerBytes, report) }
}

function childrenOf(type: string, body: Uint8Array, offset: number, report: Report<Mp4Rule>): LoadedBox[] {
  return CONTAINERS.has(type) ? readBoxes(body, offset, report) : []
}

/** Boxes one after the other, which must fill the bytes. `offset`: of the bytes in the file. */
export function readBoxes(bytes: Uint8Array, offset: number, report: Report<Mp4Rule>): LoadedBox[] {
  const boxes: LoadedBox[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const box = readHeader(bytes, at, offset + at, offset + bytes.byteLength, report)
    if (box === undefined) break
    const body = bytes.subarray(at + box.headerBytes, at + box.size)
    boxes.push({ ...box, body, children: childrenOf(box.type, body, box.offset + box.headerBytes, report) })
    at += box.size
  }
  return boxes
}

function readHeader(
  bytes: Uint8Array,
  at: number,
  offset: number,
  end: number,
  report: Report<Mp4Rule>,
): Box | undefined {
  if (bytes.byteLength - at < 8) {
    report('box-size', `${bytes.byteLength - at} bytes are left, too few for a box`, { offset })
    return undefined
  }
  const view = viewOf(bytes)
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
  let size = view.getUint32(at)
  let headerBytes = 8
  if (size === 1 && bytes.byteLength - at >= 16) {
    size = Number(view.getBigUint64(at + 8))
    headerBytes = 16
  } else if (size === 0) size = end - offset
  if (size < headerBytes || offset + size > end) {
    report('box-size', `box ${printable(type)} of ${size} bytes where ${end - offset} are left`, { offset })
    return undefined
  }
  return { type, offset, size, headerBytes }
}

/** The only child of that type; reports when there is none, or more than one. */
export function theChild(parent: LoadedBox, type: string, report: Report<Mp4Rule>): LoadedBox | undefined {
  const found = parent.children.filter((child) => child.type === type)
  if (found.length !== 1) {
    report('box-missing', `${parent.type} has ${found.length} boxes ${type}, expected 1`, { offset: parent.offset })
  }
  return found[0]
}

/** The first child of that type, where there may be none. */
export function childOf(parent: LoadedBox | undefined, type: string): LoadedBox | undefined {
  return parent?.children.find((child) => child.type === type)
}

/** For reading big-endian numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function printable(type: string): string {
  return JSON.stringify(type)
}
