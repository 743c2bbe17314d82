import { TakeError } from './errors.js'
import type { Session, SessionParticipant, SessionTrack, TakeEvent } from './session.js'
import { EVENTS_FILE, LOCK_FILE, SESSION_FILE, SESSION_FORMAT_VERSION, SESSION_TEMPORARY_FILE } from './session.js'

type Json = Record<string, unknown>

/** A track's file must not stand where the take's own files do. */
const ownNames: ReadonlySet<string> = new Set([SESSION_FILE, SESSION_TEMPORARY_FILE, EVENTS_FILE, LOCK_FILE])

/**
 * Reads the text of a session.json. Keys that are not known are kept.
 * @throws TakeError `TAKE_BAD_SESSION` with the path of the first broken rule, or `TAKE_FORMAT_TOO_NEW`.
 */
export function parseSession(text: string): Session {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new TakeError('TAKE_BAD_SESSION', `session.json is no JSON: ${(cause as Error).message}`, {
      cause,
      path: '$',
    })
  }
  return validateSession(value)
}

/** The same for a value that has been parsed, or that a host made. */
export function validateSession(value: unknown): Session {
  const root = object(value, '$')
  const formatVersion = optional(root, '$', 'formatVersion', integer) ?? 1
  if (formatVersion > SESSION_FORMAT_VERSION) {
    throw new TakeError(
      'TAKE_FORMAT_TOO_NEW',
      `the take has format version ${formatVersion}, this version of Rushes reads up to ${SESSION_FORMAT_VERSION}`,
      { path: '$.formatVersion' },
    )
  }
  for (const key of ['name', 'recordingId', 'roomId']) optional(root, '$', key, string)
  optional(root, '$', 'durationMs', time)
  if (root['finished'] !== undefined && typeof root['finished'] !== 'boolean')
    bad('$.finished', 'must be true or false')
  validateRecovered(root['recovered'])
  validateErased(root['erased'])
  const startedAt = string(root['startedAt'], '$.startedAt')
  if (!/^\d{4}-\d{2}-\d{2}T/.test(startedAt) || Number.isNaN(Date.parse(startedAt))) {
    bad('$.startedAt', `must be an ISO 8601 date and time, got ${JSON.stringify(startedAt)}`)
  }
  const seen = { participants: new Set<string>(), tracks: new Set<string>(), files: new Set<string>() }
  const participants = array(root['participants'], '$.participants').map((entry, index): SessionParticipant => {
    const path = `$.participants[${index}]`
    const participant = object(entry, path)
    const id = identity(participant['id'], `${path}.id`)
    once(seen.participants, id, `${path}.id`)
    optional(participant, path, 'name', string)
    const tracks = array(participant['tracks'] ?? [], `${path}.tracks`).map((track, trackIndex): SessionTrack => {
      const trackPath = `${path}.tracks[${trackIndex}]`
      const valid = validateSessionTrack(track, trackPath)
      once(seen.tracks, valid.id, `${trackPath}.id`)
      once(seen.files, valid.file, `${trackPath}.file`)
      return valid
    })
    return { ...participant, id, tracks }
  })
  const events = array(root['events'] ?? [], '$.events').map((event, index) =>
    validateTakeEvent(event, `$.events[${index}]`),
  )
  return { ...root, startedAt, participants, events }
}

/** One track of a session. `path` is what an error names. */
export function validateSessionTrack(value: unknown, path: string): SessionTrack {
  const track = object(value, path)
  const id = identity(track['id'], `${path}.id`)
  const kind = track['kind']
  if (kind !== 'audio' && kind !== 'video') return bad(`${path}.kind`, `must be audio or video, got ${show(kind)}`)
  const file = fileName(track['file'], `${path}.file`)
  const mimeType = string(track['mimeType'], `${path}.mimeType`)
  const clockRate = integer(track['clockRate'], `${path}.clockRate`)
  if (clockRate < 1) bad(`${path}.clockRate`, `must be at least 1 Hz, got ${clockRate}`)
  for (const key of ['ssrc', 'payloadType', 'channels']) optional(track, path, key, integer)
  optional(track, path, 'fmtp', string)
  const joinedAtMs = time(track['joinedAtMs'], `${path}.joinedAtMs`)
  optional(track, path, 'leftAtMs', time)
  const { extmap, ...rest } = track
  const extensions = track['headerExtensions'] ?? extmap
  const headerExtensions = extensions === undefined ? {} : { headerExtensions: extensionMap(extensions, path) }
  return { ...rest, id, kind, file, mimeType, clockRate, joinedAtMs, ...headerExtensions }
}

/** One event. `path` is what an error names. */
export function validateTakeEvent(value: unknown, path: string): TakeEvent {
  const event = object(value, path)
  optional(event, path, 'participant', string)
  optional(event, path, 'track', string)
  return { ...event, atMs: time(event['atMs'], `${path}.atMs`), type: identity(event['type'], `${path}.type`) }
}

function validateRecovered(value: unknown): void {
  if (value === undefined) return
  const recovered = object(value, '$.recovered')
  string(recovered['at'], '$.recovered.at')
  for (const [index, entry] of array(recovered['lost'], '$.recovered.lost').entries()) {
    const path = `$.recovered.lost[${index}]`
    const lost = object(entry, path)
    optional(lost, path, 'trackId', string)
    string(lost['cause'], `${path}.cause`)
    integer(lost['bytes'], `${path}.bytes`)
  }
}

/** The files named here are removed: nothing outside of the take's folder may be. */
function validateErased(value: unknown): void {
  for (const [index, entry] of array(value ?? [], '$.erased').entries()) {
    const path = `$.erased[${index}]`
    const erasure = object(entry, path)
    string(erasure['at'], `${path}.at`)
    string(erasure['participantHash'], `${path}.participantHash`)
    for (const file of array(erasure['pendingFiles'] ?? [], `${path}.pendingFiles`)) fileName(file, path)
  }
}

function extensionMap(value: unknown, path: string): Record<number, string> {
  const entries = Array.isArray(value)
    ? value.map((entry) => [object(entry, `${path}.extmap`)['id'], object(entry, `${path}.extmap`)['uri']] as const)
    : Object.entries(object(value, `${path}.extmap`))
  const map: Record<number, string> = {}
  for (const [id, uri] of entries) map[integer(Number(id), `${path}.extmap`)] = string(uri, `${path}.extmap`)
  return map
}

/** A name that stays in the take's folder on every file system: the file may come from a stranger. */
function fileName(value: unknown, path: string): string {
  const name = identity(value, path)
  if (/[/\\:]/.test(name) || name === '.' || name === '..') bad(path, `must be a plain file name, got ${show(name)}`)
  if (new TextEncoder().encode(name).byteLength > 255) bad(path, 'must have at most 255 bytes')
  if (ownNames.has(name) || name.startsWith(`${LOCK_FILE}.`)) bad(path, `must not be ${name}`)
  return name
}

function identity(value: unknown, path: string): string {
  const text = string(value, path)
  if (text === '') bad(path, 'must not be empty')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) bad(path, 'must not contain control characters')
  return text
}

function once(seen: Set<string>, value: string, path: string): void {
  if (seen.has(value)) bad(path, `must be unique within the take, got ${show(value)} twice`)
  seen.add(value)
}

function optional<T>(from: Json, path: string, key: string, check: (value: unknown, path: string) => T): T | undefined {
  return from[key] === undefined ? undefined : check(from[key], `${path}.${key}`)
}

function object(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    bad(path, `must be an object, got ${show(value)}`)
  return value as Json
}

function array(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : bad(path, `must be a list, got ${show(value)}`)
}

function string(value: unknown, path: string): string {
  return typeof value === 'string' ? value : bad(path, `must be a string, got ${show(value)}`)
}

function integer(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  return bad(path, `must be an integer of at least 0, got ${show(value)}`)
}

function time(value: unknown, path: string): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1000) return value
  return bad(path, `must be a number of milliseconds of at least 0, got ${show(value)}`)
}

function bad(path: string, rule: string): never {
  throw new TakeError('TAKE_BAD_SESSION', `session.json: ${path} ${rule}`, { path })
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value).slice(0, 80)
}
