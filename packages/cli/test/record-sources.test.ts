import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseUdpStream, rtpSourcesOf, type SourceArgument } from '../src/record-sources.js'

let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-sources-'))
  await writeFile(join(dir, 'anna.sdp'), 'of anna')
  await writeFile(join(dir, 'bob.smith.sdp'), 'of bob')
})

afterAll(() => rm(dir, { recursive: true, force: true }))

describe('--udp', () => {
  it.each([
    ['video/h264:5004:96', { kind: 'video', codec: 'h264', port: 5004, payloadType: 96 }],
    ['video/VP8:0', { kind: 'video', codec: 'vp8', port: 0, payloadType: 96 }],
    ['audio/opus:5006:111', { kind: 'audio', codec: 'opus', port: 5006, payloadType: 111 }],
    ['audio/opus:5006', { kind: 'audio', codec: 'opus', port: 5006, payloadType: 97 }],
    ['audio/pcmu:5006', { kind: 'audio', codec: 'pcmu', port: 5006, payloadType: 0 }],
    ['audio/G722:65535', { kind: 'audio', codec: 'g722', port: 65_535, payloadType: 9 }],
  ])('%s', (text, stream) => {
    expect(parseUdpStream(text)).toEqual(stream)
  })

  it.each([
    ['', /must be KIND\/CODEC:PORT/],
    ['video/h264', /must be KIND\/CODEC:PORT/],
    ['text/red:5004', /must be KIND\/CODEC:PORT/],
    ['video/h264:5004:96:1', /must be KIND\/CODEC:PORT/],
    ['video/opus:5004', /the video codec must be one of h264, /],
    ['audio/aac:5004', /the audio codec must be one of opus, .*; AAC needs --sdp/],
    ['video/h264:65536', /the port must be 0 \(any\) to 65535/],
    ['video/h264:5004:128', /the payload type must be 0 to 127/],
  ])('refuses %j', (text, message) => {
    expect(() => parseUdpStream(text)).toThrow(message)
  })
})

describe('whose sources they are', () => {
  const who = async (...given: readonly string[]): Promise<string[]> => {
    const options: SourceArgument[] = given.map((text) => {
      const [option, value = ''] = text.split(' ')
      return { option: `--${option}` as SourceArgument['option'], value }
    })
    const sources = await rtpSourcesOf(options, dir)
    return sources.map(({ participantId, sdp, streams }) => `${participantId}: ${sdp ?? streams?.length}`)
  }
  const stream = 'udp video/h264:5004'

  it.each([
    [['sdp anna.sdp'], ['anna: of anna']],
    [
      ['sdp anna.sdp', 'sdp bob.smith.sdp'],
      ['anna: of anna', 'bob.smith: of bob'],
    ],
    [['sdp anna.sdp', 'participant eve'], ['eve: of anna']],
    [
      ['participant eve', 'sdp anna.sdp', 'sdp bob.smith.sdp'],
      ['eve: of anna', 'eve: of bob'],
    ],
    [
      ['participant eve', 'sdp anna.sdp', 'participant dan', 'sdp bob.smith.sdp'],
      ['eve: of anna', 'dan: of bob'],
    ],
    [
      ['sdp anna.sdp', 'participant eve', 'sdp bob.smith.sdp', 'participant dan', stream],
      ['anna: of anna', 'eve: of bob', 'dan: 1'],
    ],
    [[stream, 'udp audio/opus:5006'], ['udp: 2']],
    [
      ['participant eve', stream, 'udp audio/opus:5006', 'participant dan', 'udp video/vp8:5008'],
      ['eve: 2', 'dan: 1'],
    ],
  ])('%j', async (given, expected) => {
    expect(await who(...given)).toEqual(expected)
  })

  it.each([
    [['sdp anna.sdp', 'sdp ./anna.sdp'], /--sdp: two files would be participant anna/],
    [['participant eve'], /--participant: must stand before the --sdp or --udp options that it names, got "eve"/],
    [['participant eve', 'participant dan', stream], /--participant: must stand before .*"eve"/],
    [['participant eve', stream, 'participant dan'], /--participant: must stand before .*"dan"/],
    [['participant ', stream], /--participant: must not be empty/],
  ])('refuses %j', async (given, message) => {
    await expect(who(...given)).rejects.toThrow(message)
  })
})
