import { parseRtcpCompound, type RtcpCompound, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { type IngestEvent, parseSdp, RtpSession, type RtpSessionOptions } from '../../src/index.js'
import { memoryTarget } from '../memory-target.js'

export const ms = (value: number): number => value * 1000

/** A session on an SDP, with everything that comes out of it. */
export function openSession(sdpLines: readonly string[], options: Partial<RtpSessionOptions> = {}) {
  const { media } = parseSdp(['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 't=0 0', ...sdpLines].join('\r\n'))
  const target = memoryTarget()
  const events: IngestEvent[] = []
  const sent: Uint8Array[] = []
  const session = new RtpSession({
    media,
    participantId: 'alice',
    target,
    ssrc: 0x1234,
    cname: 'receiver',
    random: () => 0.5,
    send: (bytes) => sent.push(bytes),
    onEvent: (event) => events.push(event),
    sourceTimeoutUs: ms(10_000),
    ...options,
  })
  return {
    session,
    target,
    events,
    sent,
    /** RTCP sent since the last look. */
    takeSent: (): RtcpCompound[] => sent.splice(0).map(parseRtcpCompound),
    rtp(
      fields: {
        readonly sequenceNumber: number
        readonly ssrc?: number
        readonly payloadType?: number
        readonly rtpTimestamp?: number
        readonly payload?: Uint8Array
        readonly marker?: boolean
        readonly headerExtensions?: readonly { readonly id: number; readonly data: Uint8Array }[]
      },
      atUs: number,
    ): boolean {
      const { sequenceNumber } = fields
      const defaults = {
        ssrc: 1111,
        payloadType: 96,
        rtpTimestamp: sequenceNumber * 3000,
        payload: Uint8Array.of(0x61, 1, 2),
      }
      return session.receive(Buffer.from(serializeRtpPacket({ ...defaults, ...fields })), atUs)
    },
    /** Ticks as a timer would. */
    runTo(untilUs: number): void {
      for (
        let deadline = session.nextDeadline();
        deadline !== undefined && deadline <= untilUs;
        deadline = session.nextDeadline()
      ) {
        session.tick(deadline)
      }
    },
  }
}

/** A sender report, alone or with BYE. */
export function senderReport(
  ssrc: number,
  options: { readonly ntpSeconds?: number; readonly bye?: boolean } = {},
): Uint8Array {
  const report = Buffer.alloc(28)
  report.writeUInt32BE(0x80c8_0006, 0)
  report.writeUInt32BE(ssrc, 4)
  report.writeUInt32BE(options.ntpSeconds ?? 0xe000_0000, 8)
  report.writeUInt32BE(0x8000_0000, 12)
  report.writeUInt32BE(90_000, 16)
  if (options.bye !== true) return report
  const bye = Buffer.alloc(8)
  bye.writeUInt32BE(0x81cb_0001, 0)
  bye.writeUInt32BE(ssrc, 4)
  return Buffer.concat([report, bye])
}
