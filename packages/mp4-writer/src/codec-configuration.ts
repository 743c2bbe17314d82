/** The small configuration boxes whose values stand in the codec string. */

/** 4:2:0, colour as in BT.709, studio swing: what a codec string leaves out. */
const VP9_CHROMA_420_COLOCATED = 1
const BT_709 = 1

/**
 * The content of `vpcC` (VP Codec ISO Media File Format Binding) behind its version, from
 * `vp09.PP.LL.DD[.CC.cp.tc.mc.FF]`. Undefined where the string is none.
 */
export function vpConfiguration(codecString: string): Uint8Array | undefined {
  const [name, ...fields] = codecString.split('.')
  const [profile, level, bitDepth, chroma = VP9_CHROMA_420_COLOCATED, ...colour] = fields.map(Number)
  const [primaries = BT_709, transfer = BT_709, matrix = BT_709, fullRange = 0] = colour
  if (name !== 'vp09' || profile === undefined || level === undefined || bitDepth === undefined) return undefined
  if (fields.some((field) => !/^\d+$/.test(field))) return undefined
  const formatByte = (bitDepth << 4) | (chroma << 1) | fullRange
  return Uint8Array.of(profile, level, formatByte, primaries, transfer, matrix, 0, 0)
}

/**
 * The content of `av1C` (AV1 in ISOBMFF §2.3.3) from `av01.P.LLT.DD[.M.CCC…]` and the sequence header OBU. Without the
 * optional fields the chroma format is the one that the profile implies. Undefined where the string is none.
 */
export function av1Configuration(codecString: string, sequenceHeader: Uint8Array | undefined): Uint8Array | undefined {
  const match = /^av01\.([0-2])\.(\d\d)([MH])\.(08|10|12)(?:\.([01])\.([01])([01])([0-3]))?/.exec(codecString)
  if (match === null) return undefined
  const [, profileText, level, tier, bitDepth, mono, x, y, position] = match
  const profile = Number(profileText)
  const [impliedX, impliedY] = profile === 1 ? [0, 0] : profile === 2 && bitDepth !== '12' ? [1, 0] : [1, 1]
  const flags =
    (tier === 'H' ? 0x80 : 0) |
    (bitDepth === '08' ? 0 : 0x40) |
    (bitDepth === '12' ? 0x20 : 0) |
    (Number(mono ?? 0) << 4) |
    (Number(x ?? impliedX) << 3) |
    (Number(y ?? impliedY) << 2) |
    Number(position ?? 0)
  return Uint8Array.of(0x81, (profile << 5) | Number(level), flags, 0, ...(sequenceHeader ?? []))
}

/**
 * The content of `dOps` (Encapsulation of Opus in ISO Base Media File Format §4.3.2): one or two channels. The pre-skip
 * is 0: the packets come from the middle of a call, where the decoder's run-up is long past; any other value would be
 * cut off the sound.
 */
export function opusConfiguration(channels: number): Uint8Array {
  const content = new Uint8Array(11)
  content[1] = channels
  new DataView(content.buffer).setUint32(4, 48_000)
  return content
}

/** The content of `esds` behind its version (ISO/IEC 14496-1 §7.2.6.5, 14496-14 §5.6): AAC with its AudioSpecificConfig. */
export function aacConfiguration(audioSpecificConfig: Uint8Array): Uint8Array {
  const decoder = Uint8Array.of(
    0x40, // MPEG-4 audio
    0x15, // audio stream
    ...new Array<number>(11).fill(0), // buffer size and bit rates: unknown
    ...descriptor(0x05, audioSpecificConfig),
  )
  return descriptor(0x03, Uint8Array.of(0, 0, 0, ...descriptor(0x04, decoder), ...descriptor(0x06, Uint8Array.of(2))))
}

/** Tag, length in four bytes as most writers have it, content. */
function descriptor(tag: number, content: Uint8Array): Uint8Array {
  const length = content.byteLength
  return Uint8Array.of(
    tag,
    0x80 | (length >>> 21),
    0x80 | (length >>> 14),
    0x80 | (length >>> 7),
    length & 127,
    ...content,
  )
}
