import type { CutCause } from './rtpdump-parser.js'

/** What could not be read of a take, and why. Reading goes on with the rest. */
export interface TakeDamage {
  /** Absent for damage to events.ndjson. */
  readonly trackId?: string
  /**
   * `missing`: there is no such file. `unreadable`: the operating system refused. `unknown-codec`: the track is left
   * out. `not-rtp`: records without RTP or RTCP were left out. `bad-event`: lines were left out.
   * `bad-header`, `torn`, `zero-filled`, `bad-record`: the file was cut there; of events.ndjson `torn` is its last line.
   */
  readonly cause: 'missing' | 'unreadable' | 'unknown-codec' | 'not-rtp' | 'bad-event' | CutCause
  /** Bytes that were not used; for `not-rtp` and `bad-event` the number of records or lines. */
  readonly bytes: number
}
