import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CoverageMeter } from './coverage-meter.js'
import { FuzzEngine } from './fuzz-engine.js'
import { check, type FuzzTarget } from './fuzz-target.js'
import { minimize } from './minimize.js'
import { mutateBytes } from './mutators/bytes.js'
import { runTarget } from './run-target.js'
import { fuzzTargets } from './targets.js'

/** Of all targets together; `pnpm long:fuzz` is the long form. */
const INPUTS = Number(process.env['RUSHES_FUZZ_INPUTS'] ?? 200_000)
const FINDINGS = new URL('./findings/', import.meta.url)

function targetOf(name: string): FuzzTarget {
  const target = fuzzTargets.find((known) => known.name === name)
  if (target === undefined) throw new Error(`no target has the name ${name}`)
  return target
}

describe('every parser of what a stranger wrote', () => {
  const weight = fuzzTargets.reduce((sum, target) => sum + target.weight, 0)
  it.each(fuzzTargets.map((target) => [target.name, target] as const))('%s', async (_, target) => {
    const inputs = Math.max(100, Math.round((INPUTS * target.weight) / weight))
    const report = await new FuzzEngine(target, { inputs, seed: 20_261_121 }).run()
    expect(report.finding).toBeUndefined()
    expect(report.inputs).toBeGreaterThanOrEqual(inputs)
  })
})

describe('what was found before', () => {
  const files = readdirSync(FINDINGS).filter((name) => name.endsWith('.hex'))
  it.each(files)('%s', async (name) => {
    const hex = readFileSync(new URL(name, FINDINGS), 'utf8').trim()
    const run = async (): Promise<void> =>
      targetOf(name.split('--')[0] ?? '').run(new Uint8Array(Buffer.from(hex, 'hex')))
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('the fuzzer', () => {
  const seeds = (): Uint8Array[] => [Uint8Array.from({ length: 40 }, (_, index) => index)]
  const target = (run: FuzzTarget['run']): FuzzTarget => ({ name: 'x', weight: 1, mutate: mutateBytes, seeds, run })

  it('finds an error and shortens the input that shows it', async () => {
    const run = (input: Uint8Array): void => check(!input.includes(200), 'no 200')
    const { finding } = await new FuzzEngine(target(run), { inputs: 20_000, seed: 1 }).run()
    expect(finding).toMatchObject({ kind: 'error', hex: 'c8', message: expect.stringContaining('no 200') })
  })

  it('finds inputs that take too long', async () => {
    const run = (input: Uint8Array): void => {
      if (input.byteLength >= 8) return
      // Of the processor, not of the clock: on a busy machine that is not the same.
      for (const from = process.cpuUsage(); process.cpuUsage(from).user < 70_000; );
    }
    const { finding } = await new FuzzEngine(target(run), { inputs: 20_000, seed: 1 }).run()
    expect(finding).toMatchObject({ kind: 'slow', hex: '' })
  })

  it('finds memory that is kept', async () => {
    const kept: Uint8Array[] = []
    const run = (): void => void kept.push(new Uint8Array(4000))
    const { finding } = await new FuzzEngine(target(run), { inputs: 4000, seed: 1 }).run()
    expect(finding).toMatchObject({ kind: 'growth' })
  })

  it('makes the same inputs from the same seed', async () => {
    const inputsOf = async (seed: number): Promise<string[]> => {
      const seen: string[] = []
      const run = (input: Uint8Array): void => void seen.push(Buffer.from(input).toString('hex'))
      await new FuzzEngine(target(run), { inputs: 200, seed }).run()
      return seen
    }
    expect(await inputsOf(5)).toEqual(await inputsOf(5))
    expect(await inputsOf(6)).not.toEqual(await inputsOf(5))
  })

  it('leaves out what does not matter', async () => {
    const input = Uint8Array.from({ length: 300 }, (_, index) => index % 251)
    const holds = (smaller: Uint8Array): Promise<boolean> =>
      Promise.resolve(smaller.includes(77) && smaller.includes(99))
    expect([...(await minimize(input, holds))]).toEqual([77, 99])
  })

  it.each([
    ['never-ends', 3000, { kind: 'hang' }],
    ['takes-all-memory', 60_000, { kind: 'error', message: expect.stringMatching(/memory/) }],
  ])('survives an input that %s, and tells which', async (name, hangMs, expected) => {
    const options = { hangMs, targetsModule: new URL('./faulty-targets.ts', import.meta.url).href }
    const { finding } = await runTarget(name, { inputs: 100_000, seed: 1 }, options)
    expect(finding).toMatchObject({ ...expected, hex: expect.stringMatching(/^07/) })
  })

  it('sees code that runs for the first time', () => {
    const meter = new CoverageMeter()
    try {
      expect(meter.take()).toBeGreaterThanOrEqual(0)
      void targetOf('adts').run(new Uint8Array(7).fill(0xff))
      expect(meter.peek()).toBe(true)
      const before = meter.coveredBytes
      void targetOf('adts').run(new Uint8Array(7).fill(0xff))
      expect(meter.take()).toBeGreaterThan(before)
      void targetOf('adts').run(new Uint8Array(7).fill(0xff))
      meter.take()
      expect(meter.wasNews).toBe(false)
    } finally {
      meter.close()
    }
  })
})
