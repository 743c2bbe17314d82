/**
 * `pnpm long:drift [--minutes N] [--only NAME]`: simulated calls of three hours (by default) whose clocks are off by up
 * to 500 ppm, each with a fault, and with all: one line of JSON for each, offline and live.
 */
import { parseArgs } from 'node:util'
import { measureDrift } from './drift-measure.js'
import { callOf, driftScenarios, judgedOf } from './drift-scenarios.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '180' }, only: { type: 'string', default: '' } },
})
const seconds = Number(values.minutes) * 60
for (const scenario of driftScenarios(seconds)) {
  if (!scenario.name.includes(values.only)) continue
  for (const mode of ['offline', 'live'] as const) {
    const figures = measureDrift(callOf(scenario, seconds), mode, judgedOf(scenario, mode))
    console.log(JSON.stringify({ scenario: scenario.name, mode, minutes: seconds / 60, ...figures }))
  }
}
