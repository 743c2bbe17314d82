import { type IngestMedia, parseSdp, RtpSession } from '@rushes/ingest'
import { isRtcp, parseRtcpCompound } from '@rushes/rtp-depacketizer'
import { capturedSequences } from '../capture-seeds.js'
import { check, type FuzzTarget } from '../fuzz-target.js'
import { mutateSequence } from '../mutators/sequence.js'
import { DELAYS_US, decodeSequence, withoutPackets } from '../packet-sequence.js'
import { lossySequences, repairedSequences } from '../repair-seeds.js'
import { SESSION_DESCRIPTIONS } from '../sdp-seeds.js'

/** A session of plain RTP as a socket feeds it, with its clock. */
export const sessionTarget: FuzzTarget = {
  name: 'rtp-session',
  weight: 5,
  seeds: () => [...repairedSequences(), ...lossySequences(), ...capturedSequences('rejoin/bob-video', 3)],
  mutate: mutateSequence,
  withoutParts: withoutPackets,
  run: runSession,
}

/** What a session does to its surroundings. */
export class SessionWatch {
  tracks = 0
  open = 0
  written = 0
  sent = 0

  readonly target = {
    addTrack: () => {
      this.tracks++
      this.open++
      let ended = false
      return {
        id: `track-${this.tracks}`,
        write: (bytes: Uint8Array): boolean => {
          check(!ended, 'nothing is written after the end')
          check(bytes.byteLength >= 4, 'packets are written')
          this.written++
          return this.written % 7 !== 0
        },
        end: () => {
          check(!ended, 'a track ends once')
          ended = true
          this.open--
        },
      }
    },
  }

  readonly send = (bytes: Uint8Array): void => {
    this.sent++
    check(!parseRtcpCompound(bytes).damaged && bytes.byteLength % 4 === 0, 'what is sent can be read')
  }
}

/** A session with all that it needs. */
export function openSession(media: readonly IngestMedia[], watch: SessionWatch): RtpSession {
  return new RtpSession({
    media,
    participantId: 'alice',
    target: watch.target,
    ssrc: 0x1234,
    cname: 'receiver',
    random: () => 0.5,
    send: watch.send,
    onEvent: () => {},
    sourceTimeoutUs: 10_000_000,
    maxBitrateBps: 2_000_000,
  })
}

/** Ticks for one input: a session that waits for an hour would do nothing else. */
const MAX_TICKS = 300

let sessionMedia: (readonly IngestMedia[])[] | undefined

function runSession(input: Uint8Array): void {
  const { options, packets } = decodeSequence(input)
  const watch = new SessionWatch()
  sessionMedia ??= SESSION_DESCRIPTIONS.map((text) => parseSdp(text).media)
  const session = openSession(sessionMedia[options % sessionMedia.length] ?? [], watch)
  if ((options & 128) !== 0) session.announce()
  let nowUs = 0
  let received = 0
  let damaged = 0
  let ticks = 0
  for (const { delay, bytes } of packets) {
    nowUs += DELAYS_US[delay]!
    for (; ticks < MAX_TICKS; ticks++) {
      const deadlineUs = session.nextDeadline()
      if (deadlineUs === undefined || deadlineUs > nowUs) break
      session.tick(deadlineUs)
      const nextUs = session.nextDeadline()
      check(nextUs === undefined || nextUs > deadlineUs, 'a tick does what was due')
    }
    if (bytes.byteLength === 0) {
      session.tick(nowUs)
      session.requestKeyframe()
      continue
    }
    received++
    if (bytes.byteLength >= 4 && isRtcp(bytes)) damaged += parseRtcpCompound(bytes).damaged ? 1 : 0
    session.receive(bytes, nowUs)
    check(watch.open <= 8, 'tracks stay few')
  }
  const { stats } = session
  check(stats.packets + stats.rtcpPackets + stats.malformed - damaged === received, 'everything received is counted')
  session.close()
  check(watch.open === 0, 'a close ends every track')
}
