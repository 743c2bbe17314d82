import { spawn } from 'node:child_process'
import { root } from './root.mjs'

const running = new Set()

/**
 * Runs a command, its output held back, and resolves with `{ code, output }`; `code` is null when it could not start.
 * A signal that stops this process also stops the command, so that nothing runs on unseen.
 */
export function capture(command, args, options = {}) {
  return new Promise((resolve) => {
    let output = ''
    let child
    try {
      child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options })
    } catch (error) {
      resolve({ code: null, output: String(error) })
      return
    }
    running.add(child)
    const collect = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.once('error', (error) => {
      running.delete(child)
      resolve({ code: null, output: `${output}${error.message}\n` })
    })
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code: code ?? (signal === null ? null : 1), output })
    })
  })
}

/** While `work` runs, SIGINT, SIGTERM and SIGHUP end the commands that it started, and then this process as usual. */
export async function withSignals(work) {
  const onSignal = (signal) => {
    for (const child of running) child.kill(signal)
    for (const name of signals) process.removeListener(name, onSignal)
    process.kill(process.pid, signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const name of signals) process.on(name, onSignal)
  try {
    return await work()
  } finally {
    for (const name of signals) process.removeListener(name, onSignal)
  }
}
