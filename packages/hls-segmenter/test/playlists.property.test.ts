import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type MediaPlaylist,
  type MediaSegment,
  type MultivariantPlaylist,
  parseMediaPlaylist,
  parseMultivariantPlaylist,
  requiredVersion,
  serializeMediaPlaylist,
  serializeMultivariantPlaylist,
} from '../src/index.js'
import { referredName, relativeUri } from '../src/object-uri.js'

// Everything that a line may hold, with what parsers trip over made likely. White space inside is legal.
const character = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...',=;:#@\'"{}$%&?*+ ./-_~0aZ') },
  { weight: 1, arbitrary: fc.constantFrom('é', '漢', '🎬', 'א', '\u0301') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
)
const lineText = fc.array(character, { minLength: 1, maxLength: 20 }).map((characters) =>
  characters
    .join('')
    .replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, '')
    .trim(),
)
const text = lineText.map((line) => line || 'x')
const uri = text.map((line) => (line.startsWith('#') ? `x${line}` : line))
const quotable = uri.map((line) => line.replaceAll('"', "'"))
// Objects with a prototype, like those that the parser makes.
const record = <T>(arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(arbitraries, { noNullPrototype: true })
const byteRange = record({ length: fc.nat(), offset: fc.nat() })
const option = <T>(name: string, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.option(arbitrary).map((value) => (value === null ? {} : { [name]: value }))

const segment: fc.Arbitrary<MediaSegment> = fc
  .tuple(
    record({ uri, durationUs: fc.integer({ min: 1, max: 100_000_000 }), discontinuity: fc.boolean() }),
    option('title', text),
    option('programDateTimeMs', fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })),
    option('byteRange', byteRange),
  )
  .map((parts) => Object.assign({}, ...parts) as MediaSegment)
const map = fc
  .tuple(record({ uri: quotable }), option('byteRange', byteRange))
  .map((parts): { uri: string } => Object.assign({}, ...parts))

const mediaPlaylist: fc.Arbitrary<MediaPlaylist> = fc
  .tuple(
    fc.array(segment, { maxLength: 12 }),
    fc.array(fc.tuple(fc.nat({ max: 12 }), map), { maxLength: 3 }),
    record({
      mediaSequence: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      discontinuitySequence: fc.nat(),
      independentSegments: fc.boolean(),
      endList: fc.boolean(),
    }),
    option('playlistType', fc.constantFrom('VOD', 'EVENT')),
    fc.nat({ max: 4 }),
    fc.nat({ max: 100 }),
  )
  .map(([bare, maps, header, type, versionAbove, targetAbove]) => {
    const byIndex = new Map(maps)
    let current: { uri: string } | undefined
    const segments = bare.map((one, index) => {
      current = byIndex.get(index) ?? current
      return current === undefined ? one : { ...one, map: current }
    })
    const longest = Math.max(1, ...segments.map(({ durationUs }) => Math.round(durationUs / 1e6)))
    return {
      ...header,
      ...type,
      version: requiredVersion(segments) + versionAbove,
      targetDuration: longest + targetAbove,
      segments,
    }
  })

const token = fc.string({ unit: fc.constantFrom(...'abcXYZ0129.-_'), minLength: 1, maxLength: 12 })
const multivariantPlaylist: fc.Arbitrary<MultivariantPlaylist> = record({
  version: fc.integer({ min: 1, max: 12 }),
  independentSegments: fc.boolean(),
  variants: fc.array(
    fc
      .tuple(
        record({ uri, bandwidth: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }),
        option('averageBandwidth', fc.nat()),
        option('codecs', fc.array(token, { minLength: 1, maxLength: 4 })),
        option(
          'resolution',
          record({ width: fc.integer({ min: 1, max: 1e5 }), height: fc.integer({ min: 1, max: 1e5 }) }),
        ),
        option(
          'frameRate',
          fc.integer({ min: 1, max: 240_000 }).map((thousandths) => thousandths / 1000),
        ),
      )
      .map((parts) => Object.assign({}, ...parts)),
    { maxLength: 6 },
  ),
})

describe('playlists', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(mediaPlaylist, (playlist) => {
        expect(parseMediaPlaylist(serializeMediaPlaylist(playlist))).toStrictEqual(playlist)
      }),
    )
  })

  it('multivariant ones as well', () => {
    fc.assert(
      fc.property(multivariantPlaylist, (playlist) => {
        expect(parseMultivariantPlaylist(serializeMultivariantPlaylist(playlist))).toStrictEqual(playlist)
      }),
    )
  })

  it('are either read or refused with a typed error, whatever the text', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '#EXT-X-ENDLIST',
        '#EXT-X-DISCONTINUITY',
        '#EXTINF:6,',
        '#EXTINF:',
        '#EXT-X-MAP:',
        '#EXT-X-BYTERANGE:',
        'a.ts',
      ),
      fc
        .tuple(
          fc.constantFrom(
            '#EXTINF:',
            '#EXT-X-MAP:',
            '#EXT-X-STREAM-INF:',
            '#EXT-X-MEDIA-SEQUENCE:',
            '#EXT-X-KEY:',
            '#EXT-X-MEDIA:',
          ),
          text,
        )
        .map((parts) => parts.join('')),
      text,
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
        const all = ['#EXTM3U', '#EXT-X-TARGETDURATION:6', ...lines].join('\n')
        for (const parse of [parseMediaPlaylist, parseMultivariantPlaylist]) {
          try {
            parse(all)
          } catch (error) {
            expect(error).toMatchObject({ name: 'HlsPlaylistError' })
          }
        }
      }),
    )
  })
})

describe('object names', () => {
  const component = fc.array(character, { minLength: 1, maxLength: 8 }).map((parts) => {
    const name = parts
      .join('')
      .replaceAll('/', '')
      .replace(/\p{Cs}/gu, '')
    return name === '' || name === '.' || name === '..' ? 'x' : name
  })
  const objectName = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))

  it('survive the way through a URI reference, which is plain ASCII and resolves as browsers do it', () => {
    fc.assert(
      fc.property(objectName, objectName, (from, to) => {
        const reference = relativeUri(from, to)
        expect(referredName(from, reference)).toBe(to)
        expect(reference).toMatch(/^[\w\-.!~*'()%/]+$/)
        const base = `http://host/${from.split('/').map(encodeURIComponent).join('/')}`
        expect(new URL(reference, base).pathname.slice(1).split('/').map(decodeURIComponent).join('/')).toBe(to)
      }),
    )
  })
})
