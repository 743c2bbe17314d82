import { spawnSync } from 'node:child_process'
import { joinAnnexB } from '@rushes/bitstream'
import type { AccessUnit } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { H264Depacketizer, OpusDepacketizer } from '../src/index.js'
import { accessUnitsOf, audioFramesOf, collect, senderReportsOf } from './collect.js'
import { readTake, type TakeTrack } from './rtpdump.js'

const TAKES = ['solo', 'meeting3', 'lossy', 'burst-loss', 'mutes', 'rejoin', 'ramp']
const tracks = TAKES.flatMap(readTake)

function trackNamed(name: string): TakeTrack {
  const found = tracks.find((track) => track.name === name)
  if (found === undefined) throw new Error(`no track ${name}`)
  return found
}

function depacketizeVideo({ track, records }: TakeTrack, afterLoss: 'freeze' | 'continue' = 'freeze') {
  if (track.kind !== 'video') throw new Error('not a video track')
  const signals: string[] = []
  const depacketizer = new H264Depacketizer(track, { afterLoss, onSignal: ({ reason }) => signals.push(reason) })
  const items = collect(depacketizer, records)
  return { items, units: accessUnitsOf(items), stats: depacketizer.stats, signals }
}

function depacketizeAudio({ track, records }: TakeTrack) {
  if (track.kind !== 'audio') throw new Error('not an audio track')
  const depacketizer = new OpusDepacketizer(track)
  const items = collect(depacketizer, records)
  return { items, frames: audioFramesOf(items), stats: depacketizer.stats }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

interface NaivePacket {
  readonly sequenceNumber: number
  readonly rtpTimestamp: number
  readonly marker: boolean
  readonly payload: Uint8Array
}

/** By another way: all packets at once, sorted by sequence number (no take wraps), one of each. */
function naivePackets({ records }: TakeTrack): NaivePacket[] {
  const bySequence = new Map<number, NaivePacket>()
  for (const { data, isRtcp } of records) {
    if (isRtcp) continue
    const packet = Buffer.from(data)
    const extension = 12 + (packet.readUInt8(0) & 15) * 4
    const start = (packet.readUInt8(0) & 16) === 0 ? extension : extension + 4 + packet.readUInt16BE(extension + 2) * 4
    const end = packet.length - ((packet.readUInt8(0) & 32) === 0 ? 0 : packet.readUInt8(packet.length - 1))
    const sequenceNumber = packet.readUInt16BE(2)
    bySequence.set(sequenceNumber, {
      sequenceNumber,
      rtpTimestamp: packet.readUInt32BE(4),
      marker: packet.readUInt8(1) >= 128,
      payload: packet.subarray(start, end),
    })
  }
  return [...bySequence.values()].sort((a, b) => a.sequenceNumber - b.sequenceNumber)
}

/** Timestamps whose packets are consecutive, begin with the beginning of a NAL unit, and end with a marker. */
function naiveWholePictures(take: TakeTrack): number[] {
  const groups = new Map<number, NaivePacket[]>()
  for (const packet of naivePackets(take)) {
    if (packet.payload.length === 0) continue
    groups.set(packet.rtpTimestamp, [...(groups.get(packet.rtpTimestamp) ?? []), packet])
  }
  return [...groups]
    .filter(([, packets]) => {
      const first = packets[0]!
      const isFragment = (first.payload[0]! & 31) === 28
      const isRun = packets.every(({ sequenceNumber }, i) => sequenceNumber === first.sequenceNumber + i)
      // In these takes every IDR picture begins with its SPS: one that begins with a slice has lost it.
      const isHeadlessIdr = isFragment && (first.payload[1]! & 31) === 5
      const isWhole = isRun && packets.at(-1)!.marker && (!isFragment || first.payload[1]! >= 128)
      return isWhole && !isHeadlessIdr
    })
    .map(([rtpTimestamp]) => rtpTimestamp)
}

const videos = tracks.filter(({ track }) => track.kind === 'video')
const audios = tracks.filter(({ track }) => track.kind === 'audio')

/** Takes in which nothing is missing for good. */
const CLEAN_VIDEOS: readonly (readonly [string, number, number, number, readonly string[]])[] = [
  // name, units, keyframes, padding-only packets, configurations
  ['solo/alice-video', 595, 6, 11, ['640x360 avc1.42c01f', '960x540 avc1.42c020']],
  ['meeting3/alice-video', 594, 5, 14, ['640x360 avc1.42c01f']],
  ['meeting3/bob-video', 330, 4, 15, ['480x360 avc1.42c01f']],
  ['meeting3/carol-video', 419, 4, 9, ['360x640 avc1.42c01f']],
  ['mutes/alice-video', 514, 9, 215, ['640x360 avc1.42c01f', '1280x720 avc1.42c020', '800x1000 avc1.42c020']],
  ['rejoin/alice-video', 535, 5, 8, ['640x360 avc1.42c01f']],
  ['rejoin/bob-video', 202, 3, 15, ['480x360 avc1.42c01f']],
  ['rejoin/bob-video-2', 242, 3, 10, ['480x360 avc1.42c01f']],
  ['ramp/alice-video', 535, 7, 8, ['640x360 avc1.42c01f', '960x540 avc1.42c020', '1280x720 avc1.42c020']],
]

describe('video of the clean takes', () => {
  test.each(CLEAN_VIDEOS)('%s: every picture', (name, accessUnits, keyframes, paddingOnly, configurations) => {
    const { units, stats, signals } = depacketizeVideo(trackNamed(name))
    expect(stats).toMatchObject({ accessUnits, keyframes, paddingOnly, lost: 0, late: 0, duplicates: 0, epochs: 1 })
    expect(Object.values(stats.malformed).every((count) => count === 0)).toBe(true)
    expect(Object.values(stats.droppedUnits).every((count) => count === 0)).toBe(true)
    expect(signals).toEqual([])
    expect(units.some(({ lossBefore }) => lossBefore)).toBe(false)
    expect(units.every(({ marker }) => marker)).toBe(true)
    const begun = units.flatMap(({ configuration: c }) =>
      c === undefined ? [] : [`${c.width}x${c.height} ${c.codecString}`],
    )
    expect(begun).toEqual(configurations)
    expect(units.filter(({ configuration }) => configuration !== undefined).every(({ keyframe }) => keyframe)).toBe(
      true,
    )
  })
})

describe('all takes', () => {
  test.each(videos.map((take) => [take.name, take] as const))('%s: whole pictures as counted naively', (_, take) => {
    const { units, stats } = depacketizeVideo(take, 'continue')
    expect(units.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual(naiveWholePictures(take))
    expect(stats.accessUnits).toBe(units.length)
  })

  test.each(audios.map((take) => [take.name, take] as const))('%s: packets as counted naively', (_, take) => {
    const { frames, stats } = depacketizeAudio(take)
    const packets = naivePackets(take).filter(({ payload }) => payload.length > 0)
    expect(frames.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual(packets.map(({ rtpTimestamp }) => rtpTimestamp))
    expect(frames.map(({ data }) => hex(data))).toEqual(packets.map(({ payload }) => hex(payload)))
    expect(frames.every(({ duration }) => duration === 960)).toBe(true)
    expect(stats.malformed['opus']).toBe(0)
    expect(frames[0]!.configuration).toEqual({
      kind: 'audio',
      codec: 'opus',
      codecString: 'opus',
      sampleRate: 48_000,
      channels: 2,
    })
    expect(frames.filter(({ configuration }) => configuration !== undefined)).toHaveLength(1)
  })

  test.each(tracks.map((take) => [take.name, take] as const))('%s: every sender report, with its name', (_, take) => {
    const { items } = take.track.kind === 'video' ? depacketizeVideo(take) : depacketizeAudio(take)
    const reports = senderReportsOf(items)
    expect(reports).toHaveLength(take.records.filter(({ isRtcp }) => isRtcp).length)
    expect(new Set(reports.map(({ cname }) => cname)).size).toBe(1)
    expect(reports[0]!.cname).toMatch(/.+/)
    expect(items.at(-1)).toEqual({ type: 'track-end', trackId: take.track.id })
    expect(items.filter(({ type }) => type === 'track-end')).toHaveLength(1)
    for (let i = 1; i < reports.length; i++) {
      const ntpSeconds = (reports[i]!.ntpUs - reports[i - 1]!.ntpUs) / 1e6
      const rtpSeconds = (reports[i]!.rtpTimestamp - reports[i - 1]!.rtpTimestamp) / take.track.clockRate
      expect(Math.abs(ntpSeconds - rtpSeconds)).toBeLessThan(0.05)
    }
  })
})

describe('impaired takes', () => {
  test('lossy video: late, duplicate and lost packets as the session says', () => {
    const take = trackNamed('lossy/alice-video')
    const { permanentVideoSeqs } = take.impairment as { permanentVideoSeqs: number[] }
    const { units, stats, signals } = depacketizeVideo(take)
    // One more than were dropped on purpose: padding, sequence 2195, which nobody sends again.
    expect(stats).toMatchObject({ lost: permanentVideoSeqs.length + 1, lostHarmless: 1, late: 0 })
    expect(stats).toMatchObject({ duplicates: 28, reordered: 104, accessUnits: 498, keyframes: 10, paddingOnly: 16 })
    expect(stats.droppedUnits).toMatchObject({ 'packet-lost': 1, 'beginning-lost': 2, frozen: 91 })
    const dropped = Object.values(stats.droppedUnits).reduce((sum, count) => sum + count, 0)
    // Two of the five lost packets were a picture each: nothing of those is left to drop.
    expect(units.length + dropped).toBe(592)
    expect(signals).toEqual(['loss', 'loss', 'loss', 'loss', 'loss'])
    const after = units.filter(({ lossBefore }) => lossBefore)
    expect(after.map(({ keyframe, lostPackets }) => ({ keyframe, lostPackets }))).toEqual(
      permanentVideoSeqs.map(() => ({ keyframe: true, lostPackets: 1 })),
    )
  })

  test('lossy video: the STAP-A overtaken by its IDR picture, as the first packets of all', () => {
    const { units } = depacketizeVideo(trackNamed('lossy/alice-video'))
    expect(units[0]).toMatchObject({ keyframe: true, rtpTimestamp: 1_454_918_761, lossBefore: false })
    expect(units[0]!.nalUnits.map((nal) => nal[0]! & 31)).toEqual([7, 8, 5])
  })

  test('lossy audio: 7 packets never came, each before one frame', () => {
    const take = trackNamed('lossy/alice-audio')
    const { audioLostSeqs } = take.impairment as { audioLostSeqs: number[] }
    const { frames, stats } = depacketizeAudio(take)
    expect(stats).toMatchObject({ lost: audioLostSeqs.length, duplicates: 20, reordered: 30, late: 0, frames: 982 })
    const after = frames.filter(({ lossBefore }) => lossBefore)
    expect(after.map(({ lostPackets }) => lostPackets)).toEqual(audioLostSeqs.map(() => 1))
  })

  test.each(['alice-video', 'alice-audio'])('burst-loss %s: as many lost as were removed, in the same places', (id) => {
    const take = trackNamed(`burst-loss/${id}`)
    const impairment = take.impairment as Record<string, { removed: number; bursts: { packets: number }[] }>
    const { removed, bursts } = impairment[id]!
    const lengths = bursts.map(({ packets }) => packets)
    if (take.track.kind === 'audio') {
      const { frames, stats } = depacketizeAudio(take)
      expect(stats.lost).toBe(removed)
      expect(frames.flatMap(({ lostPackets }) => (lostPackets === undefined ? [] : [lostPackets]))).toEqual(lengths)
    } else {
      const { units, stats, signals } = depacketizeVideo(take)
      expect(stats).toMatchObject({ lost: removed, lostHarmless: 0, accessUnits: 321, keyframes: 6 })
      // The second and third burst fall between the same two keyframes; behind the last there is none.
      expect(units.flatMap(({ lostPackets }) => (lostPackets === undefined ? [] : [lostPackets]))).toEqual([
        lengths[0],
        lengths[1]! + lengths[2]!,
      ])
      expect(signals).toEqual(['loss', 'loss', 'loss'])
    }
  })

  test('a source that comes back under a new SSRC is a new epoch of one track', () => {
    const records = ['rejoin/bob-video', 'rejoin/bob-video-2'].flatMap((name) => trackNamed(name).records)
    const depacketizer = new H264Depacketizer({ id: 'bob', kind: 'video', codec: 'h264', clockRate: 90_000 })
    const items = collect(depacketizer, records)
    const units = accessUnitsOf(items)
    expect(units.filter(({ epoch }) => epoch === 0)).toHaveLength(202)
    expect(units.filter(({ epoch }) => epoch === 1)).toHaveLength(242)
    expect(depacketizer.stats).toMatchObject({ epochs: 2, lost: 0, strays: 0, senderReports: 14 })
    expect(units.some(({ lossBefore }) => lossBefore)).toBe(false)
    expect(senderReportsOf(items).map(({ epoch }) => epoch)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
  })
})

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

/** What ffmpeg says, and how many pictures it decodes. */
function decode(units: readonly AccessUnit[]): { messages: string; pictures: number } {
  const stream = joinAnnexB(units.flatMap(({ nalUnits }) => nalUnits))
  const args = ['-v', 'error', '-f', 'h264', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1']
  const { stderr, stdout } = spawnSync('ffmpeg', args, { input: stream, maxBuffer: 1 << 26 })
  const lines = stdout.toString().split('\n')
  return { messages: stderr.toString(), pictures: lines.filter((line) => line.startsWith('0,')).length }
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('as ffmpeg sees it', () => {
  test.each(videos.map((take) => [take.name, take] as const))('%s decodes without a word', (_, take) => {
    const { units } = depacketizeVideo(take)
    expect(decode(units)).toEqual({ messages: '', pictures: units.length })
  })
})
