/** Puts objects into a spool and says which ones it has taken, until it is killed: `spool-process.ts DIR PORT ROUND`. */
import { writeSync } from 'node:fs'
import { createSpool } from '@rushes/storage-adapters/spool'
import { md5Of } from './outage-server.js'
import { OutageStore } from './outage-store.js'

/** What the process prints for each object that `put` has taken. */
export interface Taken {
  readonly key: string
  readonly bytes: number
  readonly md5: string
}

async function run(dir: string, port: number, round: string): Promise<void> {
  const spool = await createSpool({ store: new OutageStore(port), dir, concurrency: 3, backOff: { firstMs: 20 } })
  const put = async (key: string, body: Buffer): Promise<void> => {
    await spool.put(key, body)
    // At once, past all buffers of this process: what was taken must be known even when it dies now.
    writeSync(1, `${JSON.stringify({ key, bytes: body.byteLength, md5: md5Of(body) } satisfies Taken)}\n`)
  }
  await put(`large/${round}.mp4`, Buffer.alloc(1_500_000, `large ${round} `))
  const lines = ['#EXTM3U']
  for (let count = 0; ; count += 1) {
    await put(`${round}/${count}.ts`, Buffer.alloc(30_000, `${round} ${count} `))
    lines.push(`${count}.ts`)
    await put(`${round}/index.m3u8`, Buffer.from(`${lines.join('\n')}\n`))
  }
}

const [, script, dir, port, round] = process.argv
if (script?.endsWith('spool-process.ts') === true && dir !== undefined && port !== undefined && round !== undefined) {
  await run(dir, Number(port), round)
}
