import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes the locks of a take those of a process that has ended: same machine, an id that started at another time. */
export function killOwner(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (!name.startsWith('take.lock')) continue
    const path = join(dir, name)
    const text = readFileSync(path, 'utf8')
    // A lock that was torn by the crash says nothing: it is old instead.
    const owner = text.endsWith('}\n')
      ? (JSON.parse(text) as Record<string, unknown>)
      : { token: name, pid: 1, host: '?' }
    writeFileSync(path, `${JSON.stringify({ ...owner, processStart: '1', bootId: owner['bootId'] ?? 'x' })}\n`)
    if (!text.endsWith('}\n')) utimesSync(path, 0, 0)
  }
}
