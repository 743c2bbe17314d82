import { readFileSync } from 'node:fs'
import type { SourceItem } from '@rushes/media'
import { H264Depacketizer, RtpPacket } from '@rushes/rtp-depacketizer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SimulcastSelector, type SimulcastSelectorOptions } from '../../src/index.js'
import { noteOf, type SentPacket, SimulcastSender } from './simulcast-sender.js'

const layers = [{ id: 'l0' }, { id: 'l1' }, { id: 'l2' }]

interface Output {
  readonly packet: RtpPacket
  readonly arrivalUs: number
}

function collect(options: Partial<SimulcastSelectorOptions> = {}, sender?: SimulcastSender) {
  const out: Output[] = []
  const reports: { ssrc: number; rtpTimestamp: number }[] = []
  const emit = (bytes: Uint8Array, arrivalUs: number): void => {
    const packet = new RtpPacket()
    expect(packet.read(bytes)).toBeUndefined()
    out.push({ packet, arrivalUs })
  }
  const selector = new SimulcastSelector({
    codec: 'vp8',
    layers,
    onKeyframeNeeded: (layer) => sender?.wanted.add(layer),
    ...options,
  })
  const report = (layer: number, nowUs: number): void => {
    if (sender === undefined) return
    const compound = (ssrc: number, rtpTimestamp: number): Uint8Array => {
      reports.push({ ssrc, rtpTimestamp })
      return new Uint8Array(0)
    }
    selector.senderReport(`l${layer}`, { ...sender.report(layer, nowUs), compound }, nowUs, () => {})
  }
  return { out, reports, emit, selector, report }
}

/** What must hold of any output: one SSRC, all numbers, whole pictures, time that goes on, switches at keyframes. */
function checkContinuity(out: readonly Output[], maxErrorTicks: number): void {
  const first = out[0]!
  let previous = first.packet
  let previousNote = noteOf(previous)
  expect(previousNote).toMatchObject({ keyframe: true, part: 0 })
  // From capture time to output time, once and for all.
  const origin = first.packet.rtpTimestamp - Math.round((previousNote.capturedUs * 90) / 1000)
  for (const { packet } of out.slice(1)) {
    const note = noteOf(packet)
    expect(packet.ssrc).toBe(first.packet.ssrc)
    expect((packet.sequenceNumber - previous.sequenceNumber) & 0xffff).toBe(1)
    const ticks = (packet.rtpTimestamp - previous.rtpTimestamp) | 0
    if (note.part === 0) {
      expect(previousNote.part).toBe(previousNote.parts - 1)
      expect(ticks).toBeGreaterThan(0)
      if (note.layer !== previousNote.layer) expect(note.keyframe).toBe(true)
      else expect(note.picture).toBe(previousNote.picture + 1)
    } else {
      expect(ticks).toBe(0)
      expect(note).toMatchObject({
        layer: previousNote.layer,
        picture: previousNote.picture,
        part: previousNote.part + 1,
      })
    }
    const exact = origin + Math.round((note.capturedUs * 90) / 1000)
    expect(Math.abs((packet.rtpTimestamp - exact) | 0)).toBeLessThanOrEqual(maxErrorTicks)
    previous = packet
    previousNote = note
  }
}

describe('SimulcastSelector', () => {
  test('begins with what is there, goes up when it can, down when it must', () => {
    const sender = new SimulcastSender(1)
    const { out, emit, selector, report } = collect({}, sender)
    const chosen: (string | undefined)[] = []
    for (let picture = 0; picture < 300; picture++) {
      const nowUs = picture * 33_333
      if (picture % 30 === 5) for (const layer of [0, 1, 2]) report(layer, nowUs)
      for (const layer of [0, 1, 2]) {
        // The large one comes late and goes early; for a while there is only the small one.
        if (layer === 2 && (picture < 60 || picture > 150)) continue
        if (layer === 1 && picture > 220) continue
        for (const { packet, atUs, layer: id } of sender.picture(layer, nowUs)) selector.push(id, packet, atUs, emit)
      }
      selector.tick(nowUs + 20_000, emit)
      if (chosen.at(-1) !== selector.stats.layer) chosen.push(selector.stats.layer)
    }
    expect(chosen.filter((id) => id !== undefined)).toEqual(['l1', 'l2', 'l1', 'l0'])
    expect(selector.stats).toMatchObject({ switches: 3, late: 0, switchesByArrival: 0 })
    checkContinuity(out, 9000)
    // Where two layers overlap nothing is missing: at most two pictures' time between two pictures.
    const gaps = out.slice(1).map(({ packet }, index) => (packet.rtpTimestamp - out[index]!.packet.rtpTimestamp) | 0)
    expect(gaps.filter((ticks) => ticks > 6100)).toHaveLength(2)
  })

  test('reports of the chosen layer come out in the time of the output', () => {
    const sender = new SimulcastSender(2)
    const { out, emit, selector, report, reports } = collect({}, sender)
    for (let picture = 0; picture < 150; picture++) {
      const nowUs = picture * 33_333
      for (const layer of [0, 1]) {
        if (layer === 1 && picture < 50) continue
        for (const { packet, atUs, layer: id } of sender.picture(layer, nowUs)) selector.push(id, packet, atUs, emit)
        if (picture % 10 === 0) report(layer, nowUs)
      }
      selector.tick(nowUs + 20_000, emit)
    }
    expect(selector.stats.layer).toBe('l1')
    const capturedAt = (at: number): number => noteOf(out[at]!.packet).capturedUs
    const last = out.length - 1
    expect(capturedAt(last)).toBeGreaterThan(4_900_000)
    for (const { ssrc } of reports) expect(ssrc).toBe(out[0]!.packet.ssrc)
    // The last report was at picture 140; its time lies so far before the last picture's.
    const ticks = (out[last]!.packet.rtpTimestamp - reports.at(-1)!.rtpTimestamp) | 0
    expect(Math.abs(ticks - Math.round(((capturedAt(last) - 140 * 33_333) * 90) / 1000))).toBeLessThanOrEqual(2)
  })

  test('without reports a switch is placed by arrival', () => {
    const sender = new SimulcastSender(3)
    const { out, emit, selector } = collect({}, sender)
    for (let picture = 0; picture < 120; picture++) {
      const nowUs = picture * 33_333
      for (const layer of [0, 2]) {
        if (layer === 0 && picture > 60) continue
        if (layer === 2 && picture < 60) continue
        for (const { packet, atUs, layer: id } of sender.picture(layer, nowUs)) selector.push(id, packet, atUs, emit)
      }
      selector.tick(nowUs + 20_000, emit)
    }
    expect(selector.stats).toMatchObject({ layer: 'l2', switches: 1, switchesByArrival: 1 })
    checkContinuity(out, 3000)
  })

  test('a picture that its layer left unfinished shows as a gap', () => {
    const sender = new SimulcastSender(4)
    const { out, emit, selector } = collect({}, sender)
    const push = ({ layer, packet, atUs }: SentPacket): void => selector.push(layer, packet, atUs, emit)
    for (let picture = 0; picture < 20; picture++) sender.picture(0, picture * 33_333).forEach(push)
    sender.wanted.add('l0')
    sender
      .picture(0, 20 * 33_333)
      .slice(0, -1)
      .forEach(push)
    for (let picture = 21; picture < 120; picture++) {
      sender.picture(1, picture * 33_333).forEach(push)
      selector.tick(picture * 33_333 + 20_000, emit)
    }
    expect(selector.stats).toMatchObject({ layer: 'l1', switches: 1 })
    const steps = out
      .slice(1)
      .map(({ packet }, at) => (packet.sequenceNumber - out[at]!.packet.sequenceNumber) & 0xffff)
    expect(steps.filter((step) => step !== 1)).toEqual([2])
  })

  test('packets of a layer that come after the switch, from before it, fill their places', () => {
    const sender = new SimulcastSender(5)
    const { out, emit, selector, report } = collect({}, sender)
    let late: SentPacket | undefined
    for (let picture = 0; picture < 60; picture++) {
      const nowUs = picture * 33_333
      for (const layer of [0, 1]) {
        if (layer === 1 && picture < 20) continue
        report(layer, nowUs)
        for (const sent of sender.picture(layer, nowUs)) {
          if (picture === 18 && noteOf(sent.packet).part === 0) late = sent
          else selector.push(sent.layer, sent.packet, sent.atUs, emit)
        }
      }
    }
    expect(selector.stats.switches).toBe(1)
    selector.push('l0', late!.packet, 2_100_000, emit)
    const sorted = out.toSorted((a, b) => (a.packet.sequenceNumber - b.packet.sequenceNumber) | 0)
    expect(sorted).toHaveLength(out.length)
    checkContinuity(sorted, 9000)
  })

  test('layers that come and go in any way, and packets in any order, give one continuous stream', () => {
    const span = fc.record({ layers: fc.integer({ min: 1, max: 7 }), pictures: fc.integer({ min: 1, max: 90 }) })
    fc.assert(
      fc.property(fc.nat(9999), fc.array(span, { minLength: 1, maxLength: 5 }), fc.nat(2), (seed, spans, shuffle) => {
        const sender = new SimulcastSender(seed)
        const { out, emit, selector, report } = collect({}, sender)
        let picture = 0
        for (const { layers: mask, pictures } of spans) {
          for (let end = picture + pictures; picture < end; picture++) {
            const nowUs = picture * 33_333
            const sent = [0, 1, 2].flatMap((layer) => (((mask >> layer) & 1) === 0 ? [] : sender.picture(layer, nowUs)))
            // Packets of a picture overtake each other.
            if (shuffle > 0)
              sent.sort((a, b) => ((a.packet.sequenceNumber * 31) % 5) - ((b.packet.sequenceNumber * 31) % 5))
            for (const { layer, packet } of sent) selector.push(layer, packet, nowUs + 10_000, emit)
            if (picture % 10 === 3) for (const layer of [0, 1, 2]) report(layer, nowUs)
            selector.tick(nowUs + 20_000, emit)
          }
        }
        const sequence = (output: Output): number =>
          (output.packet.sequenceNumber - out[0]!.packet.sequenceNumber + 1000) & 0xffff
        const sorted = [...out].sort((a, b) => sequence(a) - sequence(b))
        expect(new Set(sorted.map(sequence)).size).toBe(sorted.length)
        for (const [at, { packet }] of sorted.entries()) {
          if (at === 0) continue
          const before = sorted[at - 1]!.packet
          const step = sequence(sorted[at]!) - sequence(sorted[at - 1]!)
          // One left out where a layer died within a picture: here none does.
          expect(step).toBe(1)
          expect((packet.rtpTimestamp - before.rtpTimestamp) | 0).toBeGreaterThanOrEqual(0)
          const [note, noteBefore] = [noteOf(packet), noteOf(before)]
          if (note.layer !== noteBefore.layer) {
            expect(note).toMatchObject({ keyframe: true, part: 0 })
            expect(noteBefore.part).toBe(noteBefore.parts - 1)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  test('real H264 of two cameras as two layers: the depacketizer sees one sender that lost nothing', () => {
    const fixtures = new URL('../../../../test/fixtures/', import.meta.url)
    const records = (path: string, layer: string): { layer: string; atUs: number; bytes: Uint8Array }[] => {
      const file = readFileSync(new URL(path, fixtures))
      const list = []
      for (let offset = file.indexOf(0x0a) + 17; offset < file.length; offset += file.readUInt16BE(offset)) {
        const bytes = new Uint8Array(file.subarray(offset + 8, offset + file.readUInt16BE(offset)))
        if (file.readUInt16BE(offset + 2) > 0) list.push({ layer, atUs: file.readUInt32BE(offset + 4) * 1000, bytes })
      }
      return list
    }
    const files = (take: string): string => {
      const session = JSON.parse(readFileSync(new URL(`${take}/session.json`, fixtures), 'utf8')) as {
        participants: { tracks: { kind: string; file: string }[] }[]
      }
      return `${take}/${session.participants[0]!.tracks.find(({ kind }) => kind === 'video')!.file}`
    }
    // The second begins later and grows to 1280x720, past the first.
    const all = [
      ...records(files('solo'), 'a'),
      ...records(files('ramp'), 'b').filter(({ atUs }) => atUs > 5_000_000),
    ].sort((x, y) => x.atUs - y.atUs)
    const asked: string[] = []
    const selector = new SimulcastSelector({
      codec: 'h264',
      layers: [{ id: 'a' }, { id: 'b' }],
      onKeyframeNeeded: (layer) => asked.push(layer),
    })
    const items: SourceItem[] = []
    const depacketizer = new H264Depacketizer({ id: 'v', kind: 'video', codec: 'h264', clockRate: 90_000 }, {})
    const packet = new RtpPacket()
    const emit = (data: Uint8Array, arrivalUs: number): void =>
      depacketizer.push({ data, arrivalUs }, (item) => items.push(item))
    for (const { layer, atUs, bytes } of all) {
      packet.read(bytes)
      selector.push(layer, packet, atUs, emit)
    }
    depacketizer.flush((item) => items.push(item))
    expect(selector.stats.switches).toBeGreaterThan(0)
    const { lost, epochs, droppedUnits, strays } = depacketizer.stats
    expect({ lost, epochs, strays }).toEqual({ lost: 0, epochs: 1, strays: 0 })
    expect(Object.values(droppedUnits).reduce((sum, count) => sum + count, 0)).toBe(0)
    expect(items.filter(({ type }) => type === 'access-unit').length).toBeGreaterThan(400)
  })

  test.each([
    ['layers', { layers: [] }],
    ['layers', { layers: [{ id: 'x' }, { id: 'x' }] }],
    ['aliveUs', { aliveUs: 0 }],
    ['clockRate', { clockRate: -1 }],
  ])('%s is checked', (field, options) => {
    expect(() => new SimulcastSelector({ codec: 'vp8', layers, ...options })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIGURATION', field }),
    )
  })
})
