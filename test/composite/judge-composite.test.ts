import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compositeByHand, type Defects, type HandInput } from './composite-by-hand.js'
import { compositeComplaints, measureComposite } from './judge-composite.js'
import { readSentCall, type SentCall } from './sent-call.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const folderOf = (take: string): string => new URL(`../fixtures/${take}`, import.meta.url).pathname

describe.skipIf(!hasFfmpeg && process.env['CI'] === undefined)('the judge of composites (needs ffmpeg)', () => {
  let dir = ''
  const inputs = new Map<string, { call: SentCall; hand: HandInput[] }>()
  const take = async (name: string): Promise<{ call: SentCall; hand: HandInput[] }> => {
    let known = inputs.get(name)
    if (known === undefined) {
      const store = createLocalStore({ root: dir })
      const manifest = await render(await openTake(folderOf(name)), { recordingId: name, formats: ['mp4'] }, { store })
      const hand = manifest.outputs.map(({ participantId, key, startUs }) => ({
        participantId: participantId as string,
        path: join(dir, key),
        startUs,
      }))
      known = { call: await readSentCall(folderOf(name)), hand }
      inputs.set(name, known)
    }
    return known
  }
  const judge = async (name: string, defects?: Defects): Promise<string[]> => {
    const { call, hand } = await take(name)
    const path = join(dir, `${name}.mp4`)
    const { manifest, output } = await compositeByHand(hand, call, path, defects)
    return compositeComplaints(await measureComposite(path, manifest, output, call, { fps: 30, exactShare: 0.5 }))
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rushes-judge-'))
  })
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  // Of the others, ffmpeg begins its filters anew where a source changes its size, or does not find the nearest picture.
  it.each(['meeting3', 'lossy'])('finds nothing wrong with a right one of %s', async (name) => {
    expect(await judge(name)).toEqual([])
  })

  it.each<[string, string, Defects, RegExp]>([
    ['people in the place of others', 'meeting3', { swapped: true }, /card \d instead of \d|no card can be read/],
    ['pictures that are three frames late', 'rejoin', { pictureLateMs: 100 }, /alice.*3 frames late/],
    ['pictures that are one frame late', 'rejoin', { pictureLateMs: 33.3 }, /alice: in the median 1 frames late/],
    ['beeps that are 60 ms late', 'rejoin', { soundLateMs: 60 }, /alice: sync, median: [67]\d/],
    ['a participant who is too loud', 'rejoin', { gainDb: 2 }, /alice/],
    ['a sum that is clipped', 'meeting3', { clipped: true }, /samples at full scale/],
    ['tiles that come and go late', 'rejoin', { presenceLateMs: 200 }, /bob: is shown (from|until)/],
    ['a tile that stays behind', 'meeting3', { leftBehind: true }, /outside of the tiles/],
    ['noise where nobody is heard', 'rejoin', { noisy: true }, /a silence of -\d\d/],
    ['too few pictures a second', 'lossy', { tooFew: true }, /pictures are the nearest ones|frames late/],
  ])('finds %s', async (_, name, defects, complaint) => {
    expect(await judge(name, defects)).toContainEqual(expect.stringMatching(complaint))
  })
})
