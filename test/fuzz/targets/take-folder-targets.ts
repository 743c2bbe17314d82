import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RushesError } from '@rushes/media'
import { importCaptures, openTake, parseSession, recoverTake, TakeError } from '@rushes/take'
import { check, type FuzzTarget, type Mutator, unlessRefused } from '../fuzz-target.js'
import { mutateBytes, pick } from '../mutators/bytes.js'
import { mutateJson, mutateText } from '../mutators/text.js'
import { decodeSequence, encodeSequence } from '../packet-sequence.js'
import { folderSeeds, importSeeds } from '../take-seeds.js'

/** Whole takes on disk: read, repaired, and made of captures. */
export const takeFolderTargets: readonly FuzzTarget[] = [
  { name: 'import-captures', weight: 0.05, mutate: mutateBytes, seeds: importSeeds, run: runImport },
  { name: 'take-folder', weight: 0.05, mutate: mutateFolder, seeds: folderSeeds, run: runFolder },
]

const decoder = new TextDecoder()

/** A folder of its own in memory where there is such a disk, emptied after each input. */
async function inScratchFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'rushes-fuzz-'))
  try {
    await run(dir)
  } catch (error) {
    // Others, of the system and of JavaScript, are findings.
    if (!(error instanceof RushesError)) throw error
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function runImport(input: Uint8Array): Promise<void> {
  await inScratchFolder(async (dir) => {
    const target = join(dir, 'take')
    const payloadTypes = { 96: 'video/H264', 97: 'video/VP8', 111: 'audio/opus' }
    await importCaptures({
      inputs: [{ name: 'room-alice-audio.mjr', bytes: input }],
      dir: target,
      payloadTypes,
      minPackets: 2,
      startedAt: '2026-11-21T00:00:00Z',
      writer: { sync: 'never' },
    })
    await readAll(target)
  })
}

async function readAll(dir: string): Promise<void> {
  const take = await openTake(dir)
  for await (const batch of take.items()) check(batch.length > 0, 'no batch is empty')
  for await (const batch of take.reports()) check(batch.length > 0, 'no batch is empty')
}

/** One of the files is changed, each in its own manner, or is missing. */
function mutateFolder(...[input, random, corpus]: Parameters<Mutator>): Uint8Array {
  const { options, packets } = decodeSequence(input)
  const files = [...packets]
  const others = decodeSequence(pick(random, corpus)).packets.map(({ bytes }) => bytes)
  for (let step = random.integer(3); step >= 0; step--) {
    const at = random.integer(files.length)
    const bytes = files[at]?.bytes
    if (bytes === undefined || others.length === 0) break
    const mutate = at === 0 ? mutateJson : at === 1 ? mutateText : mutateBytes
    const changed = random.integer(12) === 0 ? new Uint8Array(0) : mutate(bytes, random, others)
    files[at] = { delay: 0, bytes: changed }
  }
  return encodeSequence({ options, packets: files })
}

/** A take of which nothing is certain is read, repaired, and read again. */
async function runFolder(input: Uint8Array): Promise<void> {
  const files = decodeSequence(input).packets.map(({ bytes }) => bytes)
  await inScratchFolder(async (dir) => {
    const take = join(dir, 'take')
    mkdirSync(take)
    const session = unlessRefused(TakeError, () => parseSession(decoder.decode(files[0])))
    const names = session?.participants.flatMap(({ tracks }) => tracks.map(({ file }) => file)) ?? []
    const contents = [files[0], files[1], ...names.map((_, index) => files[2 + index])]
    for (const [index, name] of ['session.json', 'events.ndjson', ...names].entries()) {
      const bytes = contents[index]
      if (bytes !== undefined && bytes.byteLength > 0) writeFileSync(join(take, name), bytes)
    }
    await unlessRefusedLater(() => readAll(take))
    await recoverTake(take, { sync: false, now: () => 1_790_000_000_000 })
    parseSession(readFileSync(join(take, 'session.json'), 'utf8'))
    await readAll(take)
  })
}

async function unlessRefusedLater(read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    if (!(error instanceof TakeError)) throw error
  }
}
