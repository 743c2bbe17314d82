import type { FuzzTarget } from './fuzz-target.js'
import { bitstreamTargets } from './targets/bitstream-targets.js'
import { containerTargets } from './targets/container-targets.js'
import { depacketizerTargets } from './targets/depacketizer-targets.js'
import { ingestTargets } from './targets/ingest-targets.js'
import { notifierTargets } from './targets/notifier-targets.js'
import { rtpTargets } from './targets/rtp-targets.js'
import { takeFolderTargets } from './targets/take-folder-targets.js'
import { takeTargets } from './targets/take-targets.js'

/** Everything that reads what a stranger wrote, from the network or from disk. */
export const fuzzTargets: readonly FuzzTarget[] = [
  ...rtpTargets,
  ...depacketizerTargets,
  ...bitstreamTargets,
  ...takeTargets,
  ...takeFolderTargets,
  ...ingestTargets,
  ...containerTargets,
  ...notifierTargets,
]
