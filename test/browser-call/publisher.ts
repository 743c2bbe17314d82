import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Where Debian puts it. */
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Whether there is a Chromium to call with. */
export const hasChromium: boolean = existsSync(EXECUTABLE)

/** Who publishes what, and where. */
export interface PublishOptions {
  /** Takes an offer by POST, as WHIP does. */
  readonly url: string
  /** Milliseconds since 1970 at which the card's counter was 0: a whole second. */
  readonly epoch: number
  readonly cardId: number
  readonly toneHz: number
  readonly codec: 'h264' | 'vp8' | 'vp9' | 'av1'
  readonly maxBitrateBps: number
}

/** What the page and its browser say of what they sent. */
export interface PublisherFacts {
  /** Counters of the card, and when each was drawn: milliseconds since 1970. */
  readonly draws: readonly (readonly [counter: number, atMs: number])[]
  /** When each beep began to sound, by the progress of the page's audio clock: milliseconds since 1970. */
  readonly beeps: readonly number[]
  readonly framesEncoded: number
  readonly framesSent: number
  readonly keyFramesEncoded: number
  readonly retransmittedPacketsSent: number
  readonly nackCount: number
  readonly pliCount: number
  readonly frameWidth: number
  readonly frameHeight: number
  readonly qualityLimitationReason: string
  readonly roundTripMs: number
  /** Of the way out, bits per second. */
  readonly estimateBps: number
}

/** A page that is one participant. */
export interface Publisher {
  /** Resolves when media flows. */
  publish(options: PublishOptions): Promise<void>
  /** Ends what is sent, so that only repairs are still on the way. */
  quiet(): Promise<void>
  facts(): Promise<PublisherFacts>
  /** Sends DELETE and closes the connection; resolves with the status. */
  hangUp(): Promise<number>
}

/** A headless Chromium; every publisher is a page of its own. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--autoplay-policy=no-user-gesture-required',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      // The timers that draw must not be slowed down.
      '--disable-background-timer-throttling',
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export async function openPublisher(browser: Browser, pageUrl: string): Promise<Publisher> {
  // A context each: pages of one context would share a process, and with it one thread that draws.
  const page = await (await browser.newContext({ viewport: { width: 640, height: 400 } })).newPage()
  await page.goto(pageUrl)
  return {
    publish: (options) => page.evaluate(`publish(${JSON.stringify(options)})`),
    quiet: () => page.evaluate('quiet()'),
    facts: () => page.evaluate<PublisherFacts>('facts()'),
    hangUp: () => page.evaluate<number>('hangUp()'),
  }
}
