import { resolve } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatStoreUrl, parseStoreUrl } from '../../src/store-url/parse-store-url.js'
import { type StoreUrlSettings, storeUrlParameters } from '../../src/store-url/store-url-settings.js'

const component = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what keys may not have
  .map((text) => text.replace(/[/\u0000-\u001f\u007f-\u009f]/g, '_'))
  .map((text) => (text === '.' || text === '..' ? 'dots' : text))
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/)
const text = fc.string({ unit: 'grapheme', minLength: 1 })
const values = { text, flag: fc.boolean(), integer: fc.nat(), url: fc.webUrl() } as const

function parameters(scheme: StoreUrlSettings['scheme']): fc.Arbitrary<Record<string, unknown>> {
  const arbitraries = Object.entries(storeUrlParameters[scheme]).map(([name, kind]) => [name, values[kind]] as const)
  return fc.record(Object.fromEntries(arbitraries), { requiredKeys: [] })
}

const settings = fc
  .oneof(
    fc.tuple(
      fc.constant({ scheme: 'file' }),
      fc.record({ root: path.map((folder) => resolve('/', folder)) }),
      parameters('file'),
    ),
    ...(['s3', 'oss'] as const).map((scheme) =>
      fc.tuple(
        fc.constant({ scheme }),
        fc.record({ bucket, basePath: path }, { requiredKeys: ['bucket'] }),
        // What only has a sense together is given together.
        parameters(scheme).map((given) => (scheme === 's3' ? { roleArn: 'arn', ...given } : given)),
      ),
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as StoreUrlSettings)

describe('store URLs', () => {
  it('say what they were made of', () => {
    fc.assert(
      fc.property(settings, (expected) => {
        const url = formatStoreUrl(expected)
        expect(parseStoreUrl(url)).toEqual(expected)
        expect(formatStoreUrl(parseStoreUrl(url))).toBe(url)
        expect(URL.canParse(url)).toBe(true)
      }),
    )
  })

  it('are read or refused with a word about the part, whatever they are', () => {
    const anything = fc.tuple(fc.constantFrom('file://', 's3://', 'oss://', ''), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(anything, ([scheme, rest]) => {
        try {
          const parsed = parseStoreUrl(scheme + rest)
          expect(parseStoreUrl(formatStoreUrl(parsed))).toEqual(parsed)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      }),
    )
  })
})
