import { createHash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import {
  type CompositeObject,
  type LoadChange,
  type PackedItems,
  packItems,
  type TakenThumbnail,
  unpackItems,
} from '@rushes/compositor'
import type { TimedItem } from '@rushes/media'

/** A still of a composite: a poster or a sheet, or a thumbnail by itself. */
export type CompositeStill = CompositeObject | TakenThumbnail

/** What a compositor has made from one keyframe of the picture to the next. */
export interface CompositeSegment {
  /** Number of its first frame. */
  readonly frame: number
  /** Number of the first frame of the next one. */
  readonly nextFrame: number
  /** Of each track in its order. Sound is what had come when the pictures were whole. */
  readonly items: readonly TimedItem[]
  /** Of these frames. */
  readonly stills: readonly CompositeStill[]
  /** Who was known by then. */
  readonly participants: readonly string[]
  /** Where quality was given up, from the beginning on. */
  readonly loadChanges: readonly LoadChange[]
}

const MAGIC = Buffer.from('RSHSEG1\n', 'latin1')
const HASH_BYTES = 32
const HEAD_BYTES = MAGIC.byteLength + HASH_BYTES + 4

type Facts = Omit<CompositeSegment, 'items'> & { readonly items: PackedItems['items'] }

/**
 * The bytes of a segment, in pieces: a mark, the SHA-256 of all that follows, the length of the facts (32 bits,
 * little-endian), the facts as V8 writes them, and the bytes of all samples.
 */
export function serializeSegment({ items, ...rest }: CompositeSegment): Uint8Array[] {
  const packed = packItems(items)
  const facts = serialize({ ...rest, items: packed.items } satisfies Facts)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(facts.byteLength)
  const body = [length, facts, new Uint8Array(packed.bytes)]
  const hash = createHash('sha256')
  for (const piece of body) hash.update(piece)
  return [MAGIC, hash.digest(), ...body]
}

/** The segment again; `undefined` where a byte is missing, wrong or too many. */
export function parseSegment(bytes: Uint8Array): CompositeSegment | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const hashed = MAGIC.byteLength + HASH_BYTES
  if (buffer.byteLength < HEAD_BYTES || !buffer.subarray(0, MAGIC.byteLength).equals(MAGIC)) return undefined
  const hash = createHash('sha256').update(buffer.subarray(hashed)).digest()
  if (!hash.equals(buffer.subarray(MAGIC.byteLength, hashed))) return undefined
  const end = HEAD_BYTES + buffer.readUInt32LE(hashed)
  // What has its hash is what was written.
  const { items, ...rest } = deserialize(buffer.subarray(HEAD_BYTES, end)) as Facts
  return { ...rest, items: [...unpackItems({ items, bytes: new Uint8Array(buffer.subarray(end)).buffer })] }
}
