import { type LoadChange, resolveComposite } from '@rushes/compositor'
import { expect, it } from 'vitest'
import { LoadWarnings } from '../src/load-warnings.js'

const settings = resolveComposite({ fps: 30 }, 'composite')
const fast: LoadChange = { atUs: 2_000_000, preset: 'ultrafast', frameStep: 1, sizeDivisor: 1 }
const half: LoadChange = { atUs: 4_000_000, preset: 'ultrafast', frameStep: 2, sizeDivisor: 2 }
const full: LoadChange = { atUs: 9_000_000, preset: 'veryfast', frameStep: 1, sizeDivisor: 1 }

function warnings(): { readonly load: LoadWarnings; readonly told: string[] } {
  const told: string[] = []
  const load = new LoadWarnings((event) => {
    if (event.type === 'warning') told.push(`${event.warning.code} ${event.warning.message.replace(/:.*/, '')}`)
  }, settings)
  return { load, told }
}

it('tells each change once, and when everything is well again', () => {
  const { load, told } = warnings()
  load.update([])
  load.update([fast])
  load.update([fast, half])
  load.update([fast, half, full])
  expect(told).toEqual([
    'COMPOSITE_DEGRADED from 2.0 s on the composite is made with preset ultrafast, 30 pictures a second',
    'COMPOSITE_DEGRADED from 4.0 s on the composite is made with preset ultrafast, 15 pictures a second, at half the size',
    'COMPOSITE_DEGRADED from 9.0 s on the composite has full quality again',
  ])
  expect(load.all).toEqual([fast, half, full])
})

it('tells again of what is kept, and that it goes on at full quality', () => {
  const { load, told } = warnings()
  load.goOn([fast, half], 6_000_000)
  load.update([{ ...fast, atUs: 8_000_000 }])
  expect(told.map((text) => text.slice(19, 30))).toEqual(['from 2.0 s ', 'from 4.0 s ', 'from 6.0 s ', 'from 8.0 s '])
  expect(load.all).toEqual([fast, half, { ...full, atUs: 6_000_000 }, { ...fast, atUs: 8_000_000 }])
  const well = warnings()
  well.load.goOn([], 6_000_000)
  well.load.goOn([fast, full], 10_000_000)
  expect(well.load.all).toEqual([fast, full])
})
