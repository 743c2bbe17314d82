import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the workspace, without a trailing separator. */
export const root = realpathSync(fileURLToPath(new URL('../..', import.meta.url)))

/** Reads a JSON file, given relative to the workspace. */
export function readJson(...path) {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8'))
}

/** The packages that are published, as `{ name, folder, path, manifest }`, in the order of their folders. */
export function publishedPackages() {
  return readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .sort()
    .map((folder) => {
      const manifest = readJson('packages', folder, 'package.json')
      return { name: manifest.name, folder, path: join(root, 'packages', folder), manifest }
    })
    .filter(({ manifest }) => manifest.private !== true)
}

/** An error whose message is all that the user needs to see. */
export class ExpectedError extends Error {
  isExpected = true
  exitCode = 1
}
