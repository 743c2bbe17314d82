import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordingEvent, RecordingEventData, RecordingEventType } from '@rushes/media'
import { onTestFinished } from 'vitest'

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-notifiers-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** An event; its id says which one. */
export function eventOf(
  recordingId: string,
  sequence: number,
  type: RecordingEventType = 'MARK',
  data: RecordingEventData = {},
): RecordingEvent {
  return {
    id: `${recordingId}:${sequence}`,
    recordingId,
    roomId: 'room-1',
    sequence,
    type,
    at: '2026-11-21T10:00:00.000Z',
    recordingTimeUs: sequence * 1_000_000,
    data,
  }
}

/** Waits, in real time, until something holds. */
export async function until(holds: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
  const endMs = Date.now() + timeoutMs
  while (!holds()) {
    if (Date.now() > endMs) throw new Error(`did not happen within ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const OPENSSL = 'openssl'

/** Runs OpenSSL's command, an implementation of these things that is not Node's API. */
export function openssl(args: readonly string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync(OPENSSL, args, { input, encoding: 'utf8' })
}

/** Whether tests that need it are skipped. */
export const withoutOpenssl: boolean = openssl(['version']).status !== 0 && !process.env['CI']
