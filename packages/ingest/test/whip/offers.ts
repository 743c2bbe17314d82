/** Offers as publishers write them, shortened where lines repeat. */

const TRANSPORT = `a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=fingerprint:sha-256 D5:58:CD:96:85:E5:2F:C1:5F:FC:FD:AB:E9:90:64:67:F4:EF:E9:CB:98:A7:4B:CE:CF:AE:B8:14:25:6F:9C:A7
a=setup:actpass`

const lines = (text: string): string => `${text.trim().split('\n').join('\r\n')}\r\n`

/** Chromium 156, two sections and a data channel. */
export const chromiumOffer: string = lines(`v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 98 99 45 46 116 117 118
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 7a1c2b0e-1f52-4c2e-9c3a-2c3f0f2d7e11.local 51820 typ host generation 0
a=candidate:2 1 udp 1677729535 203.0.113.7 51820 typ srflx raddr 0.0.0.0 rport 0 generation 0
a=candidate:3 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active generation 0
${TRANSPORT}
a=ice-options:trickle
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:toffset
a=extmap:3 urn:3gpp:video-orientation
a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=rtpmap:98 VP9/90000
a=fmtp:98 profile-id=0
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:45 AV1/90000
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=rtpmap:116 red/90000
a=rtpmap:117 rtx/90000
a=fmtp:117 apt=116
a=rtpmap:118 ulpfec/90000
a=ssrc-group:FID 1001 1002
a=ssrc:1001 cname:abc
a=ssrc:1002 cname:abc
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110
c=IN IP4 0.0.0.0
${TRANSPORT}
a=mid:1
a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=ssrc:1003 cname:abc
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
${TRANSPORT}
a=mid:2
a=sctp-port:5000`)

/** As libdatachannel writes it for OBS: session-level transport, no header extensions, everything in the first answer. */
export const encoderOffer: string = lines(`v=0
o=rtc 2873190215 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=setup:actpass
a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=ice-options:ice2,trickle
a=fingerprint:sha-256 D5:58:CD:96:85:E5:2F:C1:5F:FC:FD:AB:E9:90:64:67:F4:EF:E9:CB:98:A7:4B:CE:CF:AE:B8:14:25:6F:9C:A7
m=audio 50000 UDP/TLS/RTP/SAVPF 111
c=IN IP4 192.0.2.9
a=mid:0
a=sendonly
a=ssrc:5001 cname:obs
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
a=candidate:1 1 UDP 2122317823 192.0.2.9 50000 typ host
a=end-of-candidates
m=video 50000 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.0.2.9
a=mid:1
a=sendonly
a=ssrc:5002 cname:obs
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1`)
