import { describe, expect, it } from 'vitest'
import { type CompositeSettings, resolveComposite } from '../../src/index.js'

const resolve = (settings: CompositeSettings) => resolveComposite(settings, 'composite')

describe('settings of stills', () => {
  it('are off, or on with defaults, or as they say', () => {
    expect(resolve({})).toMatchObject({ poster: undefined, thumbnails: undefined })
    expect(resolve({ poster: false, thumbnails: false })).toMatchObject({ poster: undefined, thumbnails: undefined })
    const { poster, thumbnails } = resolve({ poster: true, thumbnails: true })
    expect(poster).toEqual({ atUs: undefined, width: 1280, height: 720 })
    expect(thumbnails).toEqual({ everyUs: 10_000_000, width: 160, height: 90, columns: 10, rows: 10 })
    expect(resolve({ size: '720x1280', poster: { atSeconds: 1.5, width: 360 } }).poster).toEqual({
      atUs: 1_500_000,
      width: 360,
      height: 640,
    })
    expect(resolve({ size: '96x64', thumbnails: {} }).thumbnails).toMatchObject({ width: 96, height: 64 })
    expect(resolve({ size: '640x480', thumbnails: { everySeconds: 2.5, columns: 1, rows: 20 } }).thumbnails).toEqual({
      everyUs: 2_500_000,
      width: 160,
      height: 120,
      columns: 1,
      rows: 20,
    })
  })

  it.each<[string, unknown]>([
    ['poster', { poster: 'yes' }],
    ['poster', { poster: null }],
    ['poster.atSeconds', { poster: { atSeconds: -1 } }],
    ['poster.atSeconds', { poster: { atSeconds: Number.NaN } }],
    ['poster.width', { poster: { width: 1282 } }],
    ['poster.width', { poster: { width: 321 } }],
    ['poster.width', { poster: { width: 62 } }],
    ['thumbnails', { thumbnails: 10 }],
    ['thumbnails.everySeconds', { thumbnails: { everySeconds: 0.5 } }],
    ['thumbnails.everySeconds', { thumbnails: { everySeconds: '10' } }],
    ['thumbnails.width', { thumbnails: { width: 31 } }],
    ['thumbnails.columns', { thumbnails: { columns: 0 } }],
    ['thumbnails.rows', { thumbnails: { rows: 21 } }],
    ['thumbnails.rows', { thumbnails: { rows: 1.5 } }],
    ['thumbnails.width', { thumbnails: { width: 640, columns: 10, rows: 10 } }],
  ])('%s is refused by its name', (field, settings) => {
    expect(() => resolve(settings as CompositeSettings)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', field: `composite.${field}` }),
    )
  })
})
