import type { RecordingEventData } from '@rushes/media'
import type { Manifest, ManifestOutput } from '@rushes/render'
import type { Store } from '@rushes/storage-adapters'

/** What LINK says of an output. `final` is false while it grows. */
export async function linkData(
  store: Store,
  output: Pick<ManifestOutput, 'kind' | 'key' | 'location' | 'container'> & Partial<ManifestOutput>,
  final: boolean,
  expiresIn: number,
): Promise<RecordingEventData> {
  const { key, location, container, kind, participantId, name, part, bytes, durationUs } = output
  return {
    key,
    location,
    container,
    final,
    kind,
    ...(name === undefined ? undefined : { name }),
    ...(participantId === undefined ? undefined : { participantId }),
    ...(part === undefined ? undefined : { part }),
    ...(bytes === undefined ? undefined : { bytes }),
    ...(durationUs === undefined ? undefined : { durationUs }),
    ...(await urlData(store, key, expiresIn)),
  }
}

/** What READY says: all outputs, and where the manifest is. */
export async function readyData(store: Store, manifest: Manifest, expiresIn: number): Promise<RecordingEventData> {
  const outputs: RecordingEventData[] = []
  for (const output of manifest.outputs) outputs.push(await linkData(store, output, true, expiresIn))
  return {
    manifestKey: manifestKeyOf(manifest),
    durationUs: manifest.durationUs,
    outputs: outputs as { [key: string]: never }[],
    repairs: manifest.repairs.length,
    warnings: manifest.warnings.map(({ code, message }) => ({ code, message })),
  }
}

/** Where render puts it. */
export function manifestKeyOf(manifest: Pick<Manifest, 'recordingId'>): string {
  return `${manifest.recordingId}/manifest.json`
}

/** A URL where the store can make one; where it cannot, the location says where the output is. */
async function urlData(store: Store, key: string, expiresIn: number): Promise<RecordingEventData> {
  try {
    const { url, expiresAtMs } = await store.urlFor(key, { expiresIn })
    return { url, ...(expiresAtMs === undefined ? undefined : { urlExpiresAt: new Date(expiresAtMs).toISOString() }) }
  } catch {
    return {}
  }
}
