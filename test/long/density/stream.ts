/** One participant as RTP: ten seconds of H264 (1.15 Mbit/s, 30/s) and Opus from real encoders, to be sent in a loop. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A packet and when it is due in the loop. */
export interface LoopPacket {
  readonly kind: 'video' | 'audio'
  readonly bytes: Buffer
  /** Microseconds from the start of the loop. */
  readonly atUs: number
  /** Ticks from the first packet of its kind. */
  readonly ticks: number
}

/** What is sent again and again. */
export interface Loop {
  readonly packets: readonly LoopPacket[]
  readonly lengthUs: number
}

const LOOP_SECONDS = 10
export const VIDEO = { payloadType: 96, clockRate: 90_000 }
export const AUDIO = { payloadType: 111, clockRate: 48_000 }

/** Encodes the loop. Needs GStreamer. */
export function encodeLoop(): Loop {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-density-'))
  try {
    const file = (name: string): string => join(dir, name)
    const pipeline = [
      `videotestsrc num-buffers=${LOOP_SECONDS * 30} pattern=ball ! video/x-raw,width=1280,height=720,framerate=30/1 ! identity ! x264enc`,
      `speed-preset=veryfast tune=zerolatency aud=false bitrate=1150 vbv-buf-capacity=500 key-int-max=60 threads=1 sliced-threads=false option-string=nal-hrd=cbr !`,
      `h264parse ! rtph264pay pt=${VIDEO.payloadType} mtu=1200 config-interval=-1 aggregate-mode=zero-latency ! rtpstreampay ! filesink buffer-mode=unbuffered location=${file('video')}`,
      `audiotestsrc num-buffers=${LOOP_SECONDS * 50} samplesperbuffer=960 wave=pink-noise volume=0.1 ! audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=48000`,
      `! rtpopuspay pt=${AUDIO.payloadType} ! rtpstreampay ! filesink buffer-mode=unbuffered location=${file('audio')}`,
    ].join(' ')
    const made = spawnSync('gst-launch-1.0', ['-q', ...pipeline.split(' ')], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`GStreamer: ${made.stderr}`)
    const packets = [
      ...timed('video', readFileSync(file('video')), VIDEO.clockRate),
      ...evenly(timed('audio', readFileSync(file('audio')), AUDIO.clockRate)),
    ]
    packets.sort((a, b) => a.atUs - b.atUs)
    return { packets, lengthUs: LOOP_SECONDS * 1_000_000 }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/**
 * GStreamer gives the second packet a time that leaves out the encoder's delay, and one more at the end: each round of the
 * loop would begin with a sound that is out of time.
 */
function evenly(packets: readonly LoopPacket[]): LoopPacket[] {
  return packets.slice(0, LOOP_SECONDS * 50).map((packet, index) => {
    return { ...packet, ticks: index * 960, atUs: index * 20_000 }
  })
}

/** Packets of a picture leave one after the other over some milliseconds, as a pacer sends them. */
function timed(kind: LoopPacket['kind'], framed: Buffer, clockRate: number): LoopPacket[] {
  const packets: LoopPacket[] = []
  let first: number | undefined
  let sameTime = 0
  for (let at = 0; at + 2 <= framed.length; at += 2 + framed.readUInt16BE(at)) {
    const bytes = Buffer.from(framed.subarray(at + 2, at + 2 + framed.readUInt16BE(at)))
    const timestamp = bytes.readUInt32BE(4)
    first ??= timestamp
    const ticks = (timestamp - first) >>> 0
    sameTime = packets.at(-1)?.ticks === ticks ? sameTime + 1 : 0
    packets.push({ kind, bytes, ticks, atUs: Math.round((ticks * 1_000_000) / clockRate) + sameTime * 1000 })
  }
  return packets
}
