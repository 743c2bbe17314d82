import type { Configuration, Rotation } from '@rushes/media'
import { type Box, box, fullBox, joinBoxes, uint32s } from './box.js'
import { sampleEntry } from './sample-entry.js'

/** The boxes of a track that depend on its configuration and not on its samples. */
export interface SampleDescription {
  /** Layer, volume, matrix (rotation) and size: what follows the times in a track header (ISO/IEC 14496-12 §8.3.2). */
  readonly trackHeaderTail: Uint8Array
  readonly handler: Box
  /** `vmhd` or `smhd`. */
  readonly mediaHeader: Box
  /** `stsd` with its one entry. */
  readonly sampleDescriptions: Uint8Array
}

const FULL_VOLUME = 0x01000000
/** The upper left of the matrix that turns a picture clockwise (§8.3.2): a, b, c, d as 16.16. */
const TURNS: Readonly<Record<Rotation, readonly [number, number, number, number]>> = {
  0: [0x10000, 0, 0, 0x10000],
  90: [0, 0x10000, -0x10000, 0],
  180: [-0x10000, 0, 0, -0x10000],
  270: [0, -0x10000, 0x10000, 0],
}

/** Describes the samples of a configuration. Throws `MP4_UNSUPPORTED_CODEC`. */
export function describeSamples(configuration: Configuration): SampleDescription {
  const sampleDescriptions = joinBoxes(fullBox('stsd', 0, 0, uint32s(1), sampleEntry(configuration)))
  if (configuration.kind === 'audio') {
    return {
      trackHeaderTail: uint32s(0, 0, 0, FULL_VOLUME, ...matrix(0), 0, 0),
      handler: handlerBox('soun', 'SoundHandler'),
      mediaHeader: fullBox('smhd', 0, 0, uint32s(0)),
      sampleDescriptions,
    }
  }
  const { width, height, rotation } = configuration
  return {
    trackHeaderTail: uint32s(0, 0, 0, 0, ...matrix(rotation), width * 65_536, height * 65_536),
    handler: handlerBox('vide', 'VideoHandler'),
    mediaHeader: fullBox('vmhd', 0, 1, uint32s(0, 0)),
    sampleDescriptions,
  }
}

function matrix(rotation: Rotation): readonly number[] {
  const [a, b, c, d] = TURNS[rotation]
  return [a, b, 0, c, d, 0, 0, 0, 0x40000000]
}

function handlerBox(type: string, name: string): Box {
  return fullBox('hdlr', 0, 0, uint32s(0), new TextEncoder().encode(type), uint32s(0, 0, 0), text(`${name}\0`))
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** `dinf`: the media is in this file (§8.7.2). */
export function dataInformation(): Box {
  return box('dinf', fullBox('dref', 0, 0, uint32s(1), fullBox('url ', 0, 1)))
}
