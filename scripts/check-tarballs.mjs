// The packages as a user gets them: packed, installed by npm into an empty project, each subpath imported.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { capture, withSignals } from './workspace/command.mjs'
import { withTarballs } from './workspace/pack.mjs'
import { ExpectedError, root } from './workspace/root.mjs'

const problems = []

await withSignals(() => withTarballs(check))
for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

async function check(packages) {
  const project = mkdtempSync(join(tmpdir(), 'rushes-consumer-'))
  try {
    const subpaths = packages.flatMap(subpathsOf)
    const dependencies = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]))
    // Our packages are not taken from the registry even where they name one another.
    const overrides = Object.fromEntries(packages.map(({ name }) => [name, `$${name}`]))
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ private: true, type: 'module', dependencies, overrides }),
    )

    // Native codecs are optional: without them everything must still load.
    await install(project, ['--omit=optional'])
    for (const one of packages) {
      const [main, ...others] = subpathsOf(one)
      await importIn(project, main, 'without optional dependencies')
      // A subpath may need what somebody who imports it installs beside it.
      const { peerDependenciesMeta = {} } = one.manifest
      for (const subpath of others) {
        await importIn(project, subpath, 'without optional dependencies', Object.keys(peerDependenciesMeta))
      }
    }
    await install(project, [])
    for (const subpath of subpaths) await importIn(project, subpath, 'with all dependencies')
    await checkTypes(project, subpaths)
    for (const { manifest } of packages) {
      for (const name of Object.keys(manifest.bin ?? {})) await runBin(project, name)
    }
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

function subpathsOf({ name, manifest }) {
  return Object.keys(manifest.publishConfig.exports)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => name + subpath.slice(1))
}

async function install(project, flags) {
  // No script is run, as in the workspace: none of them is needed.
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
    ...flags,
  ]
  const { code, output } = await capture('npm', args, { cwd: project, shell: process.platform === 'win32' })
  if (code !== 0) throw new ExpectedError(`npm ${args.join(' ')} failed in an empty project.\n${output}`)
}

async function importIn(project, subpath, how, mayLack = []) {
  const program = `const module = await import(${JSON.stringify(subpath)}); if (Object.keys(module).length === 0) throw new Error('exports nothing')`
  const { code, output } = await capture(process.execPath, ['--input-type=module', '--eval', program], { cwd: project })
  const [, missing] = /Cannot find package '([^']+)'/.exec(output) ?? []
  if (mayLack.includes(missing)) return
  if (code !== 0 || output !== '') problems.push(`import '${subpath}' ${how}: ${output.trim() || `exit code ${code}`}`)
}

/** Declarations must stand without our sources and settings; only faults in our own files count. */
async function checkTypes(project, subpaths) {
  writeFileSync(join(project, 'index.ts'), subpaths.map((subpath) => `export {} from '${subpath}'\n`).join(''))
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }))
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { output } = await capture(process.execPath, [compiler, '-p', project, '--pretty', 'false'], { cwd: project })
  const ours = output.split('\n').filter((line) => /^(index\.ts|node_modules\/@rushes\/)/.test(line))
  if (ours.length > 0) problems.push(`types of the packed packages:\n${ours.join('\n')}`)
}

async function runBin(project, name) {
  const { code, output } = await capture(join(project, 'node_modules', '.bin', name), ['--help'], { cwd: project })
  if (code !== 0) problems.push(`${name} --help: exit code ${code}\n${output}`)
}
