const HEAD = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 't=0 0']

function description(...lines: string[]): string {
  return [...HEAD, ...lines, ''].join('\r\n')
}

const FFMPEG = description(
  'c=IN IP4 127.0.0.1',
  'a=tool:libavformat LIBAVFORMAT_VERSION',
  'm=video 5004 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkD,aMuDyyA=; profile-level-id=42C01E',
  'm=audio 5006 RTP/AVP 97',
  'b=AS:96',
  'a=rtpmap:97 opus/48000/2',
  'a=fmtp:97 sprop-stereo=1',
)

const GSTREAMER = description(
  'm=video 5004 RTP/AVP 96',
  'c=IN IP4 127.0.0.1',
  'a=rtpmap:96 VP8/90000',
  'a=framerate:30',
  'a=ts-refclk:local',
  'a=mediaclk:sender',
  'a=ssrc:3484078950 cname:user3344942761@host-e1a1b2c3',
  'm=audio 5006 RTP/AVP 0 8 9 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
)

/** Chromium's offer with the encryption taken out: repair, feedback, extensions, bundle. */
const CHROMIUM = description(
  'a=group:BUNDLE a v',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS 5f0a',
  'm=audio 9 RTP/AVPF 111 63 9 0 8 126',
  'c=IN IP4 0.0.0.0',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=mid:a',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=rtcp-fb:111 nack',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'a=rtpmap:126 telephone-event/8000',
  'm=video 0 RTP/AVPF 96 97 98 99 100 35',
  'a=bundle-only',
  'a=mid:v',
  'a=rtcp-mux',
  'a=extmap:3 urn:3gpp:video-orientation',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'a=rtpmap:96 H264/90000',
  'a=rtcp-fb:96 nack',
  'a=rtcp-fb:96 nack pli',
  'a=rtcp-fb:96 ccm fir',
  'a=rtcp-fb:96 goog-remb',
  'a=rtcp-fb:* rrtr',
  'a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=rtpmap:98 red/90000',
  'a=rtpmap:99 rtx/90000',
  'a=fmtp:99 apt=98',
  'a=rtpmap:100 ulpfec/90000',
  'a=rtpmap:35 flexfec-03/90000',
  'a=ssrc-group:FID 7 8',
  'a=ssrc-group:FEC-FR 7 9',
  'a=ssrc:7 cname:x',
  'a=ssrc:8 cname:x',
  'a=ssrc:9 cname:x',
)

const SIMULCAST = description(
  'm=video 5004 RTP/AVPF 96 97',
  'a=rtcp-mux',
  'a=rtpmap:96 H264/90000',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=rtcp-fb:96 nack',
  'a=rtcp-fb:96 ccm fir',
  'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'a=rid:hi send max-width=1280;max-height=720',
  'a=rid:0 send pt=96',
  'a=simulcast:send hi;~0,x',
)

const SIMULCAST_SSRCS = description(
  'm=video 5004 RTP/AVPF 96',
  'a=rtpmap:96 VP8/90000',
  'a=ssrc-group:SIM 1 2 3',
  'a=ssrc-group:FID 1 11',
  'a=ssrc:1 cname:x',
  'a=ssrc:2 cname:x',
  'a=ssrc:3 cname:x',
)

/** As ffmpeg, GStreamer and Chromium write them. */
export const DESCRIPTIONS: readonly string[] = [FFMPEG, GSTREAMER, CHROMIUM, SIMULCAST, SIMULCAST_SSRCS]

/** What takes any source, with and without repair, and layers. */
export const SESSION_DESCRIPTIONS: readonly string[] = [
  CHROMIUM,
  FFMPEG,
  SIMULCAST,
  description(
    'm=video 5004 RTP/AVPF 96 97 98 100',
    'a=rtcp-mux',
    'a=rtpmap:96 H264/90000',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:98 red/90000',
    'a=rtpmap:100 ulpfec/90000',
    'a=rtcp-fb:96 nack',
  ),
  description(
    'm=audio 5004 RTP/AVPF 111 63',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:63 red/48000/2',
    'a=fmtp:63 111/111',
    'a=rtcp-fb:111 nack',
  ),
  SIMULCAST_SSRCS,
]
