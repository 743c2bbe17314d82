/**
 * `pnpm long:memory [--minutes N]`: peak memory of a render of one minute against N (30 by default), each in a process
 * of its own, for HLS and MP4.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** What one render used. */
export interface MemoryFigure {
  readonly format: 'hls' | 'mp4'
  readonly minutes: number
  readonly durationUs: number
  readonly bytes: number
  readonly peakRssMiB: number
  /** Heap and buffers in use after a collection, looked at every five seconds of the recording. */
  readonly peakLiveMiB: number
  /**
   * The lowest of these in the last quarter: what is kept. A peak also has what was under way, and buffers that the
   * collector gives back on a thread of its own, late on a busy machine.
   */
  readonly keptLiveMiB: number
}

/** Renders `minutes` of a looped take in a new process. */
export function measureMemory(format: 'hls' | 'mp4', minutes: number): MemoryFigure {
  const script = fileURLToPath(new URL('./render-and-measure.ts', import.meta.url))
  const args = ['--expose-gc', '--import', 'tsx', '--conditions=@rushes/source', script, format, String(minutes)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as MemoryFigure
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } })
  for (const format of ['hls', 'mp4'] as const) {
    for (const minutes of [1, Number(values.minutes)]) console.log(JSON.stringify(measureMemory(format, minutes)))
  }
}
