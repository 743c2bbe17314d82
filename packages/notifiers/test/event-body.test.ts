import { describe, expect, it } from 'vitest'
import { endsRecording, eventBody } from '../src/event-body.js'
import { eventOf } from './event-fixtures.js'

describe('eventBody', () => {
  it('is the same for the same content, whatever the order of its keys', () => {
    const one = eventOf('a', 1, 'MARK', { b: { y: 1, x: [{ q: 1, p: 2 }] }, a: 2 })
    const data = { a: 2, b: { x: [{ p: 2, q: 1 }], y: 1 } }
    const { id, at, type, ...rest } = eventOf('a', 1, 'MARK', data)
    expect(eventBody({ ...rest, type, at, id })).toBe(eventBody(one))
  })

  it('begins with the keys of events in their order, and sorts those below', () => {
    expect(eventBody(eventOf('a', 1, 'MARK', { z: null, trackId: 't', 10: 1, a: [true] }))).toBe(
      '{"id":"a:1","recordingId":"a","roomId":"room-1","sequence":1,"type":"MARK","at":"2026-11-21T10:00:00.000Z",' +
        '"recordingTimeUs":1000000,"data":{"10":1,"a":[true],"trackId":"t","z":null}}',
    )
  })

  it('leaves out what is undefined', () => {
    expect(eventBody(eventOf('a', 1, 'MARK', { trackId: undefined } as never))).toContain('"data":{}')
  })

  it.each([
    [eventOf('a', 1, 'READY'), true],
    [eventOf('a', 1, 'ERROR', { fatal: true }), true],
    [eventOf('a', 1, 'ERROR', { fatal: false }), false],
    [eventOf('a', 1, 'STOP'), false],
  ])('knows ends: %o', (event, ends) => expect(endsRecording(event)).toBe(ends))
})
