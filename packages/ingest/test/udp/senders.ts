import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

export const hasTools: boolean = ['gst-launch-1.0', 'ffmpeg'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
)

export interface Sender {
  readonly process: ChildProcess
  /** Resolves when it has ended; rejects where it failed. */
  readonly done: Promise<string>
}

const running = new Set<ChildProcess>()

/** Ends what still runs: a test has failed. */
export function stopSenders(): void {
  for (const sender of running) sender.kill('SIGKILL')
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Sender {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  running.add(child)
  child.on('close', () => running.delete(child))
  let messages = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    messages = (messages + chunk.toString()).slice(-200_000)
  })
  const done = new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0 || signal !== null) resolve(messages)
      else reject(new Error(`${command} ended with ${code}: ${messages}`))
    })
  })
  return { process: child, done }
}

/** A GStreamer pipeline, as one would type it. */
export function gstreamer(description: string, env: Readonly<Record<string, string>> = {}): Sender {
  return run('gst-launch-1.0', ['-q', ...description.trim().split(/\s+/)], env)
}

export function ffmpeg(args: string): Sender {
  return run('ffmpeg', ['-nostdin', '-v', 'error', ...args.trim().split(/\s+/)])
}

/** Waits until something is so, or 20 s. */
export async function until(condition: () => boolean, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not happen')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
