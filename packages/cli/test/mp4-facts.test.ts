import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StreamInspection } from '../src/media-inspection.js'
import { readMovieBoxes } from '../src/mp4-boxes.js'
import { describeMp4 } from '../src/mp4-facts.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-mp4-'))
})

afterAll(() => rm(dir, { recursive: true, force: true }))

async function describeFile(path: string): Promise<StreamInspection[]> {
  const { size } = await stat(path)
  return describeMp4(await readMovieBoxes(path, new AbortController().signal), size)
}

function ffmpeg(name: string, ...args: readonly string[]): string {
  const path = join(dir, name)
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=4', '-f', 'lavfi', '-i', 'sine=r=44100:d=4']
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p']
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...coding, ...args, path])
  return path
}

// ffmpeg writes the files, and ffprobe says what is in them.
describe.skipIf(!hasFfmpeg && !process.env['CI'])('describeMp4, of files by ffmpeg', () => {
  it.each([
    ['plain.mp4', ['-c:a', 'aac']],
    ['b-frames.mp4', ['-bf', '2', '-c:a', 'aac', '-movflags', 'faststart']],
    ['fragmented.mp4', ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof']],
    ['opus.mp4', ['-c:a', 'libopus', '-ar', '48000']],
  ] as const)('%s', async (name, args) => {
    const path = ffmpeg(name, ...args)
    const query = ['-v', 'error', '-of', 'json', '-show_entries']
    const facts = 'stream=codec_name,width,height,sample_rate,channels:packet=stream_index,pts_time,size,flags'
    const probed = JSON.parse(execFileSync('ffprobe', [...query, facts, path], { encoding: 'utf8' })) as {
      streams: { width?: number; height?: number; sample_rate?: string; channels?: number }[]
      packets: { stream_index: number; pts_time: string; size: string; flags: string }[]
    }
    const streams = await describeFile(path)
    expect(streams.map(({ kind, codec }) => [kind, codec])).toEqual([
      ['video', expect.stringMatching(/^avc1\.[0-9a-f]{6}$/)],
      ['audio', name === 'opus.mp4' ? 'opus' : 'mp4a.40.2'],
    ])
    for (const [index, stream] of streams.entries()) {
      const packets = probed.packets.filter((packet) => packet.stream_index === index)
      const found = probed.streams[index]
      expect(stream.units).toBe(packets.length)
      expect(stream.bytes).toBe(packets.reduce((sum, { size }) => sum + Number(size), 0))
      const firstUs = Math.min(...packets.map((packet) => Number(packet.pts_time) * 1e6))
      expect(Math.abs((stream.startUs ?? Number.NaN) - firstUs)).toBeLessThan(50)
      expect(stream.gaps).toEqual([])
      if (stream.kind === 'video') {
        expect(stream.keyframes).toBe(packets.filter(({ flags }) => flags.startsWith('K')).length)
        expect(stream.sizes).toEqual([{ atUs: stream.startUs, width: found?.width, height: found?.height }])
      } else {
        expect([stream.sampleRate, stream.channels]).toEqual([Number(found?.sample_rate), found?.channels])
      }
    }
  })

  it('believes no number that the file has no room for', async () => {
    const bytes = await readFile(ffmpeg('large.mp4', '-c:a', 'aac'))
    const stsz = bytes.indexOf('stsz')
    // All samples of one byte, and four billion of them.
    bytes.writeUInt32BE(1, stsz + 8)
    bytes.writeUInt32BE(0xffffffff, stsz + 12)
    await writeFile(join(dir, 'liar.mp4'), bytes)
    await expect(describeFile(join(dir, 'liar.mp4'))).rejects.toThrow(RangeError)
  })
})
