import muxJs from 'mux.js'

/** One PES packet as mux.js reads it. */
export interface MuxJsPes {
  readonly type: 'video' | 'audio'
  readonly trackId: number
  readonly data: Uint8Array
  /** 33 bits. */
  readonly pts: number
  /** 33 bits; equal to `pts` where the packet has none. */
  readonly dts: number
  readonly packetLength: number
  readonly dataAlignmentIndicator: boolean
}

/** The PES packets of the first video and the first audio stream, in the order in which they end. */
export function demuxWithMuxJs(bytes: Uint8Array): MuxJsPes[] {
  const packets = new muxJs.mp2t.TransportPacketStream()
  const elementary = new muxJs.mp2t.ElementaryStream()
  packets.pipe(new muxJs.mp2t.TransportParseStream()).pipe(elementary)
  const found: MuxJsPes[] = []
  elementary.on('data', (data) => {
    if (data.type === 'video' || data.type === 'audio') found.push(data as MuxJsPes)
  })
  packets.push(bytes)
  packets.flush()
  return found
}
