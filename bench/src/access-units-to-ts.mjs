import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { joinAnnexB, NalUnitType, nalUnitTypeOf } from '@rushes/bitstream'
import { TsMuxer } from '@rushes/h264-ts-muxer'
import { EncodedPacket, EncodedVideoPacketSource, MpegTsOutputFormat, NullTarget, Output } from 'mediabunny'
import { hasTool, timeWithoutStartUp } from './foreign-process.mjs'
import { stopwatch } from './stopwatch.mjs'

// Each contender is given what it takes most readily, made beforehand and not timed: Rushes the NAL units in the pieces
// in which packets bring them, mediabunny one Annex B buffer per picture, ffmpeg an MP4 to copy from.

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 }
const PIECE_BYTES = 1198
const FRAMES_IN_A_SECOND = 30

/** TsMuxer on samples in pieces. */
export function accessUnitsToRushes({ accessUnits, configuration }) {
  const samples = accessUnits.map((unit, i) => sampleOf(unit, i === 0 ? configuration : undefined))
  return () => {
    const elapsed = stopwatch()
    const muxer = new TsMuxer([camera])
    let bytes = 0
    const onBytes = (chunk) => {
      bytes += chunk.byteLength
    }
    for (const sample of samples) muxer.push(sample, onBytes)
    muxer.flush(onBytes)
    const times = elapsed()
    if (muxer.stats.samples !== samples.length || bytes !== muxer.stats.bytes) throw new Error('a picture is missing')
    return times
  }
}

/** mediabunny's MpegTsOutputFormat into nothing, awaited as its documentation asks. */
export function accessUnitsToMediabunny({ accessUnits, configuration }) {
  const { codecString, width, height } = configuration
  const meta = { decoderConfig: { codec: codecString, codedWidth: width, codedHeight: height } }
  const packets = accessUnits.map(({ nalUnits, time90k }) => {
    const type = isKeyframe(nalUnits) ? 'key' : 'delta'
    return new EncodedPacket(joinAnnexB(nalUnits), type, time90k / 90_000, 1 / FRAMES_IN_A_SECOND)
  })
  return async () => {
    const elapsed = stopwatch()
    const output = new Output({ format: new MpegTsOutputFormat(), target: new NullTarget() })
    const source = new EncodedVideoPacketSource('avc')
    output.addVideoTrack(source)
    await output.start()
    for (const [i, packet] of packets.entries()) await source.add(packet, i === 0 ? meta : undefined)
    await output.finalize()
    return elapsed()
  }
}

/** ffmpeg, copying from MP4; `undefined` where it is not installed. */
export function accessUnitsToFfmpeg(dir, { accessUnits }) {
  if (!hasTool('ffmpeg')) return undefined
  const whole = toMp4(dir, 'whole', accessUnits)
  const tiny = toMp4(dir, 'tiny', accessUnits.slice(0, FRAMES_IN_A_SECOND))
  return { run: () => timeWithoutStartUp('ffmpeg', remux, whole, tiny), close() {} }
}

function isKeyframe(nalUnits) {
  return nalUnits.some((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.idrSlice)
}

function sampleOf({ nalUnits, time90k }, configuration) {
  const pieces = nalUnits.map((nalUnit) => {
    const parts = []
    for (let at = 0; at < nalUnit.byteLength; at += PIECE_BYTES) {
      parts.push(copyOf(nalUnit.subarray(at, at + PIECE_BYTES)))
    }
    return parts
  })
  const times = { pts: time90k, dts: time90k, keyframe: isKeyframe(nalUnits) }
  return {
    type: 'sample',
    trackId: camera.id,
    data: nalUnits,
    pieces,
    ...times,
    ...(configuration && { configuration }),
  }
}

/** In memory of its own, as a datagram is. */
function copyOf(bytes) {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength)
  copy.set(bytes)
  return copy
}

function toMp4(dir, name, accessUnits) {
  const stream = join(dir, `${name}.h264`)
  const file = join(dir, `${name}.mp4`)
  writeFileSync(stream, joinAnnexB(accessUnits.flatMap(({ nalUnits }) => nalUnits)))
  const input = ['-framerate', String(FRAMES_IN_A_SECOND), '-f', 'h264', '-i', stream]
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, '-c', 'copy', file])
  return file
}

function remux(file) {
  return ['-v', 'error', '-y', '-i', file, '-c', 'copy', '-f', 'mpegts', '/dev/null']
}
