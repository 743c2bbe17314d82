import { readFileSync } from 'node:fs'

/** The RTP packets of a real capture, in the order of their arrival, each in memory of its own. */
export function fixturePackets(path: string): Uint8Array[] {
  const file = readFileSync(new URL(`../../../test/fixtures/${path}`, import.meta.url))
  const packets: Uint8Array[] = []
  for (let offset = file.indexOf(0x0a) + 17; offset < file.length; offset += file.readUInt16BE(offset)) {
    // RTCP says 0.
    if (file.readUInt16BE(offset + 2) === 0) continue
    packets.push(new Uint8Array(file.subarray(offset + 8, offset + file.readUInt16BE(offset))))
  }
  return packets
}
