import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type Browser, chromium } from 'playwright-core'
import { serveFolder } from './serve-folder.js'

/** Where Debian puts it. */
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Whether there is a Chromium to play in. */
export const hasChromium: boolean = existsSync(EXECUTABLE)

/** What a play-through looked like. */
export interface Playback {
  readonly ended: boolean
  readonly fatal: readonly string[]
  /** hls.js errors of any kind, with the playing time. */
  readonly errors: readonly string[]
  /** Each size that the video element took, with the playing time. */
  readonly sizes: readonly { readonly at: number; readonly width: number; readonly height: number }[]
  /** Each variant that hls.js switched to, the smallest first as 0, with the playing time. */
  readonly levels: readonly { readonly at: number; readonly level: number }[]
  readonly seeks: number
  readonly waits: number
  /** Seconds. */
  readonly currentTime: number
  readonly duration: number
  readonly frames: number
  readonly corrupted: number
}

export interface PlayOptions {
  /** Speed of playing. @defaultValue 1 */
  readonly rate?: number
  /** Take a picture after these playing times, in seconds, to `name(at)`. */
  readonly screenshots?: { readonly at: readonly number[]; readonly path: (at: number) => string }
  /** Has hls.js go on with another variant, the smallest first as 0, from these playing times on, in seconds. */
  readonly switches?: readonly { readonly at: number; readonly level: number }[]
  /** Gives up after so many seconds. */
  readonly timeoutSeconds: number
}

export interface ChromiumPlayer {
  /** Plays a file of the folder to its end: HLS through hls.js, MP4 by the video element. */
  play(path: string, options: PlayOptions): Promise<Playback>
  close(): Promise<void>
}

/** A headless Chromium before the files of `root`. */
export async function openChromiumPlayer(root: string): Promise<ChromiumPlayer> {
  const require = createRequire(import.meta.url)
  const pages = new Map([
    ['/player.html', await readFile(new URL('./player-page.html', import.meta.url), 'utf8')],
    ['/hls.js', await readFile(require.resolve('hls.js/dist/hls.min.js'), 'utf8')],
  ])
  const server = await serveFolder(root, pages)
  const browser: Browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--autoplay-policy=no-user-gesture-required',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    async play(path, options) {
      const page = await browser.newPage({ viewport: { width: 640, height: 480 } })
      try {
        await page.goto(`${server.origin}/player.html`)
        const url = `${server.origin}/${path.split('/').map(encodeURIComponent).join('/')}`
        await page.evaluate(`play(${JSON.stringify(url)}, ${options.rate ?? 1})`)
        const pictures = [...(options.screenshots?.at ?? [])].sort((a, b) => a - b)
        const switches = [...(options.switches ?? [])].sort((a, b) => a.at - b.at)
        const deadline = Date.now() + options.timeoutSeconds * 1000
        for (;;) {
          const playback = await page.evaluate<Playback>('look()')
          const next = switches[0]
          if (next !== undefined && playback.currentTime >= next.at) {
            switches.shift()
            await page.evaluate(`hls.nextLevel = ${next.level}`)
          }
          const due = pictures[0]
          if (due !== undefined && playback.currentTime >= due) {
            pictures.shift()
            await page.screenshot({ path: options.screenshots?.path(due) as string })
          }
          if (playback.ended || playback.fatal.length > 0 || Date.now() > deadline) return playback
          await page.waitForTimeout(100)
        }
      } finally {
        await page.close()
      }
    },
    async close() {
      await browser.close()
      await server.close()
    },
  }
}
