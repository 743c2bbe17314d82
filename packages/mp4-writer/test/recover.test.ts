import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMp4Writer, recoverFragmentedMp4 } from '../src/index.js'
import { camera, decode, hasFfmpeg, pictures, temporaryFolder } from './media.js'

describe.skipIf(!hasFfmpeg && !process.env['CI'])('a file that a crash cut', () => {
  let folder: { path: string; remove: () => void }
  let whole: string
  beforeAll(async () => {
    folder = temporaryFolder()
    whole = join(folder.path, 'whole.mp4')
    const writer = await createMp4Writer({ path: join(folder.path, 'call.mp4'), tracks: [camera], originUs: 0 })
    for (const sample of pictures({ frames: 200 })) await writer.write(sample)
    await new Promise((resolve) => setTimeout(resolve, 100))
    copyFileSync(join(folder.path, '.call.mp4.part'), whole)
    await writer.abort()
  })
  afterAll(() => folder.remove())

  test.each([1, 7, 9, 400, 5000])('%i bytes from the end is cut back to its last whole fragment', async (missing) => {
    const cut = join(folder.path, 'cut.mp4')
    copyFileSync(whole, cut)
    const { length } = readFileSync(whole)
    truncateSync(cut, length - missing)
    const recovered = await recoverFragmentedMp4(cut)
    expect(recovered).toMatchObject({ path: cut, fragments: 5, removedBytes: length - missing - recovered.bytes })
    expect(readFileSync(cut)).toHaveLength(recovered.bytes)
    expect(decode(cut)).toEqual({ errors: '', frames: 150 })
  })

  test('that is whole, or has no fragment yet, stays as it is', async () => {
    expect(await recoverFragmentedMp4(whole)).toMatchObject({ removedBytes: 0, fragments: 6 })
    const begun = join(folder.path, 'begun.mp4')
    writeFileSync(begun, readFileSync(whole).subarray(0, 36))
    expect(await recoverFragmentedMp4(begun)).toMatchObject({ removedBytes: 0, fragments: 0 })
  })

  test('with zeros at its end loses the zeros', async () => {
    const padded = join(folder.path, 'padded.mp4')
    const bytes = readFileSync(whole)
    writeFileSync(padded, Buffer.concat([bytes, Buffer.alloc(4096)]))
    expect(await recoverFragmentedMp4(padded)).toMatchObject({ removedBytes: 4096, fragments: 6, bytes: bytes.length })
  })

  test('that is no MP4 is refused and not touched', async () => {
    const other = join(folder.path, 'notes.txt')
    writeFileSync(other, 'not a film, but long enough to look at')
    await expect(recoverFragmentedMp4(other)).rejects.toMatchObject({ code: 'MP4_NOT_FRAGMENTED' })
    expect(readFileSync(other, 'utf8')).toContain('not a film')
    await expect(recoverFragmentedMp4(join(folder.path, 'none'))).rejects.toMatchObject({ code: 'MP4_WRITE_FAILED' })
  })
})
