import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ObuType, parseObuHeader, readLeb128 } from '@rushes/bitstream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Av1Depacketizer, Vp8Depacketizer, Vp9Depacketizer } from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import { av1Payloads, packetize } from './frame-stream.js'
import { decode, ivf } from './ivf.js'

/** Encoders and payloaders that are no browser's: hidden frames, no markers of layers, 7-bit picture ids or none. */

const hasTools = ['gst-launch-1.0', 'ffmpeg'].every((tool) => spawnSync(tool, ['--version']).error === undefined)
const PICTURES = 45

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtp-depacketizer-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function launch(description: string): void {
  const { status, stderr } = spawnSync('gst-launch-1.0', ['-q', ...description.split(/\s+/)], { timeout: 60_000 })
  expect({ status, stderr: stderr.toString() }).toMatchObject({ status: 0 })
}

/** Packets behind their lengths (RFC 4571), as rtpstreampay writes them. */
function readPackets(path: string): Uint8Array[] {
  const file = readFileSync(path)
  const packets: Uint8Array[] = []
  for (let offset = 0; offset < file.length; offset += 2 + file.readUInt16BE(offset)) {
    packets.push(file.subarray(offset + 2, offset + 2 + file.readUInt16BE(offset)))
  }
  return packets
}

describe.skipIf(!hasTools && !process.env['CI'])('encoders', () => {
  test.each([
    ['VP8', 'vp8', 'vp8enc deadline=1 keyframe-max-dist=15', 'rtpvp8pay mtu=400', 3],
    [
      'VP8 with picture ids of 7 bits',
      'vp8',
      'vp8enc deadline=1 keyframe-max-dist=15',
      'rtpvp8pay picture-id-mode=1',
      3,
    ],
    [
      'VP8 with hidden frames and picture ids of 15 bits',
      'vp8',
      'vp8enc deadline=1 lag-in-frames=10 auto-alt-ref=true keyframe-max-dist=30',
      'rtpvp8pay picture-id-mode=2 mtu=700',
      2,
    ],
    ['VP9', 'vp9', 'vp9enc deadline=1 keyframe-max-dist=15', 'rtpvp9pay mtu=400', 3],
    [
      'VP9 with hidden frames',
      'vp9',
      'vp9enc deadline=1 lag-in-frames=10 auto-alt-ref=true keyframe-max-dist=30',
      'rtpvp9pay picture-id-mode=2',
      2,
    ],
  ] as const)('%s from GStreamer: the pictures that the encoder made', (_, codec, encoder, payloader, keyframes) => {
    const [direct, sent] = [join(folder, 'direct.webm'), join(folder, 'sent.rtp')]
    launch(
      `videotestsrc num-buffers=${PICTURES} ! video/x-raw,format=I420,width=320,height=240,framerate=30/1
       ! ${encoder} ! tee name=t
       t. ! queue ! webmmux ! filesink location=${direct} t. ! queue ! ${payloader} ! rtpstreampay ! filesink location=${sent}`,
    )
    const track = { id: 'camera', kind: 'video', codec, clockRate: 90_000 } as const
    const depacketizer = codec === 'vp8' ? new Vp8Depacketizer(track) : new Vp9Depacketizer(track)
    const units = accessUnitsOf(collect(depacketizer, readPackets(sent)))
    expect(depacketizer.stats).toMatchObject({ keyframes, lost: 0, epochs: 1 })
    const { droppedUnits, malformed } = depacketizer.stats
    expect([...Object.values(droppedUnits), ...Object.values(malformed)].every((count) => count === 0)).toBe(true)
    expect(units[0]!.configuration).toMatchObject({ codec, width: 320, height: 240 })
    const result = decode(ivf(codec, units))
    const expected = decode(readFileSync(direct))
    expect(result.messages).toBe('')
    expect(expected.pictures).toHaveLength(PICTURES)
    expect(result.pictures).toEqual(expected.pictures)
  })

  test.each(['libaom-av1', 'libsvtav1'])('AV1 from %s: the pictures that the encoder made', (encoder) => {
    const path = join(folder, `${encoder}.ivf`)
    const speed = encoder === 'libaom-av1' ? ['-cpu-used', '8', '-usage', 'realtime'] : ['-preset', '12']
    const args = [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=320x240:r=30',
      '-frames:v',
      '30',
      '-pix_fmt',
      'yuv420p',
    ]
    const { status } = spawnSync('ffmpeg', [...args, '-c:v', encoder, ...speed, '-g', '10', path], { timeout: 60_000 })
    expect(status).toBe(0)
    const file = readFileSync(path)
    const pictures = []
    for (let offset = 32; offset < file.length; ) {
      const length = file.readUInt32LE(offset)
      const temporalUnit = file.subarray(offset + 12, offset + 12 + length)
      const obus = splitObus(temporalUnit)
      pictures.push({
        rtpTimestamp: pictures.length * 3000,
        payloads: av1Payloads(obus, 500, pictures.length % 2 === 0),
      })
      offset += 12 + length
    }
    const packets = packetize(pictures).map(({ bytes }) => bytes)
    const depacketizer = new Av1Depacketizer({ id: 'camera', kind: 'video', codec: 'av1', clockRate: 90_000 })
    const units = accessUnitsOf(collect(depacketizer, packets))
    expect(units).toHaveLength(pictures.length)
    expect(units[0]!.configuration).toMatchObject({ width: 320, height: 240 })
    expect(units[0]!.configuration!.codecString).toMatch(/^av01\.0\.\d\dM\.08$/)
    expect(depacketizer.stats).toMatchObject({ accessUnits: pictures.length, lost: 0 })
    const result = decode(ivf('av1', units))
    expect(result.messages).toBe('')
    expect(result.pictures).toEqual(decode(file).pictures)
    expect(result.pictures).toHaveLength(30)
  })
})

/** The OBUs of a temporal unit without size fields, its delimiter left out, as a payloader sends them. */
function splitObus(temporalUnit: Uint8Array): Uint8Array[] {
  const obus: Uint8Array[] = []
  for (let offset = 0; offset < temporalUnit.byteLength; ) {
    const { headerBytes, type } = parseObuHeader(temporalUnit.subarray(offset))
    const size = readLeb128(temporalUnit, offset + headerBytes)
    const start = offset + headerBytes + size.bytes
    const header = Uint8Array.from(temporalUnit.subarray(offset, offset + headerBytes))
    header[0]! &= ~2
    if (type !== ObuType.temporalDelimiter)
      obus.push(Buffer.concat([header, temporalUnit.subarray(start, start + size.value)]))
    offset = start + size.value
  }
  return obus
}
