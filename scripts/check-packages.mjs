// What would be published: what the manifests promise, the layout of the tarballs, and the types as consumers see them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture, withSignals } from './workspace/command.mjs'
import { withTarballs } from './workspace/pack.mjs'
import { publishedPackages, readJson, root } from './workspace/root.mjs'

const problems = []
const { engines, license } = readJson('package.json')

for (const { folder, path, manifest } of publishedPackages()) {
  const say = (text) => problems.push(`packages/${folder}: ${text}`)
  if (manifest.license !== license) say(`license must be ${license}`)
  if (manifest.engines?.node !== engines.node) say(`engines.node must be ${engines.node}`)
  if (manifest.type !== 'module') say('type must be module')
  if (manifest.sideEffects !== false) say('sideEffects must be false')
  if (manifest.publishConfig?.access !== 'public') say('publishConfig.access must be public')
  if (!manifest.description) say('has no description')
  checkExports(manifest, say)
  checkReadme(path, say)
}

/** `publishConfig.exports` takes the place of `exports` in the tarball: the same, without the source condition. */
function checkExports({ exports, publishConfig }, say) {
  const expected = Object.entries(exports).map(([subpath, target]) => {
    if (typeof target === 'string') return [subpath, target]
    const { '@rushes/source': _source, ...published } = target
    return [subpath, published]
  })
  if (JSON.stringify(Object.fromEntries(expected)) !== JSON.stringify(publishConfig?.exports)) {
    say('publishConfig.exports must be exports without the @rushes/source condition')
  }
}

function checkReadme(path, say) {
  const file = join(path, 'README.md')
  if (!existsSync(file)) say('has no README.md')
  else if (!/^```(ts|js|sh|console)/m.test(readFileSync(file, 'utf8'))) say('README.md shows no example')
}

const bin = (name) => join(root, 'node_modules', '.bin', name)

async function checkTarball({ folder, tarball }) {
  const results = [
    await capture(bin('publint'), ['run', '--strict', tarball]),
    await capture(bin('attw'), ['--profile', 'esm-only', '--no-definitely-typed', '--no-color', tarball]),
  ]
  for (const { code, output } of results) if (code !== 0) problems.push(`packages/${folder}:\n${output.trim()}`)
}

await withSignals(() =>
  withTarballs(async (packages) => {
    const queue = [...packages]
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await checkTarball(next)
    }
    await Promise.all([worker(), worker()])
  }),
)

for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
