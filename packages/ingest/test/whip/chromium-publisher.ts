import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export const hasChromium: boolean = existsSync(EXECUTABLE)

/** How the page publishes. */
export interface PublishOptions {
  readonly url: string
  readonly token?: string
  /** MIME type that goes first. */
  readonly codec?: string
  /** Send the offer before candidates are known, and those by PATCH. @defaultValue false */
  readonly trickle?: boolean
  readonly audio?: boolean
  /** rids, largest first. */
  readonly simulcast?: readonly string[]
}

export interface Publication {
  readonly status: number
  readonly location: string
  readonly answer: string
  /** Statuses of the PATCH requests. */
  readonly patches: readonly number[]
}

/** Draws the test card, and publishes it over WHIP with nothing but what RFC 9725 says. */
const PAGE = `<!doctype html><canvas id=c width=640 height=360></canvas><script>
const canvas = document.getElementById('c'), draw = canvas.getContext('2d', { alpha: false })
let counter = 0
setInterval(() => {
  draw.fillStyle = '#444'; draw.fillRect(0, 0, 640, 360)
  const cells = (value, bits, y) => { for (let i = 0; i < bits; i++) {
    draw.fillStyle = (value >> (bits - 1 - i)) & 1 ? '#fff' : '#000'
    draw.fillRect(i * 640 / bits, y, 640 / bits, 51) } }
  cells(counter++ & 0xffff, 16, 0)
  cells(0x5a, 8, 309)
}, 40)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
async function publish({ url, token, codec, trickle, audio, simulcast }) {
  const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  const [track] = canvas.captureStream(25).getVideoTracks()
  const sendEncodings = simulcast && simulcast.map((rid, i) => ({ rid, scaleResolutionDownBy: 2 ** i }))
  const sender = pc.addTransceiver(track, { direction: 'sendonly', ...(sendEncodings ? { sendEncodings } : {}) })
  if (codec) {
    const all = RTCRtpSender.getCapabilities('video').codecs
    const first = all.filter((one) => one.mimeType.toLowerCase() === codec.toLowerCase())
    sender.setCodecPreferences([...first, ...all.filter((one) => one.mimeType === 'video/rtx')])
  }
  if (audio) {
    const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination()
    tone.connect(out); tone.start()
    pc.addTransceiver(out.stream.getAudioTracks()[0], { direction: 'sendonly' })
  }
  const candidates = []
  const gathered = new Promise((resolve) => { pc.onicecandidate = ({ candidate }) => candidate ? candidates.push(candidate) : resolve() })
  await pc.setLocalDescription()
  if (!trickle) await Promise.race([gathered, sleep(700)])
  const auth = token ? { authorization: 'Bearer ' + token } : {}
  const response = await fetch(url, { method: 'POST', body: trickle ? pc.localDescription.sdp.replace(/a=candidate.*\\r\\n/g, '') : pc.localDescription.sdp,
    headers: { 'content-type': 'application/sdp', ...auth } })
  const answer = await response.text(), patches = []
  const location = response.headers.get('location')
  if (response.status !== 201) return { status: response.status, location: '', answer, patches }
  window.session = new URL(location, url).href
  await pc.setRemoteDescription({ type: 'answer', sdp: answer })
  if (trickle) {
    await Promise.race([gathered, sleep(700)])
    const ufrag = /a=ice-ufrag:(\\S+)/.exec(pc.localDescription.sdp)[1], pwd = /a=ice-pwd:(\\S+)/.exec(pc.localDescription.sdp)[1]
    const body = 'a=ice-ufrag:' + ufrag + '\\r\\na=ice-pwd:' + pwd + '\\r\\nm=video 9 UDP/TLS/RTP/SAVPF 0\\r\\na=mid:0\\r\\n'
      + candidates.map(({ candidate }) => 'a=' + candidate + '\\r\\n').join('') + 'a=end-of-candidates\\r\\n'
    const patch = await fetch(window.session, { method: 'PATCH', body, headers: { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': response.headers.get('etag'), ...auth } })
    patches.push(patch.status)
  }
  return { status: 201, location, answer, patches }
}
async function outbound() {
  const found = []
  for (const one of (await pc.getStats()).values()) if (one.type === 'outbound-rtp' || one.type === 'remote-inbound-rtp' || (one.type === 'candidate-pair' && one.nominated)) found.push(one)
  return found
}
</script>`

export interface Publisher {
  readonly page: Page
  publish(options: PublishOptions): Promise<Publication>
  /** Outbound RTP, reports that came back, and the nominated pair. */
  stats(): Promise<readonly Record<string, unknown>[]>
  /** Sends DELETE, as a publisher does that stops. */
  unpublish(): Promise<number>
}

/** A headless Chromium; every publisher is a page of its own. */
export async function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--autoplay-policy=no-user-gesture-required',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // The timer that draws must not be slowed down.
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
    ],
  })
}

export async function openPublisher(browser: Browser): Promise<Publisher> {
  const page = await browser.newPage()
  // A real server: a page of nowhere may not speak to this machine. It is another origin than the endpoint.
  const server = await servePage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  page.on('close', () => server.close())
  return {
    page,
    publish: (options) => page.evaluate(`publish(${JSON.stringify(options)})`),
    stats: () => page.evaluate('outbound()'),
    unpublish: () =>
      page.evaluate("fetch(session, { method: 'DELETE' }).then((response) => (pc.close(), response.status))"),
  }
}

async function servePage(): Promise<Server> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(PAGE))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return server
}
