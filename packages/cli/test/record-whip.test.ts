import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openChromium, openPublisher } from '../../ingest/test/whip/chromium-publisher.js'
import { type Running, startRushes } from './built-command.js'
import { decode, hasTools, pause, probe } from './senders.js'

let dir: string
let running: Running
let browser: Awaited<ReturnType<typeof openChromium>> | undefined

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-whip-'))
})

afterEach(async () => {
  running.child.kill('SIGKILL')
  await browser?.close()
})

afterAll(() => rm(dir, { recursive: true, force: true }))

/** Starts the command and resolves with the URL of its endpoint. */
async function startWhip(): Promise<string> {
  const args = [
    'record',
    '--out',
    'out',
    '--whip',
    '0',
    '--whip-token-env',
    'TOKEN',
    '--recording',
    'one',
    '--segment',
    '1',
  ]
  running = startRushes(dir, args, { TOKEN: 'open-sesame' })
  await running.says('stdout', /^Ready: /m)
  return / {2}WHIP (http:\/\/127\.0\.0\.1:\d+\/whip)\n/.exec(running.output.stdout)?.[1] ?? ''
}

describe('rushes record --whip', () => {
  it('lets in only who has the token', async () => {
    const url = await startWhip()
    const publish = async (headers: Record<string, string>): Promise<number> => {
      const response = await fetch(url, {
        method: 'POST',
        body: 'no offer',
        headers: { 'content-type': 'application/sdp', ...headers },
      })
      return response.status
    }
    expect(await publish({})).toBe(401)
    expect(await publish({ authorization: 'Bearer open-sesam' })).toBe(401)
    expect(await publish({ authorization: 'Bearer open-sesame' })).toBe(400)
    running.child.kill('SIGINT')
    expect(await running.ended).toBe(1)
    expect(running.output.stdout + running.output.stderr).not.toContain('open-sesame')
  })

  it.skipIf(!(hasChromium && hasTools) && !process.env['CI'])('records what Chromium publishes', async () => {
    const url = await startWhip()
    browser = await openChromium()
    const publisher = await openPublisher(browser)
    const options = { url: `${url}/ann`, token: 'open-sesame', codec: 'video/H264', audio: true }
    expect((await publisher.publish(options)).status).toBe(201)
    await running.says('stdout', /ann can be played while it grows/)
    await pause(2000)
    const goodbye = "fetch(session, { method: 'DELETE', headers: { authorization: 'Bearer open-sesame' } })"
    expect(await publisher.page.evaluate(`${goodbye}.then(({ status }) => status)`)).toBe(200)
    await running.says('stdout', /ann has left/)
    running.child.kill('SIGINT')
    expect(await running.ended, running.output.stderr).toBe(0)
    for (const path of [join(dir, 'out/one/ann.mp4'), join(dir, 'out/one/ann/media.m3u8')]) {
      const { codecs, durationS } = probe(path)
      expect([path, codecs]).toEqual([path, ['aac', 'h264']])
      expect(durationS, path).toBeGreaterThan(2)
      expect(decode(path)).toBe('')
    }
  })
})
