/** Sends to and records so many participants, each side in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Loop } from './stream.js'

/** `aac`: TS with AAC; `opus`: CMAF with Opus as it came; `journal`: no outputs while it is recorded. */
export type DensityMode = 'aac' | 'opus' | 'journal'

/** What it took. */
export interface DensityFigure {
  readonly people: number
  readonly mode: DensityMode
  /** CPU time of the recording process per second. */
  readonly cores: number
  readonly received: number
  readonly sent: number
  /** By the tracks' sequence numbers. */
  readonly lost: number
  readonly refused: number
  readonly loopDelayP50Ms: number
  readonly loopDelayP99Ms: number
  readonly rssMiB: number
  /** The oldest last keyframe of all, seconds of recording: how far behind the outputs are. */
  readonly oldestKeyframeS: number
  readonly kilobitsPerSecond: number
}

/** Before it is measured, and a second. */
const STARTING_SECONDS = 11

export async function measureDensity(
  people: number,
  mode: DensityMode,
  seconds: number,
  loop: Loop,
): Promise<DensityFigure> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-density-'))
  const receiver = start('receiver.ts', [String(people), mode, String(seconds), dir])
  try {
    const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]()
    const { ports } = JSON.parse((await lines.next()).value as string) as { ports: number[] }
    const sender = start('sender.ts', [])
    const packets = loop.packets.map((packet) => ({ ...packet, bytes: packet.bytes.toString('base64') }))
    sender.stdin.end(JSON.stringify({ ports, seconds: seconds + STARTING_SECONDS, lengthUs: loop.lengthUs, packets }))
    const senderLines = createInterface({ input: sender.stdout })[Symbol.asyncIterator]()
    const figure = JSON.parse((await lines.next()).value as string) as Omit<DensityFigure, 'sent' | 'kilobitsPerSecond'>
    const { sent, bytes } = JSON.parse((await senderLines.next()).value as string) as { sent: number; bytes: number }
    const kilobitsPerSecond = Math.round((bytes * 8) / 1000 / people / (seconds + STARTING_SECONDS))
    return { ...figure, sent, kilobitsPerSecond }
  } finally {
    // It closes by itself; one that hangs is ended.
    const hung = setTimeout(() => receiver.kill('SIGKILL'), 20_000)
    if (receiver.exitCode === null && receiver.signalCode === null) await once(receiver, 'exit')
    clearTimeout(hung)
    rmSync(dir, { recursive: true, force: true })
  }
}

function start(script: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(`./${script}`, import.meta.url))
  // The packages as they are published: what tsx makes of their sources is a third slower.
  return spawn(process.execPath, ['--import', 'tsx', path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}
