import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCodeOf } from './errors.js'

/**
 * Makes a folder and those above it; resolves with whether it was made. Unlike `mkdir({ recursive: true })` it comes to
 * an end where the system answers that a folder's parent is missing though it is there (/proc, some mounts).
 */
export async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return false
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || !(await makeFolder(parent))) throw error
    await mkdir(path)
    return true
  }
}
