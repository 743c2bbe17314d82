import { presets, template, withFacts } from '@rushes/naming-rules'
import { createMemoryStore } from '@rushes/storage-adapters'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { render } from '../src/index.js'
import { fixture, hlsFindings, replay } from './fixtures.js'

/** Keys of playlists and files; segments play, so they are where the playlist says. */
const mains = (keys: Iterable<string>): string[] => [...keys].filter((key) => /\.(m3u8|mp4)$/.test(key)).sort()

describe.each(['offline', 'live'] as const)('names of other products, %s', (mode) => {
  const source = async () => (mode === 'live' ? replay(await fixture('solo')) : fixture('solo'))

  it.each([
    [
      'jocloud',
      withFacts(presets.jocloud(), () => ({ recordingId: 'rec7', roomId: 'abcabc', uid: '10266666' })),
      [
        'rid_rec7_abcabc__uid_s_10266666__uid_e.m3u8',
        'rid_rec7_abcabc__uid_s_10266666__uid_e.mp4',
        'rid_rec7_abcabc__uid_s_10266666__uid_e/media.m3u8',
      ],
    ],
    [
      'fishjam',
      presets.fishjam({ prefix: 'base' }),
      [
        'base/solo/solo/participants/alice.mp4',
        'base/solo/solo/participants/alice/index.m3u8',
        'base/solo/solo/participants/alice/media.m3u8',
      ],
    ],
    [
      'wcs',
      withFacts(presets.wcs({ template: '{streamName}-{videoCodec}-{audioCodec}' }), () => ({ streamName: 'cam 1' })),
      ['cam 1-h264-aac.mp4', 'cam 1-h264-aac/index.m3u8', 'cam 1-h264-aac/media.m3u8'],
    ],
  ])('%s', async (_, naming, expected) => {
    const store = createMemoryStore()
    const manifest = await render(await source(), { naming }, { store })
    expect(mains(store.objects.keys())).toEqual(expected)
    const hls = manifest.outputs.find(({ container }) => container === 'hls')
    const mp4 = manifest.outputs.find(({ container }) => container === 'mp4')
    const found = await hlsFindings(store, hls?.key as string)
    expect(found.filter(({ rule }) => rule !== 'variant-codecs')).toEqual([])
    expect(await checkMp4(store.objects.get(mp4?.key as string)?.data as Uint8Array)).toEqual([])
  })

  it('wcs: parts are numbered, the last is not; with times they are told apart by these', async () => {
    const plan = { formats: ['mp4'], parts: { seconds: 4 } } as const
    const keysWith = async (text: string): Promise<string[]> => {
      const naming = presets.wcs({ template: text })
      const { outputs } = await render(await source(), { ...plan, naming }, { store: createMemoryStore() })
      return outputs.map(({ key }) => key)
    }
    const numbered = await keysWith('{streamName}')
    expect(numbered.length).toBeGreaterThan(2)
    expect(numbered).toEqual([...numbered.slice(1).map((_key, index) => `alice_${index + 1}.mp4`), 'alice.mp4'])
    const timed = await keysWith('{streamName}-{startTime}-{endTime}')
    expect(new Set(timed).size).toBe(numbered.length)
    for (const key of timed) expect(key).toMatch(/^alice-\d{13}-\d{13}\.mp4$/)
  })
})

it('an end is no part of the name of what is published before it', async () => {
  const naming = template('{participantId}-{endedAt}')
  const sinks = { store: createMemoryStore() }
  await expect(render(replay(await fixture('solo')), { naming }, sinks)).rejects.toMatchObject({ field: 'naming' })
  const parts = { seconds: 4 }
  await expect(render(await fixture('solo'), { naming, parts }, sinks)).rejects.toMatchObject({ field: 'naming' })
  const live = await render(replay(await fixture('solo')), { naming, formats: ['mp4'] }, sinks)
  const later = await render(await fixture('solo'), { naming, formats: ['mp4'] }, sinks)
  expect(live.outputs[0]?.key).toMatch(/^alice-\d{8}T\d{9}Z\.mp4$/)
  expect(live.outputs[0]?.key.slice(0, -8)).toBe(later.outputs[0]?.key.slice(0, -8))
})

it('one name for two people is found before there is any work', async () => {
  const naming = withFacts(template('{participantId}'), () => ({ participantId: 'everybody' }))
  const store = createMemoryStore()
  await expect(render(await fixture('meeting3'), { naming, formats: ['mp4'] }, { store })).rejects.toMatchObject({
    field: 'naming',
  })
  expect(store.objects.size).toBe(0)
})
