// A process of its own for each library, so that none runs on another's heap or compiled code.
import { accessUnitsToMediabunny, accessUnitsToRushes } from './access-units-to-ts.mjs'
import { readVideo } from './input.mjs'
import { rtpToRushes } from './rtp-to-ts.mjs'

const prepare = { accessUnitsToRushes, accessUnitsToMediabunny, rtpToRushes }
const [name, dir, megabytes] = process.argv.slice(2)
const run = prepare[name](readVideo(dir, Number(megabytes)))
process.on('message', async () => process.send(await run()))
process.send('ready')
