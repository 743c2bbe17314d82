// The entry of `npm test`, `npm run demo` and `npm run rushes`: on a fresh clone it brings everything that they need.
//
//   node scripts/with-workspace.mjs rushes|demo|test [arguments]
//
// This file must parse on old versions of Node, so that they are told what is wrong: no `node:` imports, no top-level
// await, nothing newer than ES2018 outside of the dynamic import.
// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know the protocol, and has to get to the message.
import fs from 'fs'

const manifest = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const required = /(\d+)\.(\d+)/.exec(manifest.engines.node)
const current = /^(\d+)\.(\d+)/.exec(process.versions.node)
const major = Number(current[1]) - Number(required[1])
const isTooOld = major < 0 || (major === 0 && Number(current[2]) < Number(required[2]))

if (isTooOld) {
  process.stderr.write(
    `Rushes needs Node ${manifest.engines.node}; this is ${process.versions.node} (${process.execPath}).\n`,
  )
  process.exitCode = 1
} else {
  import('./workspace/run-task.mjs')
    .then((tasks) => tasks.runTask(process.argv[2], process.argv.slice(3)))
    .catch((error) => {
      // What a person can act on has a message of its own; anything else is a bug and keeps its stack.
      process.stderr.write(`${error.isExpected ? error.message : error.stack}\n`)
      process.exitCode = error.exitCode || 1
    })
}
