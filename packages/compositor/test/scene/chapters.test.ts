import { describe, expect, it } from 'vitest'
import { parseLayout } from '../../src/layout/parse-layout.js'
import { ChapterLog } from '../../src/scene/chapters.js'
import type { SceneEvent } from '../../src/scene/scene-event.js'
import { sceneEventsOf } from '../../src/scene/take-scene-events.js'
import { takeFacts } from './take-facts.js'

function chaptersOf(...events: readonly SceneEvent[]): string[] {
  const log = new ChapterLog()
  for (const event of events) log.push(event)
  return log.chapters.map(({ atUs, type, label }) => `${atUs} ${type}: ${label}`)
}

describe('ChapterLog', () => {
  it('tells who came and went, who shared, and how the layout changed', () => {
    expect(
      chaptersOf(
        { type: 'join', atUs: 10, participantId: 'a', name: 'Ada' },
        { type: 'join', atUs: 15, participantId: 'a' },
        { type: 'track-added', atUs: 20, participantId: 'a', trackId: 'v', media: 'video' },
        { type: 'track-added', atUs: 30, participantId: 'b', trackId: 'w', media: 'video', source: 'screen' },
        { type: 'layout', atUs: 40, layout: parseLayout('presentation') },
        { type: 'layout', atUs: 50, layout: parseLayout({ type: 'grid', name: 'Everyone' }) },
        { type: 'source', atUs: 60, trackId: 'w', source: 'none' },
        { type: 'source', atUs: 70, trackId: 'v', source: 'screen' },
        { type: 'source', atUs: 75, trackId: 'nobody', source: 'screen' },
        { type: 'leave', atUs: 80, participantId: 'a' },
        { type: 'leave', atUs: 80, participantId: 'a' },
        { type: 'track-removed', atUs: 90, participantId: 'a', trackId: 'v' },
      ),
    ).toEqual([
      '10 join: Ada joined',
      '30 join: b joined',
      '30 share-started: b shares a screen',
      '40 layout: Layout: presentation',
      '50 layout: Layout: Everyone',
      '60 share-stopped: b stopped sharing',
      '70 share-started: Ada shares a screen',
      '80 share-stopped: Ada stopped sharing',
      '80 leave: Ada left',
    ])
  })

  it('reads the calls that were recorded', () => {
    expect(chaptersOf(...sceneEventsOf(takeFacts('rejoin')))).toEqual([
      '200000 join: alice joined',
      '312000 join: bob joined',
      '7012000 leave: bob left',
      '9953000 join: bob joined',
    ])
    expect(chaptersOf(...sceneEventsOf(takeFacts('mutes')))).toEqual([
      '186000 join: alice joined',
      '19018000 share-started: alice shares a screen',
    ])
  })

  it('puts events in order, and one that comes after it was asked behind what it told', () => {
    const log = new ChapterLog()
    log.push({ type: 'leave', atUs: 20, participantId: 'a' })
    log.push({ type: 'join', atUs: 10, participantId: 'a' })
    log.push({ type: 'join', atUs: Number.NaN, participantId: 'z' })
    expect(log.chapters.map(({ type, participantId }) => [type, participantId])).toEqual([
      ['join', 'a'],
      ['leave', 'a'],
    ])
    log.push({ type: 'join', atUs: 15, participantId: 'b' })
    expect(log.chapters.at(-1)).toEqual({ atUs: 20, type: 'join', participantId: 'b', label: 'b joined' })
  })

  it('counts what is too much', () => {
    const log = new ChapterLog(2)
    for (const participantId of ['a', 'b', 'c', 'd']) log.push({ type: 'join', atUs: 1, participantId })
    expect(log.chapters.length).toBe(2)
    expect(log.omitted).toBe(2)
  })
})
