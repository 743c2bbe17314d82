import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkTransportStream, formatFindings, readTransportStream } from '../../src/index.js'

const hasTools = ['ffmpeg', 'gst-launch-1.0'].every((tool) => spawnSync(tool, ['-version']).error === undefined)

describe.skipIf(!hasTools && !process.env['CI'])('streams of others', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'testkit-ts-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  const picture = '-f lavfi -i testsrc2=s=320x180:r=25:d=4'
  const sound = '-f lavfi -i sine=440:r=48000:d=4'
  const x264 = '-c:v libx264 -bf 2 -g 50 -pix_fmt yuv420p'

  it('ffmpeg: clean but for its service description table', () => {
    const file = join(dir, 'av.ts')
    execFileSync('ffmpeg', `-v error -y ${picture} ${sound} ${x264} -c:a aac -f mpegts ${file}`.split(' '))
    const bytes = readFileSync(file)
    expect(formatFindings(checkTransportStream(bytes, { allowServiceInformation: true }))).toBe('')
    expect([...new Set(checkTransportStream(bytes).map(({ rule }) => rule))]).toEqual(['unlisted-pid'])
    const { streams } = readTransportStream(bytes)
    expect(streams.map(({ kind, accessUnits }) => [kind, accessUnits.length])).toEqual([
      ['video', 100],
      ['audio', 0],
    ])
    // ffprobe's own reading of the same.
    const probe = execFileSync(
      'ffprobe',
      `-v error -select_streams v -show_entries packet=pts,dts,flags -of csv=p=0 ${file}`.split(' '),
      { encoding: 'utf8' },
    )
    expect(
      streams[0]?.accessUnits.map(({ pts90k, dts90k, keyframe }) => `${pts90k},${dts90k},${keyframe ? 'K' : '_'}`),
    ).toEqual(
      probe
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(/^(\d+,\d+,.).*$/, '$1')),
    )
  })

  it('ffmpeg, sound alone at 44100 Hz: PTS are rounded, and PCRs come only with PES packets', () => {
    const rules = (options: string): Set<string> => {
      const file = join(dir, 'audio.ts')
      execFileSync('ffmpeg', `-v error -y -f lavfi -i sine=440:r=44100:d=4 -c:a aac ${options} ${file}`.split(' '))
      const findings = checkTransportStream(readFileSync(file), { allowServiceInformation: true })
      return new Set(findings.map(({ rule }) => rule))
    }
    expect([...rules('-f mpegts')]).toEqual(['pcr-interval'])
    expect([...rules('-pes_payload_size 0 -f mpegts')]).toEqual([])
  })

  it('ffmpeg: loses SPS and PPS when the encoder writes delimiters and keeps its parameter sets apart', () => {
    const x264params = '-x264-params aud=1 -flags +global_header'
    const file = join(dir, 'broken.ts')
    execFileSync('ffmpeg', `-v error -y ${picture} ${x264} ${x264params} -f mpegts ${file}`.split(' '))
    const rules = new Set(checkTransportStream(readFileSync(file)).map(({ rule }) => rule))
    expect(rules).toContain('parameter-sets-missing')
    expect(rules).toContain('access-unit-delimiter')
  })

  it('GStreamer', () => {
    const file = join(dir, 'gst.ts')
    const video =
      'videotestsrc num-buffers=100 ! video/x-raw,framerate=25/1 ! x264enc key-int-max=50 bframes=2 ! h264parse ! m.'
    const audio = 'audiotestsrc num-buffers=180 ! audio/x-raw,rate=48000 ! avenc_aac ! aacparse ! m.'
    execFileSync('gst-launch-1.0', `-q mpegtsmux name=m ! filesink location=${file} ${video} ${audio}`.split(' '))
    expect(formatFindings(checkTransportStream(readFileSync(file)))).toBe('')
  })
})
