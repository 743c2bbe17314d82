// Runs the checks that are not tests, and all of them, whatever fails: `pnpm check`, or `pnpm check types lint`.
import { writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { closingLine } from './closing-line.mjs'
import { capture, withSignals } from './workspace/command.mjs'
import { readJson, root } from './workspace/root.mjs'

// Every `check:…` of package.json but this one, which needs the registry.
const separately = ['check:tarballs']
// The compiler goes first: the packages are what some of the others look at.
const first = 'check:types'

const { scripts } = readJson('package.json')
const known = Object.keys(scripts).filter((name) => name.startsWith('check:') && !separately.includes(name))
const asked = process.argv.slice(2).map((name) => (name.startsWith('check:') ? name : `check:${name}`))
const unknown = asked.filter((name) => scripts[name] === undefined)
if (unknown.length > 0) {
  process.stderr.write(`No such check: ${unknown.join(', ')}. There are ${[...known, ...separately].join(', ')}.\n`)
  process.exit(1)
}
const names = asked.length > 0 ? asked : known

const { FORCE_COLOR: _colour, ...inherited } = process.env
const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`
const env = { ...inherited, PATH: path, NO_COLOR: '1' }
const counts = { passed: 0, failed: 0, skipped: 0, failures: [] }

async function run(name) {
  const started = performance.now()
  const { code, output } = await capture(scripts[name], [], { shell: true, env })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (code === 0) counts.passed++
  else {
    counts.failed++
    counts.failures.push(`${name}\n${output.trimEnd().slice(-1500)}`)
  }
  process.stdout.write(
    `${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n${code === 0 ? '' : `${output.trimEnd()}\n\n`}`,
  )
}

async function runAll() {
  const queue = [...names]
  if (queue.includes(first)) {
    queue.splice(queue.indexOf(first), 1)
    await run(first)
  }
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await run(name)
  }
  await Promise.all([worker(), worker()])
}

await withSignals(runAll)
if (process.env.RUSHES_TEST_COUNTS === undefined) process.stdout.write(`${closingLine(counts)}\n`)
else writeFileSync(process.env.RUSHES_TEST_COUNTS, JSON.stringify(counts))
process.exitCode = counts.failed === 0 ? 0 : 1
