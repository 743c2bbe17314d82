import { describe, expect, it } from 'vitest'
import { type PlaceRules, Places } from '../../src/layout/places.js'
import { SceneMemory } from '../../src/layout/view.js'
import { room } from './room.js'

const rules = (capacity: number, rest: Partial<PlaceRules> = {}): PlaceRules => ({
  capacity,
  reuse: 'next',
  preference: () => 0,
  wanted: () => false,
  ...rest,
})

describe('Places', () => {
  it('gives up the last places when there are fewer', () => {
    const places = new Places()
    places.assign(['a', 'b', 'c'], rules(3))
    expect(places.assign(['a', 'b', 'c'], rules(2))).toEqual(['a', 'b'])
    expect(places.assign(['b', 'c'], rules(2))).toEqual(['c', 'b'])
  })

  it('lets nobody in for whom nobody may be sent away', () => {
    const places = new Places()
    places.assign(['a', 'b'], rules(2))
    expect(places.assign(['a', 'b', 'c'], rules(2, { wanted: () => true }))).toEqual(['a', 'b'])
  })

  it('seats the preferred ones when there are too many, in their order', () => {
    const preference = (key: string): number => -key.charCodeAt(0)
    expect(new Places().assign(['a', 'b', 'c', 'd'], rules(2, { preference }))).toEqual(['c', 'd'])
    expect(new Places().assign(['a', 'b', 'c', 'd'], rules(2, { wanted: (key) => key === 'd' }))).toEqual(['a', 'd'])
  })
})

describe('SceneMemory', () => {
  it('knows who spoke later than whom, as long as they are there', () => {
    const memory = new SceneMemory()
    memory.view(room(2, { speaker: 'p1' }), true)
    const view = memory.view(room(2, { speaker: 'p2' }), true)
    expect(view.lastSpoke('p2')).toBeGreaterThan(view.lastSpoke('p1'))
    expect(view.lastSpoke('p1')).toBeGreaterThan(view.lastSpoke('p3'))
    memory.view(room(['p2']), true)
    expect(memory.view(room(2), true).lastSpoke('p1')).toBe(0)
  })

  it('puts a screen that stopped and began again behind the others', () => {
    const memory = new SceneMemory()
    const order = (screens: string[]) =>
      memory.view(room(2, { screens }), true).screens.map(({ source }) => source.participantId)
    expect(order(['p1', 'p2'])).toEqual(['p1', 'p2'])
    order(['p2'])
    expect(order(['p1', 'p2'])).toEqual(['p2', 'p1'])
  })

  it('shows who has only a screen without a picture, once', () => {
    const scene = room(1, { screens: ['p1'] })
    const screens = scene.sources.slice(1).map((source) => ({ ...source, hasPicture: false, picture: undefined }))
    const view = new SceneMemory().view({ sources: [...screens, ...screens], activeSpeaker: undefined }, true)
    expect([view.people.length, view.screens.length]).toEqual([1, 0])
  })
})
