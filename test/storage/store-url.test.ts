import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { getWhole, openStore } from '@rushes/storage-adapters'
import { expect, it, onTestFinished } from 'vitest'
import { startOssServer } from '../servers/oss-server.js'

it('a store that a URL names keeps what is put into it, with keys from a file or the environment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushes-store-url-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const server = await startOssServer({ keys: { 'LTAI-test': { secret: 's' } }, buckets: { calls: 'cn-hangzhou' } })
  onTestFinished(() => server.close())
  const keys = join(folder, 'keys.json')
  await writeFile(keys, JSON.stringify({ accessKeyId: 'LTAI-test', accessKeySecret: 's' }))
  const oss = `oss://calls/a%20b?region=cn-hangzhou&endpoint=http://localhost:${server.port}&pathStyle=1&get=1`
  const urls = [
    `${pathToFileURL(folder).href}/recordings?fsync=1`,
    oss,
    `${oss}&credentialsFile=${encodeURIComponent(keys)}`,
  ]
  for (const [index, url] of urls.entries()) {
    const env = index === 1 ? { OSS_ACCESS_KEY_ID: 'LTAI-test', OSS_ACCESS_KEY_SECRET: 's' } : {}
    const store = await openStore(url, { env })
    expect(await store.probe({ name: 'test.json' })).toMatchObject({ ok: true })
    const body = new TextEncoder().encode(url)
    const stored = await store.put(`room/${index}`, body)
    expect(stored.location).toBe(store.locationOf(`room/${index}`))
    expect(Buffer.compare(await getWhole(store, `room/${index}`), body)).toBe(0)
    await store.close?.()
  }
  expect([...server.objects.keys()].sort()).toEqual(['calls/a b/room/1', 'calls/a b/room/2', 'calls/a b/test.json'])
})
