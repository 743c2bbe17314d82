import type { TakeDamage } from '@rushes/take'
import { printable } from './text/printable.js'
import { formatBytes, formatCount } from './text/quantities.js'

const sentences: Readonly<Record<TakeDamage['cause'], (bytes: number) => string>> = {
  missing: () => 'the file is missing',
  unreadable: () => 'the operating system refuses to read the file',
  'unknown-codec': () => 'left out, its codec is not known',
  'not-rtp': (records) => `${formatCount(records, 'record')} without RTP or RTCP left out`,
  'bad-event': (lines) => `${formatCount(lines, 'line')} left out`,
  'bad-header': (bytes) => `no rtpdump file, ${formatBytes(bytes)} not used`,
  torn: (bytes) => `ends in the middle of a record, ${formatBytes(bytes)} not used`,
  'zero-filled': (bytes) => `ends in zeros, ${formatBytes(bytes)} not used`,
  'bad-record': (bytes) => `cut at a record that cannot be one, ${formatBytes(bytes)} not used`,
}

/** A sentence on what could not be read of a take. */
export function formatDamage({ trackId, cause, bytes }: TakeDamage): string {
  const where = trackId === undefined ? 'events.ndjson' : printable(trackId)
  return `${where}: ${sentences[cause](bytes)}`
}
