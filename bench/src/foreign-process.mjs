import { spawnSync } from 'node:child_process'

/** Whether a command line tool is there. */
export function hasTool(name) {
  return spawnSync(name, ['--version']).error === undefined
}

/**
 * Milliseconds (wall clock, processor) that a tool takes for the whole input, less those for a second of it: start-up,
 * loading of plugins and opening of the file are not what is compared.
 */
export function timeWithoutStartUp(name, argumentsFor, whole, tiny) {
  const all = timeOf(name, argumentsFor(whole))
  const startUp = timeOf(name, argumentsFor(tiny))
  return { wallMs: all.wallMs - startUp.wallMs, cpuMs: all.cpuMs - startUp.cpuMs }
}

function timeOf(name, args) {
  const start = performance.now()
  // The second line of `times` is what the shell's children have used.
  const script = '"$@" >/dev/null && times'
  const { status, error, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', name, ...args], { encoding: 'utf8' })
  const wallMs = performance.now() - start
  if (error !== undefined || status !== 0) throw new Error(`${name} failed: ${error ?? stderr}`)
  const [user, system] = stdout.trim().split('\n')[1].split(' ').map(milliseconds)
  return { wallMs, cpuMs: user + system }
}

/** `1m2.345s` */
function milliseconds(time) {
  const [, minutes, seconds] = /^(\d+)m([\d.]+)s$/.exec(time)
  return Number(minutes) * 60_000 + Number(seconds) * 1000
}
