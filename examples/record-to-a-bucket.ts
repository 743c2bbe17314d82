/** Records into the customer's bucket, by a role, through a spool: ask before you promise. */
import { createRecorder, type Recorder } from '@rushes/recorder'
import type { Store } from '@rushes/storage-adapters'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { createSpool } from '@rushes/storage-adapters/spool'

/** A bucket of somebody else, which this account may put into. */
export function customersBucket(tenantId: string): Store {
  return createS3Store({
    bucket: 'calls',
    region: 'eu-west-1',
    basePath: 'recordings',
    role: { arn: 'arn:aws:iam::123456789012:role/recorder', externalId: tenantId },
  })
}

/** What a person has to change so that recordings can be stored; `undefined` when all is well. */
export async function whatIsWrong(store: Store): Promise<string | undefined> {
  const { ok, field, message, hint } = await store.probe({ name: 'rushes-test.json' })
  return ok ? undefined : `${field ?? 'store'}: ${hint ?? message}`
}

/** A recorder that an outage of the store does not touch: what waits is in `<dir>/spool`, also for the next process. */
export async function recordInto(store: Store, dir: string): Promise<{ recorder: Recorder; close(): Promise<void> }> {
  const spool = await createSpool({ store, dir: `${dir}/spool` })
  const recorder = await createRecorder({ journalDir: `${dir}/takes`, store: spool })
  return {
    recorder,
    async close() {
      // Waits until the recordings are in the store.
      await recorder.close()
      await spool.close()
    },
  }
}
