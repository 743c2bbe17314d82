import { sizeOf } from './box.js'
import { elementHeader, uintElement } from './ebml.js'
import { payloadLength, type SamplePayload, writePayload } from './sample-payload.js'

const CLUSTER_ID = 0x1f43b675
const TIMESTAMP_ID = 0xe7
const SIMPLE_BLOCK_ID = 0xa3
const KEYFRAME_FLAG = 0x80

/** A sample that waits for its cluster. */
export interface PendingBlock {
  readonly track: number
  readonly timeMs: number
  readonly keyframe: boolean
  readonly payload: SamplePayload
}

/** Builds a cluster of SimpleBlocks (RFC 9559 §5.1.3): the one copy of a payload on its way to the file. */
export function buildCluster(blocks: readonly PendingBlock[]): Uint8Array {
  const start = blocks.reduce((earliest, { timeMs }) => Math.min(earliest, timeMs), Number.POSITIVE_INFINITY)
  const timestamp = uintElement(TIMESTAMP_ID, start)
  const headers = blocks.map((block) => blockHeader(block, start))
  let length = sizeOf(timestamp)
  for (const [index, { payload }] of blocks.entries()) length += headers[index]!.byteLength + payloadLength(payload)
  const clusterHeader = elementHeader(CLUSTER_ID, length)
  const bytes = new Uint8Array(clusterHeader.byteLength + length)
  const view = new DataView(bytes.buffer)
  let offset = 0
  const put = (part: Uint8Array): void => {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  put(clusterHeader)
  for (const part of timestamp) put(part)
  for (const [index, { payload }] of blocks.entries()) {
    put(headers[index]!)
    offset = writePayload(view, bytes, offset, payload)
  }
  return bytes
}

/** Element header, then track number, time from the cluster's (16 bits, signed), flags (§10.1, §10.2). */
function blockHeader({ track, timeMs, keyframe, payload }: PendingBlock, start: number): Uint8Array {
  const number = track < 0x7f ? [0x80 | track] : [0x40 | (track >>> 8), track & 0xff]
  const relative = timeMs - start
  const fields = [...number, relative >>> 8, relative & 0xff, keyframe ? KEYFRAME_FLAG : 0]
  const header = elementHeader(SIMPLE_BLOCK_ID, fields.length + payloadLength(payload))
  return Uint8Array.from([...header, ...fields])
}
