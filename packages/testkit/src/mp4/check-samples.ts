import type { Report } from '../finding.js'
import { AccessUnitChecker } from '../h264/access-unit-rules.js'
import { opusPacketSamples } from '../opus/packet-duration.js'
import type { ByteSource } from './byte-source.js'
import type { Mp4Rule } from './rules.js'
import type { SampleEntry } from './sample-entry.js'
import type { SampleList } from './samples.js'
import type { Mp4Track } from './track.js'

/** Reads every sample of a track, one at a time, and checks what is in it. */
export async function checkSamples(
  source: ByteSource,
  track: Mp4Track,
  samples: SampleList,
  report: Report<Mp4Rule>,
): Promise<void> {
  const { entry } = track
  if (entry === undefined || entry.codec === 'other') return
  const check = checkerFor(entry, track, samples, report)
  for (let i = 0; i < samples.length; i++) {
    const bytes = await source.read(samples.offsets[i] as number, samples.sizes[i] as number)
    // What lies behind the end of the file is reported as out of range.
    if (bytes.byteLength === samples.sizes[i]) check(i, bytes)
  }
}

type SampleCheck = (index: number, bytes: Uint8Array) => void

function checkerFor(entry: SampleEntry, track: Mp4Track, samples: SampleList, report: Report<Mp4Rule>): SampleCheck {
  if (entry.codec === 'h264') return avcChecker(entry, track, samples, report)
  if (entry.codec === 'opus' && track.timescale !== 48_000) {
    report('opus-configuration', `the media timescale is ${track.timescale}, not 48000`, { trackId: track.id })
  }
  const sampleRate = entry.codec === 'opus' ? 48_000 : (entry.sampleRate ?? 48_000)
  return (index, bytes) => {
    const frame = entry.codec === 'opus' ? opusPacketSamples(bytes) : 1024
    const lasts = samples.durations[index] as number
    if (index + 1 < samples.length && lasts + 1 < (frame * track.timescale) / sampleRate) {
      const message = `sample ${index + 1} of ${frame} samples at ${sampleRate} Hz lasts ${lasts} ticks`
      report('audio-timing', message, { trackId: track.id, offset: samples.offsets[index] as number })
    }
    if (bytes.byteLength === 0) report('audio-timing', `sample ${index + 1} is empty`, { trackId: track.id })
  }
}

function avcChecker(entry: SampleEntry, track: Mp4Track, samples: SampleList, report: Report<Mp4Rule>): SampleCheck {
  const checker = new AccessUnitChecker({ delimiter: 'optional', parameterSetsInBand: false })
  const place = { trackId: track.id, offset: track.offset }
  for (const set of [...(entry.avc?.sps ?? []), ...(entry.avc?.pps ?? [])]) {
    checker.addParameterSet(set, (rule, message) => report(rule, message, place))
  }
  const [first] = checker.sps.values()
  if (first !== undefined && (first.width !== entry.width || first.height !== entry.height)) {
    const message = `the sample entry says ${entry.width}x${entry.height}, its SPS ${first.width}x${first.height}`
    report('avc-configuration', message, place)
  }
  return (index, bytes) => {
    const at = { trackId: track.id, offset: samples.offsets[index] as number }
    const nalUnits = splitLengths(bytes, entry.avc?.lengthSize ?? 4)
    if (nalUnits === undefined) {
      report('sample-nal-units', `the NAL units of sample ${index + 1} do not fill its ${bytes.byteLength} bytes`, at)
      return
    }
    const facts = checker.check(nalUnits, (rule, message) => report(rule, `sample ${index + 1}: ${message}`, at))
    const isSync = samples.sync[index] === 1
    if (isSync && !facts.keyframe) report('sync-sample', `sample ${index + 1} is a sync sample, but not IDR`, at)
    if (!isSync && facts.keyframe) report('sync-sample', `sample ${index + 1} is IDR, but no sync sample`, at)
    if (!isSync && index === 0) report('sync-sample', 'the first sample is no sync sample', at)
  }
}

function splitLengths(bytes: Uint8Array, lengthSize: number): Uint8Array[] | undefined {
  const nalUnits: Uint8Array[] = []
  let at = 0
  while (at < bytes.byteLength) {
    if (at + lengthSize > bytes.byteLength) return undefined
    let length = 0
    for (let i = 0; i < lengthSize; i++) length = length * 256 + (bytes[at + i] as number)
    at += lengthSize
    if (at + length > bytes.byteLength) return undefined
    nalUnits.push(bytes.subarray(at, at + length))
    at += length
  }
  return nalUnits
}
