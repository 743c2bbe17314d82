import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signWebhook, verifyWebhook } from '../src/webhook-signature.js'
import { openssl, withoutOpenssl } from './event-fixtures.js'

const body =
  '{"id":"r:1","recordingId":"r","roomId":"room","sequence":1,"type":"START","at":"2027-01-15T08:00:00.000Z","data":{}}'
const nowS = 1_800_000_000
const secret = 'example-secret'
const headers = { 'rushes-timestamp': String(nowS), 'rushes-signature': signWebhook([secret], nowS, body) }
const received = { body, headers, secret, nowS }
const codeOf = (change: object): unknown => {
  try {
    verifyWebhook({ ...received, ...change })
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return undefined
}

describe('webhook signatures', () => {
  it('is the example of the README', () => {
    expect(headers['rushes-signature']).toBe('v1=9743ff8aa48051378939722e74482acc899ed9345f38916469e7a6cb97e0f783')
  })

  it.skipIf(withoutOpenssl)('is what OpenSSL computes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 0, maxLength: 200 }), fc.nat(), (text, timestampS) => {
        const { stdout } = openssl(['dgst', '-sha256', '-hmac', secret], `${timestampS}.${text}`)
        expect(`v1=${stdout.trim().split(' ').at(-1)}`).toBe(signWebhook([secret], timestampS, text))
      }),
      { numRuns: 20 },
    )
  })

  it('gives the event', () => {
    expect(verifyWebhook(received)).toEqual(JSON.parse(body))
    expect(verifyWebhook({ ...received, body: Buffer.from(body) })).toEqual(JSON.parse(body))
    expect(verifyWebhook({ ...received, headers: new Headers(headers) })).toEqual(JSON.parse(body))
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
    expect(verifyWebhook({ ...received, headers: upper })).toEqual(JSON.parse(body))
  })

  it('takes any of several secrets, on both sides', () => {
    const both = { ...headers, 'rushes-signature': signWebhook(['new', secret], nowS, body) }
    expect(codeOf({ headers: both })).toBeUndefined()
    expect(codeOf({ headers: both, secret: 'new' })).toBeUndefined()
    expect(codeOf({ secret: ['new', secret] })).toBeUndefined()
  })

  it.each([
    ['no signature', { headers: { 'rushes-timestamp': String(nowS) } }, 'WEBHOOK_SIGNATURE_MISSING'],
    ['no timestamp', { headers: { 'rushes-signature': 'v1=00' } }, 'WEBHOOK_SIGNATURE_MISSING'],
    ['another secret', { secret: 'other' }, 'WEBHOOK_SIGNATURE_WRONG'],
    ['no secret', { secret: [] }, 'WEBHOOK_SIGNATURE_WRONG'],
    ['another body', { body: `${body} ` }, 'WEBHOOK_SIGNATURE_WRONG'],
    ['another timestamp', { headers: { ...headers, 'rushes-timestamp': String(nowS + 1) } }, 'WEBHOOK_SIGNATURE_WRONG'],
    ['a short signature', { headers: { ...headers, 'rushes-signature': 'v1=ab' } }, 'WEBHOOK_SIGNATURE_WRONG'],
    [
      'another version',
      { headers: { ...headers, 'rushes-signature': headers['rushes-signature'].replace('v1', 'v0') } },
      'WEBHOOK_SIGNATURE_WRONG',
    ],
    ['too old: a replay', { nowS: nowS + 301 }, 'WEBHOOK_TIMESTAMP_OUT_OF_RANGE'],
    ['too new', { nowS: nowS - 301 }, 'WEBHOOK_TIMESTAMP_OUT_OF_RANGE'],
    ['an unknown time', { nowS: Number.NaN }, 'WEBHOOK_TIMESTAMP_OUT_OF_RANGE'],
  ])('refuses %s', (_what, change, code) => expect(codeOf(change)).toBe(code))

  it('takes what is just young enough', () => {
    expect(codeOf({ nowS: nowS + 300 })).toBeUndefined()
    expect(codeOf({ nowS: nowS + 900, toleranceS: 900 })).toBeUndefined()
  })

  it('an empty secret verifies nothing', () => {
    const signed = { ...headers, 'rushes-signature': signWebhook([''], nowS, body) }
    expect(codeOf({ headers: signed, secret: '' })).toBe('WEBHOOK_SIGNATURE_WRONG')
  })

  it.each(['', '[]', 'null', '{"id":1}', 'not JSON'])('what is signed and no event is refused: %s', (other) => {
    const signed = { ...headers, 'rushes-signature': signWebhook([secret], nowS, other) }
    expect(codeOf({ body: other, headers: signed })).toBe('WEBHOOK_BODY_INVALID')
  })

  it('takes any headers and bodies without another error than its own', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.uint8Array(), (timestamp, signature, bytes) => {
        const code = codeOf({ headers: { 'rushes-timestamp': timestamp, 'rushes-signature': signature }, body: bytes })
        expect(code).toMatch(/^WEBHOOK_/)
      }),
    )
  })
})
