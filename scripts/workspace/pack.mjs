import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { capture } from './command.mjs'
import { ExpectedError, publishedPackages, root } from './root.mjs'

/** Packs all packages as they would be published and calls `work` with them; the folder is gone afterwards. */
export async function withTarballs(work) {
  const folder = mkdtempSync(join(tmpdir(), 'rushes-packed-'))
  try {
    const pnpm = join(root, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
    const args = [pnpm, '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', folder]
    const { code, output } = await capture(process.execPath, args)
    if (code !== 0) throw new ExpectedError(`pnpm pack failed.\n${output}`)
    const packages = publishedPackages().map(({ name, folder: source, manifest }) => ({
      name,
      folder: source,
      manifest,
      tarball: join(folder, `${name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`),
    }))
    return await work(packages, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
