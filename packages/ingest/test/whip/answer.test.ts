import { describe, expect, test } from 'vitest'
import { parseSdpText } from '../../src/sdp/parsed-sdp.js'
import { type AnswerWishes, type LocalTransport, writeAnswer } from '../../src/whip/answer.js'
import { WhipError } from '../../src/whip/errors.js'
import { readOffer } from '../../src/whip/offer.js'
import type { OfferPolicy } from '../../src/whip/section.js'
import { chromiumOffer, encoderOffer } from './offers.js'

const policy: OfferPolicy = { videoCodecs: undefined, audioCodecs: undefined, audioRedundancy: true }
const local: LocalTransport = {
  usernameFragment: 'ours',
  password: 'ourspassword0123456789',
  fingerprint: { algorithm: 'sha-256', value: 'AA:BB' },
  setup: 'active',
  candidates: [{ foundation: 'f', priority: 2130706431, address: '192.0.2.2', port: 40000, type: 'host' }],
}
const wishes: AnswerWishes = { opusDtx: true, maxVideoBitrateBps: undefined }

function answer(offer: string, change: Partial<OfferPolicy> = {}, wish: Partial<AnswerWishes> = {}) {
  const text = writeAnswer(readOffer(offer, { ...policy, ...change }), local, { ...wishes, ...wish }, '1')
  return { text, media: parseSdpText(text).media }
}

describe('the offer of a browser', () => {
  const { text, media } = answer(chromiumOffer)

  test('takes what can be recorded, with its retransmissions, in the order of the offer', () => {
    expect(String(media[0]?.payloads)).toBe('96 102 98 45 97 103 99 46')
    expect(String(media[1]?.payloads)).toBe('63 111 9 0 8')
  })
  test('refuses the data channel, and leaves it out of the bundle', () => {
    expect(media[2]).toMatchObject({ type: 'application', port: 0, mid: 2 })
    expect(text).toContain('a=group:BUNDLE 0 1\r\n')
  })
  test('receives and sends nothing', () => {
    expect(media.slice(0, 2).map(({ direction }) => direction)).toEqual(['recvonly', 'recvonly'])
    expect(text).not.toMatch(/^a=ssrc/m)
  })
  test('asks for feedback that was offered and is sent, no other', () => {
    const vp8 = media[0]?.rtcpFb?.filter(({ payload }) => payload === 96)
    expect(vp8?.map(({ type, subtype }) => [type, subtype].filter(Boolean).join(' '))).toEqual([
      'transport-cc',
      'ccm fir',
      'nack',
      'nack pli',
    ])
  })
  test('takes header extensions that are read, under their numbers', () => {
    expect(media[0]?.ext?.map(({ value }) => value)).toEqual([3, 4, 9])
    expect(text).toContain('a=extmap-allow-mixed\r\n')
  })
  test('names candidates once, in the first section that is taken', () => {
    expect(text.match(/^a=candidate:/gm)).toHaveLength(1)
    expect(media[0]?.candidates).toHaveLength(1)
  })
  test('says parameters back, and asks for stereo Opus with FEC', () => {
    expect(media[0]?.fmtp.find(({ payload }) => payload === 102)?.config).toBe(
      'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    )
    expect(media[1]?.fmtp.find(({ payload }) => payload === 111)?.config).toBe(
      'minptime=10;useinbandfec=1;stereo=1;sprop-stereo=0;usedtx=1',
    )
  })
  test('every line ends as it must', () => {
    expect(text.endsWith('\r\n')).toBe(true)
    expect(
      text
        .split('\r\n')
        .slice(0, -1)
        .every((line) => /^[a-z]=\S/.test(line)),
    ).toBe(true)
  })
})

describe('what is read of an offer', () => {
  test('media behind the encryption, for the RTP session', () => {
    const { media, candidates } = readOffer(chromiumOffer, policy)
    expect(media.map(({ mid, kind }) => [mid, kind])).toEqual([
      ['0', 'video'],
      ['1', 'audio'],
    ])
    expect(media[0]).toMatchObject({ rtx: { 97: 96, 103: 102 }, rtxSsrcs: { 1002: 1001 }, ulpfec: [], ssrcs: [1001] })
    expect(media[0]?.feedback).toMatchObject({ nack: true, pli: true, reducedSize: true })
    expect(media[1]?.red).toEqual([63])
    // Neither a name nor TCP.
    expect(candidates.map(({ address }) => address)).toEqual(['203.0.113.7'])
  })
  test('a transport that is described for the whole session, each candidate once', () => {
    const offer = readOffer(encoderOffer, policy)
    expect(offer).toMatchObject({ usernameFragment: '8hhY', setup: 'actpass', iceLite: false, isBundled: true })
    expect(offer.fingerprints).toHaveLength(1)
    expect(offer.candidates).toEqual([
      { foundation: '1', priority: 2122317823, address: '192.0.2.9', port: 50000, type: 'host' },
    ])
    expect(offer.media.map(({ ssrcs }) => ssrcs)).toEqual([[5001], [5002]])
  })
})

describe('what the host wants', () => {
  test('its own order of codecs, and no others', () => {
    const { media } = answer(chromiumOffer, {
      videoCodecs: ['h264', 'vp8'],
      audioCodecs: ['opus'],
      audioRedundancy: false,
    })
    expect(String(media[0]?.payloads)).toBe('102 96 97 103')
    expect(String(media[1]?.payloads)).toBe('111')
  })
  test('a ceiling, and no discontinuous transmission', () => {
    const { text } = answer(chromiumOffer, {}, { maxVideoBitrateBps: 1_500_000, opusDtx: false })
    expect(text).toContain('b=AS:1500\r\nb=TIAS:1500000\r\n')
    expect(text.match(/^b=AS/gm)).toHaveLength(1)
    expect(text).not.toContain('usedtx')
  })
  test('simulcast the other way round', () => {
    const offer = chromiumOffer.replace(
      'a=ssrc-group:FID 1001 1002\r\n',
      'a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;~l\r\n',
    )
    const { text } = answer(offer)
    expect(text).toContain('a=rid:h recv\r\na=rid:l recv\r\na=simulcast:recv h;l\r\n')
  })
})

describe('offers that cannot be answered', () => {
  test.for([
    ['nothing', '', 'WHIP_BAD_OFFER'],
    ['no SDP', 'hello', 'WHIP_BAD_OFFER'],
    [
      'nothing is sent',
      chromiumOffer.replace('a=sendonly', 'a=recvonly').replace('a=sendrecv', 'a=inactive'),
      'WHIP_NO_COMMON_CODEC',
    ],
    [
      'no codec that is taken',
      encoderOffer.replaceAll('H264', 'H263').replaceAll('opus', 'speex'),
      'WHIP_NO_COMMON_CODEC',
    ],
    ['plain RTP', encoderOffer.replaceAll('UDP/TLS/RTP/SAVPF', 'RTP/AVP'), 'WHIP_NO_COMMON_CODEC'],
    ['no fingerprint', encoderOffer.replace(/a=fingerprint.*\r\n/, ''), 'WHIP_BAD_OFFER'],
    ['no ICE', encoderOffer.replace(/a=ice-ufrag.*\r\n/, ''), 'WHIP_BAD_OFFER'],
    ['several transports', encoderOffer.replace(/a=group:BUNDLE.*\r\n/, ''), 'WHIP_BAD_OFFER'],
    ['two sections of one name', encoderOffer.replace('a=mid:1', 'a=mid:0'), 'WHIP_BAD_OFFER'],
    ['a setup that means nothing', encoderOffer.replace('a=setup:actpass', 'a=setup:holdconn'), 'WHIP_BAD_OFFER'],
    ['too many sections', encoderOffer + 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n'.repeat(20), 'WHIP_BAD_OFFER'],
  ] as const)('%s', ([, offer, code]) => {
    let thrown: unknown
    try {
      readOffer(offer, policy)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(WhipError)
    expect((thrown as WhipError).code).toBe(code)
  })
})
