import { RtcpPacketConverter, RtcpTransportLayerFeedback, RunLengthChunk, TransportWideCC } from 'werift'

/** Feedback as somebody else takes it apart: when each packet arrived, NaN for those that did not. */
export function readFeedback(bytes: Uint8Array): ReadonlyMap<number, number> {
  const [packet] = RtcpPacketConverter.deSerialize(Buffer.from(bytes))
  if (!(packet instanceof RtcpTransportLayerFeedback) || !(packet.feedback instanceof TransportWideCC)) {
    throw new Error('it is no feedback')
  }
  const { baseSequenceNumber, packetStatusCount, referenceTime, packetChunks, recvDeltas } = packet.feedback
  const symbols = packetChunks.flatMap((chunk): number[] =>
    chunk instanceof RunLengthChunk
      ? new Array<number>(chunk.runLength).fill(chunk.packetStatus)
      : [...chunk.symbolList],
  )
  const arrivals = new Map<number, number>()
  let timeUs = referenceTime * 64_000
  let delta = 0
  for (let i = 0; i < packetStatusCount; i++) {
    const isReceived = symbols[i] !== 0
    if (isReceived) timeUs += recvDeltas[delta++]!.delta
    arrivals.set((baseSequenceNumber + i) & 0xffff, isReceived ? timeUs : Number.NaN)
  }
  if (delta !== recvDeltas.length) throw new Error(`${recvDeltas.length} deltas for ${delta} packets`)
  return arrivals
}
