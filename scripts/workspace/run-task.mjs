import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare } from './prepare.mjs'
import { ExpectedError, root } from './root.mjs'

// A task runs in this very process: its exit code, its signals and its streams are then the user's own.
const tasks = {
  setup: { start: () => {} },
  rushes: {
    // Whoever reads the output of a command must not find ours in it.
    quiet: true,
    start: (args) => enter(userFolder(), join(root, 'packages', 'cli', 'bin', 'rushes.js'), args),
  },
  demo: { start: (args) => enter(userFolder(), join(root, 'examples', 'demo', 'main.mjs'), args) },
  test: { start: (args) => enter(root, join(root, 'node_modules', 'vitest', 'vitest.mjs'), ['run', ...args]) },
  // Whether it builds is one of the checks.
  check: { build: false, start: (args) => enter(root, join(root, 'scripts', 'check.mjs'), args) },
}

/** Sets the workspace up as far as that is needed, then becomes the task. */
export async function runTask(name, args) {
  const task = Object.hasOwn(tasks, name ?? '') ? tasks[name] : undefined
  if (task === undefined) {
    throw new ExpectedError(`Usage: node scripts/with-workspace.mjs ${Object.keys(tasks).join('|')} [arguments]`)
  }
  const isSilent = task.quiet === true && !process.stderr.isTTY
  await prepare({ build: task.build ?? true, say: isSilent ? () => {} : (text) => process.stderr.write(`${text}\n`) })
  followParent()
  await task.start(args)
}

/**
 * npm starts a shell, and hands a SIGTERM on to it; the shell ends without a word to us. To be left by the parent is
 * therefore taken as that signal: nothing runs on that its user believes to have stopped.
 */
function followParent() {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  timer.unref()
}

async function enter(folder, script, args) {
  if (!existsSync(script)) throw new ExpectedError(`${script} does not exist.`)
  process.chdir(folder)
  process.argv = [process.execPath, script, ...args]
  // Node reports a top-level await that nothing will ever settle, but only in the file that it was started with.
  const onNothingLeft = () => {
    process.stderr.write(`${script} is waiting for something that will never happen.\n`)
    process.exitCode = 13
  }
  process.once('beforeExit', onNothingLeft)
  await import(pathToFileURL(script).href)
  process.removeListener('beforeExit', onNothingLeft)
}

/**
 * Where the user stands: npm starts scripts in the folder of the package and tells in INIT_CWD where it was called.
 * Both are checked, for the variable is also inherited by whatever a script starts.
 */
function userFolder() {
  const initial = process.env.INIT_CWD
  const isOurScript = process.env.npm_package_name === 'rushes' && process.cwd() === root
  return isOurScript && initial !== undefined && existsSync(initial) ? initial : process.cwd()
}
