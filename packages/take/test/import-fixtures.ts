import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export function capturePath(name: string): string {
  return fileURLToPath(new URL(`captures/${name}`, import.meta.url))
}

export function captureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(capturePath(name)))
}

/** Frames of a classic pcap file of microseconds and little-endian, read in the plainest way. */
export function plainFrames(bytes: Uint8Array): { readonly timestampUs: number; readonly data: Uint8Array }[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: { readonly timestampUs: number; readonly data: Uint8Array }[] = []
  for (let at = 24; at < buffer.length; at += 16 + buffer.readUInt32LE(at + 8)) {
    const timestampUs = buffer.readUInt32LE(at) * 1_000_000 + buffer.readUInt32LE(at + 4)
    frames.push({ timestampUs, data: new Uint8Array(buffer.subarray(at + 16, at + 16 + buffer.readUInt32LE(at + 8))) })
  }
  return frames
}

export interface PcapWriting {
  readonly bigEndian?: boolean
  readonly nanoseconds?: boolean
  readonly linkType?: number
}

/** A classic pcap file. */
export function writePcap(
  frames: readonly { readonly timestampUs: number; readonly data: Uint8Array }[],
  { bigEndian = false, nanoseconds = false, linkType = 1 }: PcapWriting = {},
): Uint8Array {
  const words = (values: readonly number[]): Buffer => {
    const buffer = Buffer.alloc(values.length * 4)
    for (const [index, value] of values.entries()) {
      if (bigEndian) buffer.writeUInt32BE(value, index * 4)
      else buffer.writeUInt32LE(value, index * 4)
    }
    return buffer
  }
  const magic = nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4
  const version = bigEndian ? 0x0002_0004 : 0x0004_0002
  const parts: Uint8Array[] = [words([magic, version, 0, 0, 262_144, linkType])]
  for (const { timestampUs, data } of frames) {
    const fraction = (timestampUs % 1_000_000) * (nanoseconds ? 1000 : 1)
    parts.push(words([Math.floor(timestampUs / 1_000_000), fraction, data.length, data.length]), data)
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** An Ethernet frame with a UDP datagram over IPv4. */
export function udpFrame(
  payload: Uint8Array,
  ports: readonly [number, number] = [6000, 5000],
  hosts: readonly [number, number] = [1, 2],
): Uint8Array {
  const frame = Buffer.alloc(42 + payload.length)
  frame.writeUInt16BE(0x0800, 12)
  frame[14] = 0x45
  frame.writeUInt16BE(28 + payload.length, 16)
  frame[23] = 17
  frame.set([10, 0, 0, hosts[0], 10, 0, 0, hosts[1]], 26)
  frame.writeUInt16BE(ports[0], 34)
  frame.writeUInt16BE(ports[1], 36)
  frame.writeUInt16BE(8 + payload.length, 38)
  frame.set(payload, 42)
  return new Uint8Array(frame)
}

/** Records of an MJR00002 file, read in the plainest way. */
export function plainMjr(bytes: Uint8Array): { info: string; records: { timeMs: number; data: Uint8Array }[] } {
  const buffer = Buffer.from(bytes)
  const infoEnd = 10 + buffer.readUInt16BE(8)
  const records: { timeMs: number; data: Uint8Array }[] = []
  for (let at = infoEnd; at < buffer.length; at += 10 + buffer.readUInt16BE(at + 8)) {
    records.push({
      timeMs: buffer.readUInt32BE(at + 4),
      data: bytes.slice(at + 10, at + 10 + buffer.readUInt16BE(at + 8)),
    })
  }
  return { info: buffer.subarray(10, infoEnd).toString(), records }
}

/** A Janus recording in one of its formats; 0 is the first one, whose header is just a word. */
export function writeMjr(
  format: 0 | 1 | 2,
  info: string,
  records: readonly { readonly timeMs: number; readonly data: Uint8Array }[],
): Uint8Array {
  const record = (prefix: string, data: Uint8Array, timeMs?: number): Uint8Array => {
    const buffer = Buffer.alloc(10 + data.length)
    buffer.write(prefix, 'latin1')
    if (timeMs !== undefined) buffer.writeUInt32BE(timeMs, 4)
    buffer.writeUInt16BE(data.length, 8)
    buffer.set(data, 10)
    return buffer
  }
  const header = format === 0 ? 'MEETECHO' : `MJR0000${format}`
  const frames = records.map(({ timeMs, data }) =>
    format === 2 ? record('MEET', data, timeMs) : record('MEETECHO', data),
  )
  return new Uint8Array(Buffer.concat([record(header, Buffer.from(info)), ...frames]))
}
