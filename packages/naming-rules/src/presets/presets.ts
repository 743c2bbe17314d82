import { fishjam } from './fishjam.js'
import { hundredMs } from './hundred-ms.js'
import { jocloud } from './jocloud.js'
import { wcs } from './wcs.js'

/** The names that other products give to recordings. */
export const presets: {
  readonly fishjam: typeof fishjam
  readonly hundredMs: typeof hundredMs
  readonly wcs: typeof wcs
  readonly jocloud: typeof jocloud
} = { fishjam, hundredMs, wcs, jocloud }
