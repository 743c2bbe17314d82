import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runRushes } from '@rushes/cli'
import { parseMediaPlaylist } from '@rushes/hls-segmenter'
import { checkMp4 } from '@rushes/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRadosgw, type Radosgw, startRadosgw } from '../servers/radosgw.js'

const solo = fileURLToPath(new URL('../fixtures/solo', import.meta.url))

/** Nobody interrupts. */
const quiet = { on: () => {}, off: () => {}, once: () => {}, removeListener: () => {}, exit: () => {} }

describe.skipIf(!hasRadosgw && !process.env['CI'])('the command with a bucket', () => {
  let server: Radosgw
  let dir: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rushes-command-s3-'))
    server = await startRadosgw()
    await server.createBucket('calls')
  })
  afterAll(async () => {
    await server?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  async function rushes(keys: { readonly accessKeyId: string; readonly secretAccessKey: string }, ...args: string[]) {
    const said = { stdout: '', stderr: '' }
    const output = (name: keyof typeof said) => ({
      write: (text: string): void => {
        said[name] += text
      },
    })
    const env = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey }
    const terminal = {
      stdout: output('stdout'),
      stderr: output('stderr'),
      env,
      cwd: dir,
      nowMs: () => performance.now(),
    }
    const exitCode = await runRushes(args, terminal, quiet)
    for (const text of Object.values(said)) expect(text).not.toContain(keys.secretAccessKey)
    return { exitCode, ...said }
  }
  const url = (bucket: string): string => `s3://${bucket}/recordings?endpoint=${server.endpoint}&pathStyle=1`

  it('renders into it, under the names of somebody else', async () => {
    const naming = ['--naming', 'jocloud']
    const { exitCode, stdout } = await rushes(server.owner, 'render', solo, '--out', url('calls'), ...naming)
    expect(exitCode).toBe(0)
    const stem = 'rid_solo_solo__uid_s_alice__uid_e'
    expect(stdout).toContain(`s3://calls/recordings/${stem}.m3u8`)
    const read = async (key: string): Promise<Uint8Array> => {
      const found = await server.read('calls', `recordings/${key}`)
      if (found === undefined) throw new Error(`there is no ${key}`)
      return found
    }
    expect(new TextDecoder().decode(await read(`${stem}.m3u8`))).toContain(`\n${stem}/media.m3u8\n`)
    const playlist = parseMediaPlaylist(new TextDecoder().decode(await read(`${stem}/media.m3u8`)))
    expect(playlist.segments.length).toBeGreaterThan(1)
    for (const { uri } of playlist.segments) expect((await read(`${stem}/${uri}`))[0]).toBe(0x47)
    expect(await checkMp4(await read(`${stem}.mp4`))).toEqual([])
    expect(JSON.parse(new TextDecoder().decode(await read('solo/manifest.json')))).toMatchObject({ version: 1 })
    expect(await server.openUploads('calls')).toEqual([])
  })

  it('says which setting is wrong', async () => {
    expect(await rushes(server.owner, 'storage', 'probe', url('calls'))).toMatchObject({ exitCode: 0 })
    const wrong = await rushes(server.owner, 'storage', 'probe', url('cals'))
    expect(wrong).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/STORE_NO_BUCKET.*\n {2}setting {2}bucket\n/),
    })
    const keys = { ...server.owner, secretAccessKey: 'not-the-secret-not-the-secret-not-the-00' }
    expect((await rushes(keys, 'storage', 'probe', url('calls'))).stdout).toContain('credentials.secretAccessKey')
  })
})
