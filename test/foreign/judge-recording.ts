import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@rushes/render'
import { checkHls, checkMp4 } from '@rushes/testkit'
import { type CardFrame, flashTimes, readBeeps, readVideoCards } from '@rushes/testkit/card'
import { decodeWithFfmpeg, streamsOf } from '../conformance/ffmpeg.js'
import { TONE_HZ } from './card-file.js'

/** One output, read by tools of others. */
export interface JudgedOutput {
  readonly container: 'hls' | 'mp4' | 'webm'
  /** `video:h264,audio:aac`. */
  readonly streams: string
  /** Of the oracles of HLS and MP4. */
  readonly findings: readonly string[]
  /** What ffmpeg said while it decoded everything. */
  readonly complaints: readonly string[]
  /** Numbers on the pictures, in output order. */
  readonly counters: readonly (number | undefined)[]
  /** How much later than its flash each beep is heard, in milliseconds. */
  readonly beepLateMs: readonly number[]
}

export async function judgeOutputs(manifest: Manifest, root: string): Promise<JudgedOutput[]> {
  const judged: JudgedOutput[] = []
  for (const { container, key } of manifest.outputs) {
    const path = join(root, key)
    const cards = await readVideoCards(path)
    judged.push({
      container,
      streams: (await streamsOf(path)).join(),
      findings: await findingsOf(path, container),
      complaints: (await decodeWithFfmpeg(path)).complaints,
      counters: cards.map(({ counter }) => counter),
      beepLateMs: beepsAfterFlashes(cards, await readBeeps(path, { toneHz: TONE_HZ })),
    })
  }
  return judged
}

async function findingsOf(path: string, container: JudgedOutput['container']): Promise<string[]> {
  // For WebM, what ffmpeg's demuxer and decoders say must do.
  if (container === 'webm') return []
  const read = (uri: string): Promise<Buffer> => readFile(join(path, '..', uri))
  // Sound may begin before the first picture, where an encoder takes its time: a segment of its own, in one format.
  const findings =
    container === 'mp4'
      ? await checkMp4(path)
      : await checkHls({ entry: 'index.m3u8', read }, { transportStream: { allowIdle: true } })
  return findings.map(({ rule, message }) => `${rule}: ${message}`).filter((finding) => !isExpected(finding))
}

/** A tenth of a second at 90 kHz. Live, a fragment's last picture lasts as long as the shortest of it: the next one may come later. */
const MAX_FRAGMENT_GAP = 9000

function isExpected(finding: string): boolean {
  if (finding.endsWith('is not looked into')) return true
  // GStreamer's first Opus packet has the timestamp of the sound without the encoder's delay.
  if (finding === 'audio-timing: sample 1 of 960 samples at 48000 Hz lasts 648 ticks') return true
  // Sound that begins the recording before the first picture, and B pictures: EXTINF leads to the picture that begins the
  // next segment, whose sound is a little earlier, while the oracle holds pictures against pictures and sound against sound.
  if (/^segment-times: the next segment starts -0\.\d+ s after this one ends/.test(finding)) return true
  const gap = /^fragment-time: it starts at (\d+), the one before ends at (\d+)$/.exec(finding)
  return gap !== null && Number(gap[1]) > Number(gap[2]) && Number(gap[1]) - Number(gap[2]) < MAX_FRAGMENT_GAP
}

function beepsAfterFlashes(cards: readonly CardFrame[], beeps: readonly { readonly atUs: number }[]): number[] {
  return flashTimes(cards).flatMap(({ ptsUs, sinceFlashUs }) => {
    const flashUs = ptsUs - sinceFlashUs
    const beep = beeps.find(({ atUs }) => Math.abs(atUs - flashUs) < 400_000)
    return beep === undefined ? [] : [(beep.atUs - flashUs) / 1000]
  })
}
