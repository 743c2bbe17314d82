import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import { template } from '@rushes/naming-rules'
import { createMemoryStore, type MemoryStore, StoreError } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'
import type { SessionTrack } from '@rushes/take'
import { checkMp4, type HlsOptions } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import {
  type Manifest,
  type ManifestOutput,
  RenderError,
  type RenderEvent,
  type RenderPlan,
  render,
} from '../src/index.js'
import { derivedTake, filesBelow, fixture, hlsFindings, replay, temporaryFolder, textOf } from './fixtures.js'

const hasFfprobe = spawnSync('ffprobe', ['-version']).status === 0

/** Every output by the oracles. */
async function findings(
  store: MemoryStore,
  manifest: Manifest,
  transportStream: NonNullable<HlsOptions['transportStream']> = {},
): Promise<unknown[]> {
  const all: unknown[] = []
  for (const { container, key } of manifest.outputs) {
    const found =
      container === 'hls'
        ? await hlsFindings(store, key, transportStream)
        : await checkMp4(store.objects.get(key)?.data as Uint8Array)
    all.push(...found.map((finding) => ({ key, ...finding })))
  }
  return all
}

function output(manifest: Manifest, container: 'hls' | 'mp4', participantId = 'alice'): ManifestOutput {
  const found = manifest.outputs.find((one) => one.container === container && one.participantId === participantId)
  if (found === undefined) throw new Error(`no ${container} of ${participantId}`)
  return found
}

async function rendered(take: string, plan: RenderPlan): Promise<{ store: MemoryStore; manifest: Manifest }> {
  const store = createMemoryStore()
  return { store, manifest: await render(await fixture(take), plan, { store }) }
}

describe('render of a finished take', () => {
  it('makes HLS and MP4, the manifest last, and tells of it', async () => {
    const store = createMemoryStore()
    const events: RenderEvent[] = []
    const order: string[] = []
    const manifest = await render(
      await fixture('solo'),
      {},
      {
        store,
        onEvent: (event) => {
          events.push(event)
          if (event.type === 'stored') order.push(event.key)
        },
      },
    )
    expect(await findings(store, manifest)).toEqual([])
    expect(order.at(-1)).toBe('solo/manifest.json')
    expect(order.indexOf('solo/alice/media.m3u8'), 'a VOD playlist after all that it names').toBeGreaterThan(
      Math.max(...order.filter((key) => key.endsWith('.ts')).map((key) => order.indexOf(key))),
    )
    expect(JSON.parse(textOf(store, 'solo/manifest.json'))).toEqual(manifest)
    expect(manifest).toMatchObject({
      version: 1,
      recordingId: 'solo',
      roomId: 'solo',
      durationUs: 20_000_000,
      participants: [{ id: 'alice' }],
      layouts: [],
      repairs: [],
      warnings: [],
    })
    const mp4 = output(manifest, 'mp4')
    const bytes = store.objects.get('solo/alice.mp4')?.data as Uint8Array
    expect(mp4).toMatchObject({
      kind: 'individual',
      bytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      video: { width: 960, height: 540 },
      audio: { codec: 'mp4a.40.2', sampleRate: 48_000, channels: 1 },
    })
    const hls = output(manifest, 'hls')
    const inHls = [...store.objects].filter(([key]) => key.startsWith('solo/alice/'))
    expect(hls.bytes).toBe(inHls.reduce((sum, [, { data }]) => sum + data.byteLength, 0))
    expect(textOf(store, 'solo/alice/media.m3u8')).toContain('#EXT-X-PLAYLIST-TYPE:VOD')
    const progress = events.filter((event) => event.type === 'progress')
    expect(progress.every(({ totalUs }) => totalUs === 20_000_000)).toBe(true)
    expect(progress.length, 'one a batch of packets at most').toBeGreaterThan(5)
    expect(progress.map(({ recordedUs }) => recordedUs)).toEqual(
      progress.map(({ recordedUs }) => recordedUs).sort((a, b) => a - b),
    )
    expect(events.filter(({ type }) => type === 'output-ready')).toHaveLength(2)
  })

  it('gives the same bytes again', async () => {
    const [one, two] = [await rendered('rejoin', {}), await rendered('rejoin', {})]
    expect(one.manifest).toEqual(two.manifest)
    for (const [key, { data }] of one.store.objects) {
      if (key.endsWith('.ts')) expect(Buffer.compare(data, two.store.objects.get(key)?.data as Uint8Array), key).toBe(0)
    }
  })

  it('writes into a folder, with nothing else left', async () => {
    const root = temporaryFolder()
    const manifest = await render(
      await fixture('solo'),
      { recordingId: 'r' },
      { store: createLocalStore({ root }), scratchDir: root },
    )
    expect(filesBelow(root)).toEqual(
      ['r/alice.mp4', 'r/alice/index.m3u8', 'r/alice/media.m3u8', 'r/manifest.json']
        .concat(filesBelow(root).filter((name) => /^r\/alice\/segment-\d{5}\.ts$/.test(name)))
        .sort(),
    )
    expect(readdirSync(root)).toEqual(['r'])
    expect(new URL(output(manifest, 'mp4').location).pathname).toBe(join(root, 'r/alice.mp4'))
  })

  it('joins the tracks of somebody who came back', async () => {
    const { store, manifest } = await rendered('rejoin', {})
    expect(await findings(store, manifest)).toEqual([])
    expect(manifest.outputs).toHaveLength(4)
    expect(manifest.participants.find(({ id }) => id === 'bob')?.intervals).toHaveLength(2)
    const mp4 = Buffer.from(store.objects.get('rejoin/bob.mp4')?.data as Uint8Array).toString('latin1')
    expect(mp4.split('trak').length - 1, 'one picture and one sound').toBe(2)
  })

  it('lists what was lost', async () => {
    const { manifest } = await rendered('burst-loss', { formats: ['mp4'] })
    const video = manifest.repairs.filter(({ trackId }) => trackId === 'alice-video')
    const audio = manifest.repairs.filter(({ trackId }) => trackId === 'alice-audio')
    expect(audio.map(({ packets }) => packets)).toEqual([6, 4, 3, 10])
    expect(audio.map(({ action }) => action)).toEqual(['concealed', 'concealed', 'concealed', 'concealed'])
    expect(video.reduce((sum, { packets = 0 }) => sum + packets, 0)).toBe(23)
    // No keyframe came after the last of them: the picture is held until the end.
    expect(video.at(-1)?.startUs).toBeLessThan(16_200_000)
    expect(video.at(-1)?.endUs).toBeGreaterThan(19_900_000)
    for (const { startUs, endUs } of manifest.repairs) expect(startUs).toBeLessThan(endUs)
    for (const { startUs, endUs, packets } of audio) {
      expect(Math.abs(endUs - startUs - (packets ?? 0) * 20_000)).toBeLessThan(10_000)
    }
  })

  it('keeps Opus in MP4, while HLS has AAC', async () => {
    const { store, manifest } = await rendered('solo', { audio: { codec: 'opus' } })
    expect(await findings(store, manifest)).toEqual([])
    expect(output(manifest, 'mp4').audio).toMatchObject({ codec: 'opus', sampleRate: 48_000 })
    expect(output(manifest, 'hls').audio).toMatchObject({ codec: 'mp4a.40.2' })
  })

  it.skipIf(!hasFfprobe && !process.env['CI'])('makes AAC of 44.1 kHz, as ffprobe sees it', async () => {
    const root = temporaryFolder()
    const manifest = await render(
      await fixture('solo'),
      { audio: { sampleRate: 44_100 } },
      { store: createLocalStore({ root }) },
    )
    for (const { key, audio } of manifest.outputs) {
      expect(audio).toMatchObject({ codec: 'mp4a.40.2', sampleRate: 44_100 })
      const out = execFileSync(
        'ffprobe',
        [
          '-v',
          'error',
          '-select_streams',
          'a:0',
          '-show_entries',
          'stream=codec_name,sample_rate',
          '-of',
          'csv=p=0',
          join(root, key),
        ],
        { encoding: 'utf8' },
      )
      expect(out.trim().split('\n')[0]).toBe('aac,44100')
    }
  })

  it('cuts a stretch out, from the keyframe at or before its start', async () => {
    const whole = await rendered('burst-loss', { formats: ['mp4'] })
    const { store, manifest } = await rendered('burst-loss', { fromUs: 12_000_000, toUs: 15_500_000 })
    expect(await findings(store, manifest)).toEqual([])
    for (const one of manifest.outputs) {
      // burst-loss grows at 10 s, with a keyframe.
      expect(one.startUs, one.container).toBeLessThanOrEqual(12_000_000)
      expect(one.startUs, one.container).toBeGreaterThan(9_500_000)
      expect(one.video).toMatchObject({ width: 960, height: 540 })
      expect(Math.abs(one.startUs + one.durationUs - 15_500_000)).toBeLessThan(60_000)
    }
    const inside = whole.manifest.repairs.filter(
      ({ startUs, endUs }) => endUs > output(manifest, 'mp4').startUs && startUs < 15_500_000,
    )
    expect(inside.length).toBeGreaterThan(1)
    expect(manifest.repairs).toEqual(inside)
  })

  it('takes the chosen only', async () => {
    const { store, manifest } = await rendered('meeting3', { participants: ['bob'], formats: ['hls'] })
    expect(manifest.participants.map(({ id }) => id)).toEqual(['bob'])
    expect(manifest.outputs.map(({ participantId }) => participantId)).toEqual(['bob'])
    expect(
      [...store.objects.keys()].every((key) => key.startsWith('meeting3/bob/') || key.endsWith('manifest.json')),
    ).toBe(true)
  })

  it.each([
    ['audio', 'alice-audio'],
    ['video', 'alice-video'],
  ] as const)('renders who sends %s alone', async (kind, trackId) => {
    const take = await derivedTake(
      await fixture('solo'),
      () => true,
      (track: SessionTrack) => (track.id === trackId ? track : undefined),
    )
    const store = createMemoryStore()
    const manifest = await render(take, {}, { store })
    expect(await findings(store, manifest)).toEqual([])
    for (const one of manifest.outputs) {
      expect(one[kind], one.container).toBeDefined()
      expect(one[kind === 'audio' ? 'video' : 'audio'], one.container).toBeUndefined()
      expect(one.durationUs).toBeGreaterThan(19_000_000)
    }
  })

  it.each(['alice-audio', 'alice-video'])(
    'goes on in order where the media of %s ends long before its track',
    async (id) => {
      const take = await derivedTake(
        await fixture('solo'),
        (packet) => packet.trackId !== id || packet.arrivalUs < 5_000_000,
      )
      const store = createMemoryStore()
      const manifest = await render(take, {}, { store })
      // The track stays in the tables of the segments after it.
      expect(await findings(store, manifest, { allowIdle: true })).toEqual([])
      for (const one of manifest.outputs) expect(one.durationUs).toBeGreaterThan(19_000_000)
    },
  )

  it('leaves out a track that never sent anything, and says so', async () => {
    const take = await derivedTake(await fixture('solo'), (packet) => packet.trackId === 'alice-audio')
    const store = createMemoryStore()
    const events: RenderEvent[] = []
    const manifest = await render(take, {}, { store, onEvent: (event) => void events.push(event) })
    expect(manifest.warnings).toMatchObject([
      { code: 'TRACK_WITHOUT_MEDIA', participantId: 'alice', trackId: 'alice-video' },
    ])
    expect(events.filter((event) => event.type === 'warning').map(({ warning }) => warning)).toEqual(manifest.warnings)
    expect(await findings(store, manifest)).toEqual([])
  })
})

describe('render that cannot be done', () => {
  it('rejects a bad plan before anything is read', async () => {
    const source = { session: (await fixture('solo')).session, finished: true, items: () => expect.unreachable() }
    await expect(render(source, { formats: [] }, { store: createMemoryStore() })).rejects.toMatchObject({
      code: 'BAD_CONFIGURATION',
      field: 'formats',
    })
  })

  it('rejects names under which people would write over each other', async () => {
    const store = createMemoryStore()
    const naming = template('{recordingId}')
    const live = replay(await fixture('solo'))
    for (const source of [await fixture('meeting3'), live]) {
      await expect(render(source, { naming }, { store })).rejects.toMatchObject({ field: 'naming' })
    }
    live.end()
    const same = { elements: ['participantId'], distinct: false, name: () => 'everyone' }
    const failure = await render(await fixture('meeting3'), { naming: same }, { store }).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(ConfigurationError)
    expect(failure).toMatchObject({ field: 'naming' })
    expect(store.objects.size).toBe(0)
    const alone = await render(await fixture('solo'), { naming, formats: ['mp4'] }, { store })
    expect(alone.outputs[0]?.key).toBe('solo.mp4')
  })

  it('names who is there when somebody is not', async () => {
    const failure = render(await fixture('meeting3'), { participants: ['dave'] }, { store: createMemoryStore() })
    await expect(failure).rejects.toBeInstanceOf(RenderError)
    await expect(failure).rejects.toMatchObject({ code: 'RENDER_UNKNOWN_PARTICIPANT' })
    await expect(failure).rejects.toThrow(/dave.*alice, bob, carol/)
  })

  it('says that there is no media', async () => {
    const store = createMemoryStore()
    const never = await derivedTake(await fixture('solo'), (packet) => packet.rtcp)
    await expect(render(never, {}, { store })).rejects.toMatchObject({ code: 'RENDER_NO_MEDIA' })
    await expect(render(await fixture('solo'), { fromUs: 60_000_000 }, { store })).rejects.toMatchObject({
      code: 'RENDER_NO_MEDIA',
    })
    await expect(render(replay(never), {}, { store })).rejects.toMatchObject({ code: 'RENDER_NO_MEDIA' })
    expect(store.objects.size).toBe(0)
  })

  it.each(['before', 'during'] as const)('is aborted %s the work, and leaves nothing half-written', async (when) => {
    const [root, scratchDir] = [temporaryFolder(), temporaryFolder()]
    const controller = new AbortController()
    if (when === 'before') controller.abort()
    const failure = render(
      await fixture('solo'),
      { hls: { segmentDuration: 1 } },
      {
        store: createLocalStore({ root }),
        scratchDir,
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'stored') controller.abort()
        },
      },
    )
    await expect(failure).rejects.toMatchObject({ code: 'RENDER_ABORTED' })
    expect(filesBelow(root)).toEqual([])
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it('is aborted live: what has been published stays and names only what is there', async () => {
    const store = createMemoryStore()
    const scratchDir = temporaryFolder()
    const controller = new AbortController()
    const failure = render(
      replay(await fixture('solo')),
      { hls: { segmentDuration: 1 } },
      {
        store,
        scratchDir,
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === 'output-started' && event.container === 'hls') controller.abort()
        },
      },
    )
    await expect(failure).rejects.toMatchObject({ code: 'RENDER_ABORTED' })
    const media = textOf(store, 'solo/alice/media.m3u8')
    expect(media).not.toContain('#EXT-X-ENDLIST')
    for (const line of media.split('\n').filter((text) => text.endsWith('.ts'))) {
      expect(store.objects.has(`solo/alice/${line}`), line).toBe(true)
    }
    expect(store.objects.has('solo/alice.mp4')).toBe(false)
    expect(store.objects.has('solo/manifest.json')).toBe(false)
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it.each([
    ['the first segment', /segment-00001\.ts$/],
    ['a later segment', /segment-00003\.ts$/],
    ['a playlist', /index\.m3u8$/],
    ['the MP4', /\.mp4$/],
  ])('comes through with the error of a store that fails at %s', async (_what, failing) => {
    const memory = createMemoryStore()
    const scratchDir = temporaryFolder()
    const full = new StoreError('STORE_NO_SPACE', 'full')
    const store = Object.assign(Object.create(memory) as MemoryStore, {
      put: (...[key, ...rest]: Parameters<MemoryStore['put']>) =>
        failing.test(key) ? Promise.reject(full) : memory.put(key, ...rest),
      delete: (key: string) => memory.delete?.(key),
    })
    const failure = render(await fixture('solo'), { hls: { segmentDuration: 2 } }, { store, scratchDir })
    await expect(failure).rejects.toBe(full)
    expect(readdirSync(scratchDir)).toEqual([])
    expect(memory.objects.has('solo/manifest.json')).toBe(false)
    // HLS that was whole by then stays; else nothing does.
    const kept = [...memory.objects.keys()]
    if (failing.source.includes('mp4')) expect(await hlsFindings(memory, 'solo/alice/index.m3u8')).toEqual([])
    else expect(kept).toEqual([])
  })

  it('gives back the scratch file also where the store can no longer delete', async () => {
    const memory = createMemoryStore()
    const scratchDir = temporaryFolder()
    const down = new StoreError('STORE_UNAVAILABLE', 'down')
    let asked = 0
    const store = Object.assign(Object.create(memory) as MemoryStore, {
      put: (...args: Parameters<MemoryStore['put']>) =>
        args[0].endsWith('00003.ts') ? Promise.reject(down) : memory.put(...args),
      delete: () => {
        asked++
        return Promise.reject(down)
      },
    })
    const handles = readdirSync('/proc/self/fd').length
    await expect(render(await fixture('solo'), { hls: { segmentDuration: 2 } }, { store, scratchDir })).rejects.toBe(
      down,
    )
    expect(asked, 'each of them is tried').toBe(2)
    expect(readdirSync(scratchDir)).toEqual([])
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(handles)
  })

  it('lets two renders of the same people share a scratch folder', async () => {
    const scratchDir = temporaryFolder()
    const plan = { formats: ['mp4'] as const, recordingId: 'r' }
    const [one, two] = [createMemoryStore(), createMemoryStore()]
    const solo = render(await fixture('solo'), plan, { store: one, scratchDir })
    const ramp = render(await fixture('ramp'), plan, { store: two, scratchDir })
    const manifests = [await solo, await ramp]
    expect(await findings(one, manifests[0] as Manifest)).toEqual([])
    expect(await findings(two, manifests[1] as Manifest)).toEqual([])
    expect(output(manifests[1] as Manifest, 'mp4').video).toMatchObject({ width: 1280, height: 720 })
    expect(readdirSync(scratchDir)).toEqual([])
  })

  it('names scratchDir where that is no folder', async () => {
    const dir = temporaryFolder()
    mkdirSync(join(dir, 'x'))
    const file = join(dir, 'file')
    await createLocalStore({ root: dir }).put('file', Uint8Array.of(1))
    await expect(
      render(await fixture('solo'), {}, { store: createMemoryStore(), scratchDir: join(file, 'scratch') }),
    ).rejects.toMatchObject({ code: 'BAD_CONFIGURATION', field: 'scratchDir' })
    expect(readFileSync(file)).toHaveLength(1)
  })
})
