import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessUnitRules, checkMp4, formatFindings, mp4Rules } from '../../src/index.js'
import { brokenFiles } from './broken-files.js'
import { miniFragmented, miniMp4 } from './mini-mp4.js'

const hasTools = ['ffmpeg', 'gst-launch-1.0'].every((tool) => spawnSync(tool, ['-version']).error === undefined)

describe('checkMp4', () => {
  it('finds nothing in good files', async () => {
    expect(formatFindings(await checkMp4(miniMp4()))).toBe('')
    expect(formatFindings(await checkMp4(miniMp4({ audio: 'opus' })))).toBe('')
    expect(formatFindings(await checkMp4(miniFragmented()))).toBe('')
    expect(formatFindings(await checkMp4(miniMp4({ file: ([a, m, d]) => [a, m, d] as Buffer[] })))).toBe('')
  })

  it.each(brokenFiles)('$rule: $name', async ({ rule, make, also = [], options = {} }) => {
    const findings = await checkMp4(make(), options)
    const rules = [...new Set(findings.map((finding) => finding.rule))].sort()
    expect(rules, formatFindings(findings)).toEqual([...new Set([rule, ...also])].sort())
  })

  it('has a case for every rule of its own', () => {
    const own = Object.keys(mp4Rules).filter((rule) => !(rule in accessUnitRules))
    const broken = new Set<string>(brokenFiles.map(({ rule }) => rule))
    expect(own.filter((rule) => !broken.has(rule))).toEqual([])
  })

  it('survives files cut anywhere, and says so', async () => {
    for (const whole of [miniMp4(), miniFragmented()]) {
      for (let size = 0; size < whole.byteLength; size += 37) {
        expect((await checkMp4(whole.subarray(0, size))).length, `${size} bytes`).toBeGreaterThan(0)
      }
    }
  })

  it('rejects only what cannot be read', async () => {
    await expect(checkMp4('/nowhere/file.mp4')).rejects.toThrow('ENOENT')
  })
})

describe.skipIf(!hasTools && !process.env['CI'])('files of others', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'testkit-mp4-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  const source = '-f lavfi -i testsrc2=s=320x180:r=25:d=4 -f lavfi -i sine=440:r=48000:d=4'
  const codecs = '-c:v libx264 -bf 2 -g 25 -pix_fmt yuv420p -ac 1'

  it.each([
    ['AAC', `${codecs} -c:a aac -movflags +faststart`],
    ['Opus', `${codecs} -c:a libopus -movflags +faststart`],
  ])('ffmpeg, %s', async (name, args) => {
    const file = join(dir, `${name}.mp4`)
    execFileSync('ffmpeg', `-v error -y ${source} ${args} ${file}`.split(' '))
    expect(formatFindings(await checkMp4(file))).toBe('')
  })

  it('ffmpeg, fragmented: next_track_ID counts tracks that have no samples yet as absent', async () => {
    const file = join(dir, 'fragmented.mp4')
    const args = `${codecs} -c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof`
    execFileSync('ffmpeg', `-v error -y ${source} ${args} ${file}`.split(' '))
    expect([...new Set((await checkMp4(file)).map(({ rule }) => rule))]).toEqual(['track-header'])
  })

  it('GStreamer', async () => {
    const file = join(dir, 'gst.mp4')
    const video = 'videotestsrc num-buffers=50 ! x264enc key-int-max=25 bframes=2 ! h264parse ! m.'
    const audio = 'audiotestsrc num-buffers=90 ! audio/x-raw,rate=48000 ! avenc_aac ! aacparse ! m.'
    execFileSync(
      'gst-launch-1.0',
      `-q mp4mux faststart=true name=m ! filesink location=${file} ${video} ${audio}`.split(' '),
    )
    expect(formatFindings(await checkMp4(file))).toBe('')
  })
})
