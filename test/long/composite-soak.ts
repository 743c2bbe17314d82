/**
 * `pnpm long:composite-soak [--minutes 30] [--size 640x360] [--fps 30]`: the composite of a looped call of three in a
 * process of its own: its memory by quarters of the call, and at start and end where everyone's pictures and beeps are.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type { Manifest } from '@rushes/render'
import { readBeeps } from '@rushes/testkit/card'
import type { CompositeOutput } from '../composite/composite-manifest.js'
import { compositeFlashes, syncDifferences } from '../composite/composite-sync.js'
import { measureTiles } from '../composite/measure-pictures.js'
import { readComposite, zeroUsOf } from '../composite/read-composite.js'
import { readSentCall, type SentParticipant } from '../composite/sent-call.js'
import { type Spread, spreadOf } from '../conformance/statistics.js'

/** What a soak found. */
export interface SoakFigure {
  readonly minutes: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssMiB: number
  /** The least in each quarter of the call. */
  readonly keptRssMiB: readonly number[]
  readonly start: readonly SoakSync[]
  readonly end: readonly SoakSync[]
}

/** One participant in one round of the loop. */
export interface SoakSync {
  readonly participantId: string
  /** Beep less flash, the composite's less the take's. */
  readonly syncMs: Spread
  readonly beepMs: Spread
  readonly tiles: number
  /** Tiles that show just the nearest picture. */
  readonly exact: number
  readonly faults: readonly string[]
}

/** Composes `minutes` of a looped call, and looks at its first and last whole round. @param built not on the sources */
export async function soak(minutes: number, size: string, fps: number, built = false): Promise<SoakFigure> {
  const dir = await mkdtemp(join(tmpdir(), 'rushes-soak-'))
  try {
    const script = fileURLToPath(new URL('./composite-looped.ts', import.meta.url))
    const args = ['--expose-gc', '--import', 'tsx', ...(built ? [] : ['--conditions=@rushes/source']), script]
    const child = await promisify(execFile)(process.execPath, [...args, String(minutes), size, String(fps), dir])
    const figure = JSON.parse(child.stdout) as Omit<SoakFigure, 'start' | 'end'> & { key: string }
    const manifest = JSON.parse(await readFile(join(dir, 'looped.json'), 'utf8')) as Manifest
    const output = manifest.outputs[0] as CompositeOutput
    const path = join(dir, output.key)
    const call = await readSentCall(fileURLToPath(new URL('../fixtures/meeting3', import.meta.url)))
    const roundUs = call.session.durationMs * 1000
    const rounds = Math.floor(manifest.durationUs / roundUs)
    const zeroUs = await zeroUsOf(path, output)
    const beepsUs = new Map<string, number[]>()
    for (const { id, toneHz } of call.participants) {
      beepsUs.set(
        id,
        (await readBeeps(path, { toneHz })).map(({ atUs }) => atUs + zeroUs),
      )
    }
    const look = async (round: number): Promise<SoakSync[]> => {
      const between = [round * roundUs, (round + 1) * roundUs] as const
      const pictures = await readComposite(path, output, manifest.layouts, { between })
      return call.participants.map((participant) => {
        const sent = moved(participant, round * roundUs)
        const heard = (beepsUs.get(sent.id) ?? []).filter((at) => at >= between[0] && at < between[1])
        const first = sent.frames[0]?.atUs ?? 0
        const last = sent.frames.at(-1)?.atUs ?? 0
        const { tiles, exact, faults } = measureTiles(
          // What the round before left there, and what is held at the end, is not looked at.
          pictures.filter(({ atUs }) => atUs > first && atUs < last),
          sent,
          { frameUs: 1e6 / fps, holdUs: 1_500_000, changesUs: [first, last], offUs: [] },
        )
        return {
          participantId: sent.id,
          syncMs: spreadOf(syncDifferences(sent, compositeFlashes(pictures, sent.id), heard)),
          beepMs: spreadOf(
            sent.beepsUs.flatMap((at) => {
              const found = heard.find((beep) => Math.abs(beep - at) < 150_000)
              return found === undefined ? [] : [(found - at) / 1000]
            }),
          ),
          tiles,
          exact,
          faults: faults.slice(0, 3),
        }
      })
    }
    const { key: _key, ...memory } = figure
    return { ...memory, start: await look(0), end: await look(rounds - 1) }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function moved(sent: SentParticipant, byUs: number): SentParticipant {
  return {
    ...sent,
    frames: sent.frames.map((frame) => ({ ...frame, atUs: frame.atUs + byUs })),
    flashStartsUs: sent.flashStartsUs.map((at) => at + byUs),
    beepsUs: sent.beepsUs.map((at) => at + byUs),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      size: { type: 'string', default: '640x360' },
      fps: { type: 'string', default: '30' },
    },
  })
  const figure = await soak(Number(values.minutes), values.size, Number(values.fps), true)
  console.log(JSON.stringify(figure, null, 2))
}
