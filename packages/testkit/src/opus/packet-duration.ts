/** Samples at 48 kHz of one frame, by the config number of the TOC byte (RFC 6716 §3.1, Table 2). */
function frameSamples(config: number): number {
  if (config < 12) return [480, 960, 1920, 2880][config & 3] as number
  if (config < 16) return [480, 960][config & 1] as number
  return [120, 240, 480, 960][config & 3] as number
}

/** Samples at 48 kHz of an Opus packet, from its first bytes; 0 where it is empty or says 0 frames. */
export function opusPacketSamples(packet: Uint8Array): number {
  const toc = packet[0]
  if (toc === undefined) return 0
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 63
  return frames * frameSamples(toc >> 3)
}
