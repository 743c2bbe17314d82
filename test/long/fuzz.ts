/**
 * `pnpm long:fuzz [--inputs 10000000] [--target NAME]… [--seed N] [--minutes M] [--unguided] [--replay HEX]`: fuzzes every parser, each on
 * a thread of its own, and prints a line for each. Exits with 1 when something was found. `--replay` runs the target on one input.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FuzzReport } from '../fuzz/fuzz-engine.js'
import { runTarget } from '../fuzz/run-target.js'
import { fuzzTargets } from '../fuzz/targets.js'

/** What a long run is to do. */
export interface LongFuzzOptions {
  /** Of all targets together: each has its share. */
  readonly inputs: number
  /** Names of targets. @defaultValue all */
  readonly targets?: readonly string[]
  readonly seed: number
  /** For all targets together. @defaultValue none */
  readonly minutes?: number
  readonly guided: boolean
}

/** Runs the targets one after the other. */
export async function fuzzAll(options: LongFuzzOptions, onReport: (report: FuzzReport) => void): Promise<FuzzReport[]> {
  const { targets: wanted = [], minutes = Number.POSITIVE_INFINITY } = options
  const targets = fuzzTargets.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  if (targets.length < wanted.length)
    throw new Error(`the targets are ${fuzzTargets.map(({ name }) => name).join(', ')}`)
  const reports: FuzzReport[] = []
  const weight = targets.reduce((sum, target) => sum + target.weight, 0)
  let leftSeconds = minutes * 60
  const inputsPerWeight = options.inputs / weight
  for (const [index, { name, weight: own }] of targets.entries()) {
    const report = await runTarget(name, {
      inputs: Math.max(1000, Math.round(own * inputsPerWeight)),
      seed: options.seed,
      guided: options.guided,
      // What the quick ones leave the slow ones have.
      maxSeconds:
        leftSeconds === Number.POSITIVE_INFINITY
          ? 86_400
          : (leftSeconds / (targets.length - index)) * (targets.length - index > 8 ? 2 : 1),
    })
    leftSeconds = Math.max(1, leftSeconds - report.seconds)
    reports.push(report)
    onReport(report)
  }
  return reports
}

function lineOf(report: FuzzReport): string {
  const { target, inputs, seconds, corpus, seedBytes, coveredBytes, heapDeltaBytes, slowestMs } = report
  const columns = [
    target.padEnd(22),
    `${inputs} inputs`.padStart(16),
    `${seconds.toFixed(1)} s`.padStart(9),
    `${Math.round(inputs / seconds)}/s`.padStart(10),
    `corpus ${corpus}`.padStart(12),
    coveredBytes === 0 ? '' : `code ${seedBytes} -> ${coveredBytes} B`.padStart(24),
    `heap ${(heapDeltaBytes / 1_048_576).toFixed(2)} MiB`.padStart(16),
    `slowest ${slowestMs.toFixed(1)} ms`.padStart(18),
  ]
  return columns.join('  ')
}

function printReport(report: FuzzReport): void {
  console.log(lineOf(report))
  const { finding, target } = report
  if (finding === undefined) return
  console.log(`  ${finding.kind} in ${target} at input ${finding.input}: ${finding.message}`)
  console.log(`  hex: ${finding.hex}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '10000000' },
      target: { type: 'string', multiple: true },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      unguided: { type: 'boolean', default: false },
      replay: { type: 'string' },
    },
  })
  if (values.replay !== undefined) {
    const target = fuzzTargets.find(({ name }) => name === values.target?.[0])
    if (target === undefined) throw new Error('--replay needs a --target')
    await target.run(new Uint8Array(Buffer.from(values.replay, 'hex')))
    process.exit()
  }
  const reports = await fuzzAll(
    {
      inputs: Number(values.inputs),
      seed: Number(values.seed),
      guided: !values.unguided,
      ...(values.target === undefined ? {} : { targets: values.target }),
      ...(values.minutes === undefined ? {} : { minutes: Number(values.minutes) }),
    },
    printReport,
  )
  const inputs = reports.reduce((sum, report) => sum + report.inputs, 0)
  const seconds = reports.reduce((sum, report) => sum + report.seconds, 0)
  const findings = reports.filter(({ finding }) => finding !== undefined)
  console.log(`seed ${values.seed}: ${inputs} inputs over ${reports.length} targets in ${seconds.toFixed(0)} s`)
  console.log(findings.length === 0 ? 'nothing found' : `found in: ${findings.map(({ target }) => target).join(', ')}`)
  process.exitCode = findings.length === 0 ? 0 : 1
}
