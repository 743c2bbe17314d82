import { describe, expect, test } from 'vitest'
import { parseSdp } from '../../src/index.js'

const sdp = (...lines: string[]): string =>
  ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 't=0 0', ...lines, ''].join('\r\n')

describe('parseSdp', () => {
  test('as ffmpeg writes it', () => {
    const { media } = parseSdp(
      sdp(
        'c=IN IP4 127.0.0.1',
        'm=video 5004 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkD,aMuDyyA=; profile-level-id=42C01E',
        'm=audio 5006 RTP/AVP 97',
        'a=rtpmap:97 opus/48000/2',
      ),
    )
    expect(media).toMatchObject([
      {
        mid: '0',
        kind: 'video',
        port: 5004,
        rtcpPort: 5005,
        rtcpMux: false,
        formats: [
          {
            payloadType: 96,
            codec: 'h264',
            clockRate: 90_000,
            fmtp: 'packetization-mode=1; sprop-parameter-sets=Z0LAHtkD,aMuDyyA=; profile-level-id=42C01E',
          },
        ],
        feedback: { nack: false, pli: false },
        layers: [],
      },
      { mid: '1', kind: 'audio', port: 5006, formats: [{ codec: 'opus', clockRate: 48_000, channels: 2 }] },
    ])
  })

  test('as a browser would describe it, in the clear: repair, feedback, extensions, bundle', () => {
    const { media } = parseSdp(
      sdp(
        'a=group:BUNDLE a v',
        'm=audio 9 RTP/AVPF 111 63 126',
        'a=mid:a',
        'a=rtcp-mux',
        'a=rtcp-rsize',
        'a=rtpmap:111 opus/48000/2',
        'a=rtpmap:63 red/48000/2',
        'a=fmtp:63 111/111',
        'a=rtpmap:126 telephone-event/8000',
        'm=video 0 RTP/AVPF 96 97 98 99 100 35',
        'a=bundle-only',
        'a=mid:v',
        'a=rtcp-mux',
        'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
        'a=rtpmap:96 VP8/90000',
        'a=rtcp-fb:96 nack',
        'a=rtcp-fb:96 nack pli',
        'a=rtcp-fb:96 ccm fir',
        'a=rtcp-fb:96 goog-remb',
        'a=rtpmap:97 rtx/90000',
        'a=fmtp:97 apt=96',
        'a=rtpmap:98 red/90000',
        'a=rtpmap:99 rtx/90000',
        'a=fmtp:99 apt=98',
        'a=rtpmap:100 ulpfec/90000',
        'a=rtpmap:35 flexfec-03/90000',
        'a=ssrc-group:FID 1111 2222',
        'a=ssrc-group:FEC-FR 1111 3333',
        'a=ssrc:1111 cname:x',
        'a=ssrc:2222 cname:x',
        'a=ssrc:3333 cname:x',
      ),
    )
    expect(media).toMatchObject([
      { mid: 'a', bundle: 'bundle-0', rtcpMux: true, rtcpPort: 9, red: [63], feedback: { reducedSize: true } },
      {
        mid: 'v',
        bundle: 'bundle-0',
        formats: [{ payloadType: 96, codec: 'vp8' }],
        rtx: { 97: 96, 99: 98 },
        red: [98],
        ulpfec: [100],
        unsupported: [{ payloadType: 35, encoding: 'flexfec-03' }],
        headerExtensions: { 4: 'urn:ietf:params:rtp-hdrext:sdes:mid' },
        rtxSsrcs: { 2222: 1111 },
        ignoredSsrcs: [3333],
        ssrcs: [1111],
        feedback: { nack: true, pli: true, fir: true, remb: true, reducedSize: false },
      },
    ])
  })

  test('simulcast by rid, and by SSRC', () => {
    const head = ['m=video 5004 RTP/AVPF 96', 'a=rtpmap:96 H264/90000']
    const byRid = parseSdp(
      sdp(...head, 'a=rid:hi send max-width=1280;max-height=720', 'a=rid:0 send', 'a=simulcast:send hi;~0,x'),
    )
    expect(byRid.media[0]).toMatchObject({
      layersAscend: false,
      layers: [{ rid: 'hi', maxWidth: 1280, maxHeight: 720 }, { rid: '0' }],
    })
    const bySsrc = parseSdp(
      sdp(...head, 'a=ssrc-group:SIM 1 2', 'a=ssrc:1 cname:x', 'a=ssrc:2 cname:x', 'a=ssrc-group:FID 1 11'),
    )
    expect(bySsrc.media[0]).toMatchObject({
      layersAscend: true,
      layers: [{ ssrc: 1 }, { ssrc: 2 }],
      rtxSsrcs: { 11: 1 },
    })
  })

  test('retransmissions of a payload type that cannot be are not taken', () => {
    const lines = ['a=rtpmap:96 H264/90000', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=960']
    expect(parseSdp(sdp('m=video 5000 RTP/AVP 96 97', ...lines)).media[0]?.rtx).toEqual({})
  })

  test('words that look like numbers are words', () => {
    const lines = ['a=ssrc-group:6 1 2', 'a=extmap:3 5', 'a=extmap:4096 x', 'a=mid:7']
    expect(parseSdp(sdp('m=audio 5000 RTP/AVP 0', ...lines)).media[0]).toMatchObject({
      mid: '7',
      headerExtensions: { 3: '5' },
      layers: [],
    })
  })

  test('ports with leading zeros are numbers', () => {
    expect(parseSdp(sdp('m=audio 05004 RTP/AVP 0')).media[0]).toMatchObject({ port: 5004, rtcpPort: 5005 })
  })

  test('clocks without a rate and channels that are none are not taken', () => {
    const { media } = parseSdp(sdp('m=audio 5000 RTP/AVP 97 98', 'a=rtpmap:97 opus/48000/', 'a=rtpmap:98 opus/0/2'))
    expect(media[0]?.formats).toEqual([{ payloadType: 97, codec: 'opus', clockRate: 48_000 }])
    expect(media[0]?.unsupported).toEqual([{ payloadType: 98, encoding: 'opus' }])
  })

  test('static payload types need no rtpmap; sections that send nothing are left out', () => {
    const { media } = parseSdp(
      sdp(
        'm=audio 5000 RTP/AVP 0 8',
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'm=video 5002 RTP/AVP 96',
        'a=rtpmap:96 H264/90000',
        'a=inactive',
        'm=application 5004 UDP/DTLS/SCTP webrtc-datachannel',
        'm=audio 5008 RTP/AVP 9',
        'a=rtcp:6000',
      ),
    )
    expect(media).toMatchObject([
      {
        mid: '0',
        formats: [
          { payloadType: 0, codec: 'pcmu', clockRate: 8000 },
          { payloadType: 8, codec: 'pcma' },
        ],
      },
      { mid: '4', rtcpPort: 6000, formats: [{ codec: 'g722', clockRate: 8000 }] },
    ])
  })

  test.each([
    ['no SDP', 'hello', 'sdp', /session description/],
    ['nothing to receive', sdp('m=application 9 UDP/DTLS/SCTP x'), 'sdp', /no audio or video/],
    ['SRTP', sdp('m=audio 5000 RTP/SAVPF 0'), 'sdp.media[0].protocol', /SRTP is not spoken here.*RTP\/SAVPF/],
    [
      'keys',
      sdp('m=audio 5000 RTP/AVP 0', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0'),
      'sdp.media[0].protocol',
      /SRTP is not spoken/,
    ],
    ['DTLS', sdp('m=audio 5000 UDP/TLS/RTP/SAVPF 0'), 'sdp.media[0].protocol', /SRTP is not spoken/],
    ['TCP', sdp('m=audio 5000 TCP/RTP/AVP 0'), 'sdp.media[0].protocol', /must be RTP\/AVP/],
    [
      'unknown codecs only',
      sdp('m=video 5000 RTP/AVP 96', 'a=rtpmap:96 theora/90000'),
      'sdp.media[0].rtpmap',
      /theora/,
    ],
    ['a port that is none', sdp('m=audio 65536 RTP/AVP 0'), 'sdp.media[0].port', /65,535/],
    ['no port left for RTCP', sdp('m=audio 65535 RTP/AVP 0'), 'sdp.media[0].rtcp', /65,535/],
    ['an RTCP port that is none', sdp('m=audio 5000 RTP/AVP 0', 'a=rtcp:70000'), 'sdp.media[0].rtcp', /65,535/],
    ['a mid twice', sdp('m=audio 5000 RTP/AVP 0', 'a=mid:x', 'm=audio 5002 RTP/AVP 0', 'a=mid:x'), 'sdp', /unique/],
  ])('%s is refused, and keys are not repeated', (_, text, field, message) => {
    let error: unknown
    try {
      parseSdp(text)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'BAD_CONFIGURATION', field, message: expect.stringMatching(message) })
    expect((error as Error).message).not.toContain('c2VjcmV0')
  })
})
