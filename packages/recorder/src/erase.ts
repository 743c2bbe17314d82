import { buffer } from 'node:stream/consumers'
import type { Manifest, ManifestOutput } from '@rushes/render'
import type { Store } from '@rushes/storage-adapters'
import { eraseParticipant } from '@rushes/take'
import { removeBesideJournal } from './beside-journal.js'
import { RecorderError } from './errors.js'
import { manifestKeyOf } from './output-links.js'

/**
 * Removes a person from a recording that has ended: from its journal where that was kept, and from the store where its
 * rights allow to read, list and delete.
 * @throws RecorderError `RECORDER_NOT_FOUND` when there is nothing to erase from
 */
export async function eraseFromOutputs(
  dir: string,
  recordingId: string,
  participantId: string,
  store: Store,
): Promise<void> {
  const inJournal = await eraseFromJournal(dir, participantId)
  const manifest = await readManifest(store, recordingId)
  if (manifest === undefined) {
    if (inJournal) return
    throw new RecorderError('RECORDER_NOT_FOUND', `there is nothing of recording ${recordingId}`, { recordingId })
  }
  if (store.delete === undefined) {
    const message = `${store.name} cannot delete: remove the objects of ${participantId} there by hand`
    throw new RecorderError('RECORDER_NOT_FOUND', message, { recordingId })
  }
  const erased = new Set<string>()
  for (const output of manifest.outputs) {
    if (!shows(output, participantId)) continue
    for (const key of await objectsOf(store, output)) erased.add(key)
  }
  for (const key of erased) await store.delete(key)
  const isOther = (one: { readonly participantId?: string }): boolean => one.participantId !== participantId
  const without: Manifest = {
    ...manifest,
    participants: manifest.participants.filter(({ id }) => id !== participantId),
    outputs: manifest.outputs.filter((output) => !shows(output, participantId)),
    layouts: [],
    chapters: [],
    repairs: manifest.repairs.filter(isOther),
    warnings: manifest.warnings.filter(isOther),
  }
  const body = new TextEncoder().encode(`${JSON.stringify(without, null, 2)}\n`)
  await store.put(manifestKeyOf(manifest), body, { contentType: 'application/json' })
}

/** Nobody can be taken out of a picture and a sound of everyone: those go as a whole. */
function shows(output: ManifestOutput, participantId: string): boolean {
  return output.kind === 'composite' || output.participantId === participantId
}

async function eraseFromJournal(dir: string, participantId: string): Promise<boolean> {
  try {
    await eraseParticipant(dir, participantId)
    // Of a recording that has failed: whole files and composites that the person is in.
    await removeBesideJournal(dir, ['scratch', 'work'])
    return true
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'TAKE_NO_SESSION' || code === 'TAKE_UNKNOWN_PARTICIPANT') return false
    throw error
  }
}

async function readManifest(store: Store, recordingId: string): Promise<Manifest | undefined> {
  if (store.get === undefined) return undefined
  try {
    const bytes = await buffer(await store.get(manifestKeyOf({ recordingId })))
    return JSON.parse(bytes.toString('utf8')) as Manifest
  } catch (error) {
    if ((error as { code?: unknown }).code === 'STORE_NOT_FOUND') return undefined
    throw error
  }
}

/** Of HLS everything in its folder; what names others goes before them. Stills are the same for all outputs of a composite. */
async function objectsOf(store: Store, output: ManifestOutput): Promise<string[]> {
  const { container, key, poster, thumbnails } = output
  const stills = [poster?.key, thumbnails?.key, ...(thumbnails?.sheets ?? [])].filter((still) => still !== undefined)
  const keys = [key, ...stills]
  if (container !== 'hls' || store.list === undefined) return keys
  for await (const entry of store.list(key.slice(0, key.lastIndexOf('/') + 1)))
    if (entry.key !== key) keys.push(entry.key)
  return keys.sort((a, b) => Number(b.endsWith('.m3u8')) - Number(a.endsWith('.m3u8')))
}
