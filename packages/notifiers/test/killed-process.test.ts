import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from './event-fixtures.js'
import { startReceiver } from './receiver.js'

const RECORDINGS = 5
const EVENTS = 40

describe('a process that is killed while it delivers', () => {
  it('leaves nothing out: at least once, in order, never another content', async () => {
    const receiver = await startReceiver()
    receiver.answer = (_received, response) => {
      // Some requests fail, all take a moment: the kills hit every state, and no run is through before several of them.
      response.statusCode = receiver.received.length % 7 === 0 ? 503 : 200
      setTimeout(() => response.end(), 8)
    }
    const journalDir = temporaryFolder()
    const script = fileURLToPath(new URL('./notify-process.ts', import.meta.url))
    const parameters = [receiver.url, journalDir, String(RECORDINGS), String(EVENTS)]
    const args = ['--import', 'tsx', '--conditions=@rushes/source', script, ...parameters]
    const delays = fc.sample(fc.integer({ min: 0, max: 80 }), 10)
    let kills = 0
    for (;;) {
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = once(child, 'exit')
      const delayMs = delays[kills]
      if (delayMs !== undefined) {
        // From when it does something, so that each run gets somewhere.
        child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delayMs))
      }
      child.stdout.resume()
      const [code] = (await ended) as [number | null]
      if (code === 0) break
      expect(code).toBe(null)
      kills += 1
    }
    expect(kills).toBeGreaterThan(2)
    const bodies = new Map<string, Set<string>>()
    for (const { id, body } of receiver.received) bodies.set(id, (bodies.get(id) ?? new Set()).add(body))
    expect(bodies.size).toBe(RECORDINGS * EVENTS)
    expect([...bodies.values()].filter((contents) => contents.size !== 1)).toEqual([])
    for (let recording = 0; recording < RECORDINGS; recording += 1) {
      const order = [...bodies.keys()].filter((id) => id.startsWith(`r${recording}:`))
      expect(order).toEqual(Array.from({ length: EVENTS }, (_, index) => `r${recording}:${index + 1}`))
    }
    // One delivery per recording and kill may come twice, and each 503 is followed by another attempt.
    const refused = Math.floor(receiver.received.length / 7)
    const twice = receiver.received.length - RECORDINGS * EVENTS - refused
    expect(twice).toBeLessThanOrEqual(RECORDINGS * kills)
  })
})
