/**
 * `pnpm long:density [--people 100] [--mode aac|opus|journal] [--seconds 300]`: live participants of 1.2 Mbit/s from UDP
 * to journal and HLS, with the recording process's own CPU time and memory.
 */
import { parseArgs } from 'node:util'
import { type DensityMode, measureDensity } from './density/measure.js'
import { encodeLoop } from './density/stream.js'

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '100' },
    mode: { type: 'string', default: 'aac' },
    seconds: { type: 'string', default: '300' },
  },
})
const figure = await measureDensity(
  Number(values.people),
  values.mode as DensityMode,
  Number(values.seconds),
  encodeLoop(),
)
process.stdout.write(`${JSON.stringify(figure)}\n`)
