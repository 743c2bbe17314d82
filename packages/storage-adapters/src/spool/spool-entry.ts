import type { TransferCheckpoint } from '../store.js'

/** What the spool was asked to do, as it stands in the journal. */
export interface SpoolEntry {
  /** Names its file; never given twice in one folder. */
  readonly id: number
  readonly kind: 'put' | 'delete'
  readonly key: string
  /** Of the body; 0 for a delete. */
  readonly bytes: number
  /** When it was accepted, milliseconds since 1970-01-01T00:00Z. */
  readonly putAtMs: number
  readonly contentType?: string
  readonly cacheControl?: string
  /** Where the transfer of the file stands, for stores that can go on. */
  checkpoint?: TransferCheckpoint
}
