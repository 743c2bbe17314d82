import { RtpPacket } from '@rushes/rtp-depacketizer'
import { mutableExtensionIds, protectedCopy } from '../repair/mutable-extensions.js'
import { NackGenerator, type NackOptions } from '../repair/nack-generator.js'
import { emptyPacket, parseRed, primaryOf, type RedBlock } from '../repair/red.js'
import { RedRestorer } from '../repair/red-restorer.js'
import { originalSequenceNumber, unwrapRtx } from '../repair/rtx.js'
import { UlpfecDecoder } from '../repair/ulpfec.js'
import { ReceptionStatistics } from '../rtcp/reception-statistics.js'
import type { IngestMedia } from '../sdp/ingest-description.js'
import { SequenceHistory } from './sequence-history.js'

/** Takes a packet of media, as the sender's encoder made it. */
export type EmitMedia = (bytes: Uint8Array, arrivalUs: number) => void

/**
 * One SSRC with everything that repairs it: counts it for reports, asks for what is missing, undoes retransmission,
 * redundancy and parity. What comes out are plain packets of media, each once, in the order in which they came to be
 * there.
 */
export class RtpSource {
  readonly ssrc: number
  readonly statistics: ReceptionStatistics
  readonly nack: NackGenerator | undefined
  /** Simulcast: the layer that it sends. */
  layer: string | undefined
  /** Where its media goes. */
  emit: EmitMedia = () => {}
  lastPacketUs: number = Number.NEGATIVE_INFINITY
  packets = 0
  bytes = 0
  duplicates = 0
  malformed = 0
  readonly recovered = { rtx: 0, red: 0, fec: 0 }
  readonly #media: IngestMedia
  readonly #history = new SequenceHistory()
  readonly #mutableIds: ReadonlySet<number>
  readonly #mediaType: number
  #red: RedRestorer | undefined
  #fec: UlpfecDecoder | undefined
  readonly #scratch = new RtpPacket()

  /** `nack` undefined: nothing is asked for. */
  constructor(ssrc: number, media: IngestMedia, clockRate: number, nack: NackOptions | undefined) {
    this.ssrc = ssrc
    this.#media = media
    this.statistics = new ReceptionStatistics(ssrc, clockRate)
    this.nack = nack === undefined ? undefined : new NackGenerator(nack)
    this.#mutableIds = mutableExtensionIds(media.headerExtensions)
    this.#mediaType = media.formats[0]?.payloadType ?? 0
    this.#startRepair()
  }

  /** Redundant blocks that could not be placed, for statistics. */
  get ambiguousRedundancy(): number {
    return this.#red?.stats.ambiguous ?? 0
  }

  /** Takes a packet of the source itself. */
  push(packet: RtpPacket, arrivalUs: number): void {
    this.packets++
    this.bytes += packet.bytes.byteLength
    this.lastPacketUs = arrivalUs
    if (!this.statistics.packet(packet.sequenceNumber, packet.rtpTimestamp, arrivalUs)) {
      this.nack?.reset()
      this.#startRepair()
    }
    this.#accept(packet, arrivalUs, this.emit)
  }

  /** Takes a retransmission (RFC 4588) that belongs to the source. */
  retransmission(packet: RtpPacket, payloadType: number, arrivalUs: number): void {
    const osn = originalSequenceNumber(packet)
    // Padding, with which a sender probes for bandwidth.
    if (osn < 0) return
    if (this.#history.has(osn)) {
      this.duplicates++
      return
    }
    const original = this.#scratch
    if (original.read(unwrapRtx(packet, this.ssrc, payloadType)) !== undefined) {
      this.malformed++
      return
    }
    this.recovered.rtx++
    this.#accept(original, arrivalUs, this.emit)
  }

  #startRepair(): void {
    const { red, ulpfec, kind } = this.#media
    if (kind === 'audio' && red.length > 0) this.#red = new RedRestorer()
    if (ulpfec.length > 0) this.#fec = new UlpfecDecoder(this.ssrc)
  }

  #accept(packet: RtpPacket, arrivalUs: number, emit: EmitMedia): void {
    this.nack?.received(packet.sequenceNumber, arrivalUs)
    if (!this.#history.add(packet.sequenceNumber, packet.rtpTimestamp)) {
      this.duplicates++
      return
    }
    const { payloadType } = packet
    if (this.#media.red.includes(payloadType)) this.#acceptRed(packet, arrivalUs, emit)
    else if (this.#media.ulpfec.includes(payloadType)) {
      this.#acceptFec(packet, packet.payloadOffset, packet.payloadEnd, arrivalUs, emit)
    } else this.#deliver(packet.bytes, packet.sequenceNumber, packet.rtpTimestamp, arrivalUs, emit)
  }

  #acceptRed(packet: RtpPacket, arrivalUs: number, emit: EmitMedia): void {
    const { sequenceNumber, rtpTimestamp } = packet
    if (packet.payloadOffset >= packet.payloadEnd) {
      this.#deliver(emptyPacket(packet, this.#mediaType), sequenceNumber, rtpTimestamp, arrivalUs, emit)
      return
    }
    const blocks = parseRed(packet)
    const primary = blocks?.at(-1)
    if (blocks === undefined || primary === undefined) {
      this.malformed++
      return
    }
    if (this.#media.ulpfec.includes(primary.payloadType)) {
      this.#acceptFec(packet, primary.start, primary.end, arrivalUs, emit)
      return
    }
    if (blocks.length > 1) this.#restore(packet, blocks, arrivalUs, emit)
    this.#deliver(primaryOf(packet, primary), sequenceNumber, rtpTimestamp, arrivalUs, emit)
  }

  #restore(packet: RtpPacket, blocks: readonly RedBlock[], arrivalUs: number, emit: EmitMedia): void {
    this.#red?.received(packet.sequenceNumber, packet.rtpTimestamp)
    this.#red?.restore(packet, blocks, (bytes) => {
      if (this.#isNew(bytes, arrivalUs)) {
        this.recovered.red++
        emit(bytes, arrivalUs)
      }
    })
  }

  #acceptFec(packet: RtpPacket, start: number, end: number, arrivalUs: number, emit: EmitMedia): void {
    // It has used up a sequence number of the media.
    emit(emptyPacket(packet, this.#mediaType), arrivalUs)
    // What the parity packet says is needed for as long as it waits, and its packet is not passed on.
    this.#fec?.fec(packet.bytes.subarray(start, end), (bytes) => this.#recovered(bytes, arrivalUs, emit))
  }

  #deliver(bytes: Uint8Array, sequenceNumber: number, rtpTimestamp: number, arrivalUs: number, emit: EmitMedia): void {
    this.#red?.received(sequenceNumber, rtpTimestamp)
    const fec = this.#fec
    const kept = fec === undefined ? undefined : protectedCopy(bytes, this.#mutableIds)
    emit(bytes, arrivalUs)
    if (kept !== undefined) fec?.media(sequenceNumber, kept, (found) => this.#recovered(found, arrivalUs, emit))
  }

  #recovered(bytes: Uint8Array, arrivalUs: number, emit: EmitMedia): void {
    if (!this.#isNew(bytes, arrivalUs)) return
    this.recovered.fec++
    emit(bytes, arrivalUs)
  }

  #isNew(bytes: Uint8Array, arrivalUs: number): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const sequenceNumber = view.getUint16(2)
    this.nack?.received(sequenceNumber, arrivalUs)
    return this.#history.add(sequenceNumber, view.getUint32(4))
  }
}
