import { Application, createEncoder, type EncoderOptions, Signal } from 'libopus-wasm'

/** Opus as calls send it, packets of 20 ms: hybrid or SILK for voices, unless `options` say otherwise. */
export async function voipOpus(plane: Float32Array, options: EncoderOptions = {}): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    channels: 1,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: 24_000,
    ...options,
  })
  const size = encoder.frameSize * encoder.channels
  const packets: Uint8Array[] = []
  for (let start = 0; start + size <= plane.length; start += size) {
    packets.push(encoder.encodeFloat(plane.slice(start, start + size)))
  }
  encoder.free()
  return packets
}
