import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  DEFAULT_TEMPLATE,
  type NamingFacts,
  OUTPUT_SUFFIXES,
  outputNames,
  presets,
  template,
} from '@rushes/naming-rules'
import { checkStoreKey } from '@rushes/storage-adapters'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** The disk of this folder, and memory as Linux mounts it. */
const disks = {
  'the disk': fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url)),
  tmpfs: '/dev/shm',
}

const scripts = {
  Cyrillic: 'Щука',
  emoji: '😀🎬',
  'joined emoji and flags': '👩‍👩‍👧‍👦🇩🇪',
  'combining marks': 'e\u0301й',
  'signs that are encoded': '?:',
}

const rules = {
  [DEFAULT_TEMPLATE]: template(DEFAULT_TEMPLATE),
  fishjam: presets.fishjam({ prefix: 'recordings' }),
  '100ms': presets.hundredMs({ prefix: 'test-prefix' }),
  jocloud: presets.jocloud(),
  wcs: presets.wcs(),
  'wcs, streamName': presets.wcs({ policy: 'streamName' }),
  'wcs, Base64url': presets.wcs({ policy: 'streamName', encoding: 'base64url' }),
}

/** All facts are far too long. The start moves what comes behind it, so that some name has exactly 255 bytes. */
function factsOf(script: string, shift: number, kind: NamingFacts['kind']): NamingFacts {
  const long = 'x'.repeat(shift) + script.repeat(200)
  return {
    recordingId: long,
    roomId: long,
    sessionId: long,
    participantId: long,
    participantName: long,
    streamId: long,
    streamName: long,
    kind,
    startedAtUs: 1_626_898_422_000_000,
  }
}

for (const [diskName, disk] of Object.entries(disks)) {
  describe.skipIf(diskName === 'tmpfs' && !existsSync(disk) && !process.env['CI'])(`names on ${diskName}`, () => {
    let root = ''
    beforeAll(() => {
      mkdirSync(disk, { recursive: true })
      root = mkdtempSync(join(disk, 'rushes-names-'))
    })
    afterAll(() => rmSync(root, { recursive: true, force: true }))

    it('have 255 bytes and not one more', () => {
      const name = `${'Щ'.repeat(125)}a.mp4`
      expect(Buffer.byteLength(name)).toBe(255)
      writeFileSync(join(root, name), '')
      expect(readdirSync(root)).toContain(name)
      expect(() => writeFileSync(join(root, `a${name}`), '')).toThrow(expect.objectContaining({ code: 'ENAMETOOLONG' }))
    })

    for (const [ruleName, rule] of Object.entries(rules)) {
      it(`by ${ruleName} are created as they are, and stores take them`, () => {
        for (const [scriptName, script] of Object.entries(scripts)) {
          const sizes = new Set<number>()
          for (const kind of ['individual', 'composite'] as const) {
            for (const shift of [0, 1, 2, 3]) {
              const names = outputNames(rule, factsOf(script, shift, kind), 'hls')
              const part = names.part({ part: 99_999 })
              const ofPart = ['.webm', '/index.m3u8', ...(rule.elements.includes('part') ? ['.manifest.json'] : [])]
              // Under Jocloud the playlist is the same object with and without its folder.
              const keys = new Set([...OUTPUT_SUFFIXES.map(names.key), ...ofPart.map(part.key)])
              const base = mkdtempSync(join(root, 'case-'))
              for (const key of keys) {
                checkStoreKey(key)
                mkdirSync(join(base, dirname(key)), { recursive: true })
                // Fails where a folder has that name, and where the file is there already.
                writeFileSync(join(base, key), key, { flag: 'wx' })
                for (const component of key.split('/')) sizes.add(Buffer.byteLength(component))
              }
              expect(filesBelow(base).sort()).toEqual([...keys].sort())
              rmSync(base, { recursive: true })
            }
          }
          // The elements of the default template of WCS are of bounded length.
          if (ruleName !== 'wcs') expect([scriptName, Math.max(...sizes)]).toEqual([scriptName, 255])
        }
      })
    }
  })
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
}
