import { RtpPacket, serializeRtpPacket } from '@rushes/rtp-depacketizer'

/** What a packet of the sender says of itself, in its payload. */
export interface PacketNote {
  readonly layer: number
  readonly picture: number
  readonly part: number
  readonly parts: number
  readonly keyframe: boolean
  /** Microseconds of the sender's clock at which the picture was taken. */
  readonly capturedUs: number
}

export interface SentPacket {
  readonly layer: string
  readonly packet: RtpPacket
  readonly atUs: number
}

const CLOCK_RATE = 90_000

/** A sender of VP8 in several layers, whose clocks have nothing to do with each other. */
export class SimulcastSender {
  readonly #layers: {
    readonly id: string
    readonly ssrc: number
    sequence: number
    readonly start: number
    picture: number
  }[]
  readonly wanted = new Set<string>()
  readonly #widths: readonly number[]

  constructor(seed: number, widths: readonly number[] = [160, 320, 640]) {
    this.#widths = widths
    this.#layers = widths.map((_, index) => ({
      id: `l${index}`,
      ssrc: 100 + index,
      sequence: (seed * 7919 + index * 30_011) & 0xffff,
      start: (seed * 104_729 + index * 1_299_709_111) % 2 ** 32,
      picture: 0,
    }))
  }

  /** One picture of a layer, taken at `capturedUs`. */
  picture(index: number, capturedUs: number): SentPacket[] {
    const layer = this.#layers[index]!
    const keyframe = layer.picture === 0 || this.wanted.delete(layer.id)
    const parts = keyframe ? 3 + index : 1 + (layer.picture % 3)
    const width = this.#widths[index]!
    const sent = Array.from({ length: parts }, (_, part): SentPacket => {
      const head =
        part > 0 ? [0] : keyframe ? [0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, width & 0xff, width >> 8, 90, 0] : [0x10, 0x11]
      const note = Buffer.from(
        JSON.stringify({ layer: index, picture: layer.picture, part, parts, keyframe, capturedUs }),
      )
      const payload = Buffer.concat([Buffer.from(head), note, Buffer.alloc(index * 100)])
      const packet = new RtpPacket()
      packet.read(
        serializeRtpPacket({
          payloadType: 96,
          sequenceNumber: layer.sequence++ & 0xffff,
          rtpTimestamp: this.timestamp(index, capturedUs),
          ssrc: layer.ssrc,
          marker: part === parts - 1,
          payload,
        }),
      )
      return { layer: layer.id, packet, atUs: capturedUs + 10_000 + part * 500 }
    })
    layer.picture++
    return sent
  }

  timestamp(index: number, capturedUs: number): number {
    return (this.#layers[index]!.start + Math.round((capturedUs * CLOCK_RATE) / 1_000_000)) % 2 ** 32
  }

  /** What a sender report of now says. */
  report(index: number, nowUs: number): { ssrc: number; ntpUs: number; rtpTimestamp: number } {
    return {
      ssrc: this.#layers[index]!.ssrc,
      ntpUs: 1_700_000_000_000_000 + nowUs,
      rtpTimestamp: this.timestamp(index, nowUs),
    }
  }
}

export function noteOf(packet: RtpPacket): PacketNote {
  const text = Buffer.from(packet.payload).toString('latin1')
  return JSON.parse(text.slice(text.indexOf('{'), text.indexOf('}') + 1)) as PacketNote
}
