import type { RecordingEventData, RecordingEventType } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { HostNotes } from '../src/host-notes.js'
import type { RecordingSettings } from '../src/settings.js'

type Noted = { readonly type: string; readonly [key: string]: unknown }

function notesOf(outputs: RecordingSettings['outputs']) {
  const noted: Noted[] = []
  const told: [RecordingEventType, RecordingEventData][] = []
  const notes = new HostNotes(outputs === undefined ? {} : { outputs }, {
    note: (event) => noted.push(event),
    tell: (type, data) => told.push([type, data]),
  })
  return { notes, noted, told }
}

describe('a layout', () => {
  it('by its name is journalled as the layout that it stands for', () => {
    const { notes, noted, told } = notesOf(['individual', 'composite'])
    notes.layout('spotlight', { transitionMs: 0 })
    expect(noted).toEqual([{ type: 'layout', layout: { type: 'spotlight' }, transitionMs: 0 }])
    expect(told).toEqual([['LAYOUT', { layout: 'spotlight', transitionMs: 0 }]])
  })

  it('of one\u2019s own is told by its name', () => {
    const { notes, noted, told } = notesOf([{ composite: {} }])
    const layout = { type: 'pip', name: 'interview', corner: 'top-left' } as const
    notes.layout(layout, {})
    expect(noted).toEqual([{ type: 'layout', layout }])
    expect(told).toEqual([['LAYOUT', { layout: 'interview' }]])
  })

  it('may be for one composite of several', () => {
    const { notes, noted, told } = notesOf([{ composite: {} }, { composite: { name: 'stage' } }])
    notes.layout('single', { composite: 'stage' })
    expect(noted).toEqual([{ type: 'layout', layout: { type: 'single' }, composite: 'stage' }])
    expect(told[0]?.[1]).toEqual({ layout: 'single', composite: 'stage' })
  })

  it.each([
    ['a name that is none', 'gird', {}, { code: 'LAYOUT_INVALID', message: expect.stringContaining('grid') }],
    [
      'JSON with a fault, by its path',
      { type: 'custom', regions: [{ x: 0, y: 0, width: 2, height: 1 }] },
      {},
      { code: 'LAYOUT_INVALID', message: expect.stringContaining('regions[0].width') },
    ],
    ['a transition that never ends', 'grid', { transitionMs: 2001 }, { field: 'transitionMs' }],
    ['a transition that is no number', 'grid', { transitionMs: Number.NaN }, { field: 'transitionMs' }],
    ['a composite that is not there', 'grid', { composite: 'stage' }, { field: 'composite' }],
  ])('is refused, and nothing is journalled: %s', (_, layout, change, error) => {
    const { notes, noted, told } = notesOf(['composite'])
    expect(() => notes.layout(layout as 'grid', change)).toThrow(expect.objectContaining(error))
    expect([noted, told]).toEqual([[], []])
  })

  it.each([[undefined], [['individual'] as const]])('is refused without a composite: %j', (outputs) => {
    const { notes, noted } = notesOf(outputs)
    expect(() => notes.layout('grid', {})).toThrow(expect.objectContaining({ field: 'outputs' }))
    expect(noted).toEqual([])
  })
})

describe('what else a host says', () => {
  const track = { id: 'camera', participantId: 'ann', journalId: 'camera~2' }

  it('of a mute is journalled of the stretch, and told of the track', () => {
    const { notes, noted, told } = notesOf(undefined)
    notes.muted(track, true)
    notes.muted(track, false)
    expect(noted).toEqual([
      { type: 'mute', participant: 'ann', track: 'camera~2' },
      { type: 'unmute', participant: 'ann', track: 'camera~2' },
    ])
    expect(told).toEqual([
      ['TRACK_MUTED', { participantId: 'ann', trackId: 'camera' }],
      ['TRACK_UNMUTED', { participantId: 'ann', trackId: 'camera' }],
    ])
  })

  it.each([
    ['camera', 'camera'],
    ['screen', 'screen'],
    ['none', null],
  ] as const)('of what a track shows is journalled: %s', (source, journalled) => {
    const { notes, noted } = notesOf(undefined)
    notes.shows(track, source)
    expect(noted).toEqual([{ type: 'replace', participant: 'ann', track: 'camera~2', source: journalled }])
  })

  it('of a moment is journalled and told', () => {
    const { notes, noted, told } = notesOf(undefined)
    notes.mark('goal')
    expect([noted, told]).toEqual([[{ type: 'mark', label: 'goal' }], [['MARK', { label: 'goal' }]]])
  })
})
