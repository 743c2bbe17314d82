import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('demo/main.mjs', import.meta.url))
const meeting = fileURLToPath(new URL('../test/fixtures/meeting3', import.meta.url))
const hasFfmpeg = spawnSync('ffprobe', ['-version']).status === 0
const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** When each participant was in the call, in seconds, as the fixture's README says; and when somebody was. */
const stays = { alice: [0.2, 20], bob: [2.9, 14], carol: [5.9, 20], everyone: [0.2, 20] } as const
type Subject = keyof typeof stays

interface Manifest {
  readonly recordingId: string
  readonly outputs: readonly {
    readonly kind: 'individual' | 'composite'
    readonly participantId?: Exclude<Subject, 'everyone'>
    readonly container: 'hls' | 'mp4'
    readonly key: string
    readonly startUs: number
    readonly durationUs: number
  }[]
  readonly layouts: readonly {
    readonly startUs: number
    readonly tiles: readonly { readonly participantId: string }[]
  }[]
}

const subjectOf = ({ participantId }: Manifest['outputs'][number]): Subject => participantId ?? 'everyone'

class Demo {
  readonly #child: ChildProcess
  readonly #exit: Promise<number | null>
  output = ''

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#exit = once(this.#child, 'close').then(([code]) => code as number | null)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
  }

  /** Resolves with the first match in the output; fails when the demo ends without. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output)
      if (match !== null) return match
      if (this.#child.exitCode !== null) throw new Error(`the demo ended without ${pattern}:\n${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  signal(name: 'SIGINT' | 'SIGTERM'): void {
    this.#child.kill(name)
  }

  ends(): Promise<number | null> {
    return this.#exit
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }
}

let out: string
let demo: Demo | undefined

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'rushes-demo-'))
})

afterEach(async () => {
  await demo?.kill()
  demo = undefined
})

afterAll(() => rm(out, { recursive: true, force: true }))

function start(...args: readonly string[]): Demo {
  demo = new Demo(['--out', out, ...args])
  return demo
}

async function newestManifest(): Promise<Manifest> {
  const names = (await readdir(out)).filter((name) => name.startsWith('meeting-')).sort()
  return JSON.parse(await readFile(join(out, names.at(-1) ?? '', 'manifest.json'), 'utf8')) as Manifest
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('the demo, once', () => {
  it('leaves HLS and MP4 of everyone together and alone, and a journal that is the call', async () => {
    const running = start('--once', '--speed', '10', '--port', '0')
    expect(await running.ends(), running.output).toBe(0)
    const manifest = await newestManifest()
    expect(manifest.outputs.map((output) => `${subjectOf(output)} ${output.container}`).sort()).toEqual([
      'alice hls',
      'alice mp4',
      'bob hls',
      'bob mp4',
      'carol hls',
      'carol mp4',
      'everyone hls',
      'everyone mp4',
    ])
    for (const output of manifest.outputs) {
      const { key, startUs, durationUs } = output
      const [from, to] = stays[subjectOf(output)]
      expect(Math.abs(startUs / 1e6 - from), key).toBeLessThan(0.2)
      expect(Math.abs((startUs + durationUs) / 1e6 - to), key).toBeLessThan(0.3)
      const probed = probe(join(out, key))
      expect(Math.abs(probed.durationS - durationUs / 1e6), key).toBeLessThan(0.15)
      expect(probed.codecs, key).toEqual(['aac', 'h264'])
      expect(decodeErrors(join(out, key)), key).toBe('')
    }
    const shown = manifest.layouts.map(({ tiles }) => tiles.map(({ participantId }) => participantId).join(' '))
    expect(shown.filter((tiles, index) => tiles !== shown[index - 1])).toEqual(
      expect.arrayContaining(['alice', 'alice bob', 'alice bob carol', 'alice carol']),
    )
    for (const file of await readdir(meeting)) {
      if (!file.endsWith('.rtpdump')) continue
      const journalled = await readFile(join(out, 'takes', manifest.recordingId, file))
      // The header line and the start time are the recorder's own; the packets are the call's, to the byte.
      expect(packetsOf(journalled).equals(packetsOf(await readFile(join(meeting, file)))), file).toBe(true)
    }
    const names = await readdir(out)
    expect(
      names.filter((name) => name.startsWith('.')),
      'nothing that only grew is left',
    ).toEqual([])
  })

  it('says what is wrong with its options, and does nothing', async () => {
    for (const args of [['--speed', 'fast'], ['--port', '99999'], ['--sped', '2'], ['extra']]) {
      const running = start(...args)
      expect(await running.ends()).toBe(2)
      expect(running.output).toMatch(/^demo: .*\n\nUsage:/)
    }
  })
})

describe('the demo, interrupted', () => {
  it('ends the call at the first Ctrl-C: what there is becomes whole', async () => {
    const running = start('--speed', '4', '--port', '0')
    await running.says(/bob +joined/)
    running.signal('SIGINT')
    expect(await running.ends(), running.output).toBe(0)
    const manifest = await newestManifest()
    const subjects = new Set(manifest.outputs.map(subjectOf))
    expect([subjects.has('alice'), subjects.has('everyone')]).toEqual([true, true])
    for (const { container, key } of manifest.outputs) {
      expect((await stat(join(out, key))).size).toBeGreaterThan(0)
      if (container !== 'hls') continue
      const playlist = await readFile(join(out, key, '../media.m3u8'), 'utf8')
      expect(playlist.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
    }
    const journal = JSON.parse(await readFile(join(out, 'takes', manifest.recordingId, 'session.json'), 'utf8')) as {
      finished: boolean
    }
    expect(journal.finished).toBe(true)
  })

  it('gives up at the second: no MP4 that is not whole, no manifest', async () => {
    const before = new Set(await readdir(out))
    const running = start('--speed', '1', '--port', '0')
    await running.says(/carol +joined/)
    running.signal('SIGINT')
    running.signal('SIGTERM')
    expect(await running.ends(), running.output).toBe(130)
    const left = (await readdir(out)).filter((name) => !before.has(name))
    const files = (await Promise.all(left.map((name) => filesUnder(join(out, name))))).flat()
    expect(files.filter((file) => /\.mp4$|manifest\.json$|\.rushes-/.test(file))).toEqual([])
  })
})

describe('the demo, its server', () => {
  it('serves the recordings, by ranges too, and nothing else', async () => {
    const running = start('--speed', '20', '--port', '0')
    const [, url = ''] = await running.says(/Watch them at (\S+) /)
    const { recordingId } = await newestManifest()
    const path = `/recordings/${recordingId}/alice.mp4`
    const whole = await readFile(join(out, recordingId, 'alice.mp4'))

    const all = await get(url, path)
    expect([all.status, all.type, all.body.equals(whole)]).toEqual([200, 'video/mp4', true])
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 1],
      ['bytes=100-199', 100, 200],
      ['bytes=100-', 100, whole.length],
      ['bytes=-100', whole.length - 100, whole.length],
      ['bytes=0-99999999', 0, whole.length],
    ] as const) {
      const part = await get(url, path, { range })
      expect([part.status, part.range, part.body.equals(whole.subarray(from, to))], range).toEqual([
        206,
        `bytes ${from}-${to - 1}/${whole.length}`,
        true,
      ])
    }
    const beyond = await get(url, path, { range: `bytes=${whole.length}-` })
    expect([beyond.status, beyond.range]).toEqual([416, `bytes */${whole.length}`])
    expect((await get(url, path, { range: 'bytes=5-2' })).status).toBe(200)
    const head = await get(url, path, {}, 'HEAD')
    expect([head.status, head.length, head.body.length]).toEqual([200, whole.length, 0])
    expect((await get(url, path, {}, 'POST')).status).toBe(405)
    const playlist = await get(url, `/recordings/${recordingId}/alice/index.m3u8`)
    expect([playlist.status, playlist.type]).toEqual([200, 'application/vnd.apple.mpegurl'])
    expect((await get(url, `/recordings/${recordingId}/alice/segment-00001.ts`)).type).toBe('video/mp2t')
    for (const [file, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/page.js', 'text/javascript; charset=utf-8'],
      ['/hls.js', 'text/javascript; charset=utf-8'],
      ['/style.css', 'text/css; charset=utf-8'],
      ['/status.json', 'application/json'],
    ] as const) {
      const found = await get(url, file)
      expect([found.status, found.type], file).toEqual([200, type])
    }

    // A link out of the folder is a way out of it too.
    const secret = join(tmpdir(), `rushes-demo-secret-${process.pid}.json`)
    await writeFile(secret, '{}')
    await symlink(secret, join(out, 'link.json'))
    for (const refused of [
      `/recordings/../${recordingId}/alice.mp4`,
      `/recordings/..%2f..%2f..%2f..%2fetc/hosts.json`,
      `/recordings/%2e%2e/%2e%2e/package.json`,
      `/recordings//etc/hosts.json`,
      `/recordings/${recordingId}%00/alice.mp4`,
      `/recordings/%E0%A4%A/alice.mp4`,
      `/recordings/takes/${recordingId}/alice-audio.rtpdump`,
      '/recordings/link.json',
      `/recordings/${recordingId}`,
      '/main.mjs',
      '/constructor',
    ]) {
      expect((await get(url, refused)).status, refused).toBe(404)
    }
    await rm(secret)
    running.signal('SIGINT')
    expect(await running.ends()).toBe(0)
  })
})

describe.skipIf(!existsSync(chromiumPath) && !process.env['CI'])('the demo, its page', () => {
  let browser: Browser | undefined

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--autoplay-policy=no-user-gesture-required',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
  })

  afterAll(() => browser?.close())

  it('plays everyone, together and alone, while the call still runs, and then offers the recordings', async () => {
    const running = start('--port', '0')
    const [, url = ''] = await running.says(/page +(\S+)/)
    const page = await (browser as Browser).newPage({ viewport: { width: 1280, height: 900 } })
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(url)

    // All four play while the recording runs: each picture has moved on by more than half a second.
    const seen = new Map<string, number>()
    const moved = new Set<string>()
    while (moved.size < 4) {
      const now = await look(page)
      // The page has not heard of the recording yet.
      if (now.state === 'connecting') continue
      expect(now.state, `moved so far: ${[...moved].join(', ')}\n${running.output}`).toBe('recording')
      for (const { id, timeS, badge } of now.cards) {
        const firstS = seen.get(id)
        if (timeS > 0 && firstS === undefined) {
          seen.set(id, timeS)
          expect(badge).toBe('LIVE')
        } else if (firstS !== undefined && timeS > firstS + 0.5) moved.add(id)
      }
      await page.waitForTimeout(100)
    }
    const { cards } = await look(page)
    expect(cards.map(({ name }) => name)).toEqual(['Everyone', 'Alice', 'Bob', 'Carol'])
    expect([cards[0]?.widthPx, cards[0]?.heightPx]).toEqual([1280, 720])
    expect(cards[0]?.onPagePx).toBeGreaterThan(2 * (cards[1]?.onPagePx as number))
    await screenshot(page, 'recording')

    await page.locator('#state[data-state=ready]').waitFor({ timeout: 30_000 })
    await expectAll(page, '.badge', 'Recorded')
    const links = await page
      .locator('.download')
      .evaluateAll((all) => all.map((link) => (link as { href?: string }).href))
    expect(links).toHaveLength(4)
    for (const link of links) expect((await get(link ?? '', '')).type).toBe('video/mp4')
    expect(await page.locator('#outputs tr').count()).toBe(8)
    // A chapter brings the composite to where it begins: there Carol has come.
    await page.locator('.chapters button', { hasText: 'Carol joined' }).click()
    const manifest = await newestManifest()
    const joinedS = ((manifest.layouts.find(({ tiles }) => tiles.length === 3)?.startUs ?? 0) - 0.15e6) / 1e6
    const offS = async (): Promise<number> => Math.abs(((await look(page)).cards[0]?.timeS ?? 0) - joinedS)
    await expect.poll(offS, { timeout: 15_000 }).toBeLessThan(3)
    await screenshot(page, 'ready')
    expect(errors).toEqual([])
    await page.close()
    running.signal('SIGINT')
    expect(await running.ends(), running.output).toBe(0)
  })
})

/** Where pictures of the page go for whoever wants to look at them. */
async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['RUSHES_SCREENSHOTS']
  if (folder !== undefined) await page.screenshot({ path: join(folder, `demo-${name}.png`), fullPage: true })
}

interface Look {
  readonly state: string
  readonly cards: readonly {
    readonly id: string
    readonly name: string
    readonly badge: string
    readonly timeS: number
    /** Of the picture, and its width on the page. */
    readonly widthPx: number
    readonly heightPx: number
    readonly onPagePx: number
  }[]
}

function look(page: Page): Promise<Look> {
  // The text of a function: the types of a browser are not those of these tests.
  return page.evaluate(`({
    state: document.querySelector('#state').dataset.state,
    cards: [...document.querySelectorAll('.card')].map((card) => ({
      id: card.dataset.participant ?? 'everyone',
      name: card.querySelector('h2').textContent,
      badge: card.querySelector('.badge').textContent,
      timeS: card.querySelector('video').currentTime,
      widthPx: card.querySelector('video').videoWidth,
      heightPx: card.querySelector('video').videoHeight,
      onPagePx: card.querySelector('video').clientWidth,
    })),
  })`)
}

async function expectAll(page: Page, selector: string, text: string): Promise<void> {
  await expect.poll(() => page.locator(selector).allTextContents(), { timeout: 15_000 }).toEqual(Array(4).fill(text))
}

interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly range: string | undefined
  readonly length: number
  readonly body: Buffer
}

/** `fetch` would tidy a path up before it is sent. */
function get(base: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port, pathname } = new URL(base)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: path === '' ? pathname : path, headers, method }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          range: response.headers['content-range'],
          length: Number(response.headers['content-length']),
          body: Buffer.concat(chunks),
        }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

function probe(path: string): { readonly durationS: number; readonly codecs: readonly string[] } {
  const args = ['-v', 'error', '-of', 'json', '-show_entries', 'format=duration:stream=codec_name', path]
  const found = JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as {
    streams: { codec_name: string }[]
    format: { duration: string }
  }
  const codecs = [...new Set(found.streams.map((stream) => stream.codec_name))].sort()
  return { durationS: Number(found.format.duration), codecs }
}

function decodeErrors(path: string): string {
  const { stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-f', 'null', '-'],
    { encoding: 'utf8' },
  )
  return stderr
}

/** What follows the text line and the binary header of an rtpdump file. */
function packetsOf(file: Buffer): Buffer {
  return file.subarray(file.indexOf(10) + 1 + 16)
}
