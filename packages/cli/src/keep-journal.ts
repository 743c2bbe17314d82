import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Lets the take of a recording stay when its outputs are there, whatever was asked for when it was started: settings
 * stand in its session.json.
 */
export async function keepJournal(dir: string): Promise<void> {
  const path = join(dir, 'session.json')
  const session = JSON.parse(await readFile(path, 'utf8')) as { recorder?: { settings?: object } }
  const { recorder } = session
  const kept = { ...session, recorder: { ...recorder, settings: { ...recorder?.settings, journal: 'keep' } } }
  const temporary = join(dir, '.session.json.kept')
  await writeFile(temporary, `${JSON.stringify(kept, null, 2)}\n`)
  await rename(temporary, path)
}
