import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { TONE_HZ } from './card-file.js'

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export const hasChromium: boolean = existsSync(EXECUTABLE)

/** Draws the test card and sounds its tone by one clock, and publishes both. */
const PAGE = `<!doctype html><canvas id=c width=480 height=270></canvas><script>
const draw = document.getElementById('c').getContext('2d', { alpha: false })
const context = new AudioContext({ sampleRate: 48000 })
let counter = 0, startMs = 0
const paint = () => {
  draw.fillStyle = '#555'; draw.fillRect(0, 0, 480, 270)
  const cells = (value, bits, y) => { for (let i = 0; i < bits; i++) {
    draw.fillStyle = (value >> (bits - 1 - i)) & 1 ? '#fff' : '#000'
    draw.fillRect(i * 480 / bits, y, 480 / bits, 38) } }
  cells(counter & 0xffff, 16, 0)
  cells(0x5a, 8, 232)
  draw.fillStyle = counter % 30 < 3 ? '#fff' : '#000'
  draw.fillRect(168, 94, 144, 82)
}
async function offer(mimeType) {
  await context.resume()
  const tone = context.createOscillator(), gain = context.createGain(), out = context.createMediaStreamDestination()
  tone.frequency.value = ${TONE_HZ}
  tone.connect(gain).connect(out); tone.start()
  const zero = context.currentTime + 0.5
  startMs = performance.now() + 500
  gain.gain.setValueAtTime(0.02, context.currentTime)
  for (let second = 0; second < 60; second++) {
    gain.gain.setValueAtTime(0.5, zero + second); gain.gain.setValueAtTime(0.02, zero + second + 0.1)
  }
  setInterval(() => {
    const now = Math.floor((performance.now() - startMs) * 30 / 1000)
    if (now > counter) { counter = now; paint() }
  }, 4)
  const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  pc.addTransceiver(out.stream.getAudioTracks()[0], { direction: 'sendonly' })
  const [picture] = document.getElementById('c').captureStream(30).getVideoTracks()
  const sender = pc.addTransceiver(picture, { direction: 'sendonly' })
  const codecs = RTCRtpSender.getCapabilities('video').codecs
  sender.setCodecPreferences(codecs.filter((one) => [mimeType, 'video/rtx'].includes(one.mimeType)))
  const gathered = new Promise((resolve) => { pc.onicecandidate = ({ candidate }) => candidate || resolve() })
  await pc.setLocalDescription()
  await Promise.race([gathered, new Promise((resolve) => setTimeout(resolve, 1000))])
  return pc.localDescription.sdp
}
async function sentVideo() {
  for (const one of (await pc.getStats()).values()) if (one.type === 'outbound-rtp' && one.kind === 'video') return one
  return {}
}
</script>`

/** What Chromium counts of its video. */
export interface SentVideo {
  readonly framesEncoded?: number
  readonly framesSent?: number
  readonly keyFramesEncoded?: number
  readonly pliCount?: number
  readonly packetsSent?: number
}

/** A page that publishes the test card. */
export interface CardPublisher {
  offer(mimeType: string): Promise<string>
  answer(sdp: string): Promise<void>
  sentVideo(): Promise<SentVideo>
  close(): Promise<void>
}

export async function openChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--autoplay-policy=no-user-gesture-required',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      // Addresses as they are: Janus is asked to find no names.
      '--disable-features=WebRtcHideLocalIpsWithMdns',
    ],
  })
}

export async function openPublisher(browser: Browser): Promise<CardPublisher> {
  const page: Page = await browser.newPage()
  await page.setContent(PAGE)
  return {
    offer: (mimeType) => page.evaluate(`offer(${JSON.stringify(mimeType)})`),
    answer: (sdp) => page.evaluate(`pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(sdp)} })`),
    sentVideo: () => page.evaluate('sentVideo()'),
    close: () => page.close(),
  }
}
