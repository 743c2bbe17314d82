import { ConfigurationError, type RecordingEvent } from '@rushes/media'
import { durationUsOf, outputsOf } from './event-facts.js'

/**
 * The texts of a mail. `{name}` stands for a fact: `recordingId`, `roomId`, `type`, `at`, `duration`, `error`, `links`.
 * In `html` facts are escaped, and `links` is a list.
 */
export interface MailTemplate {
  readonly subject: string
  readonly text: string
  readonly html?: string
}

/** What a mail says. */
export interface MailTexts {
  readonly subject: string
  readonly text: string
  readonly html?: string
}

/** Mail servers fold long lines; people do not read them. */
const MAX_SUBJECT_LENGTH = 200

const FACTS = ['recordingId', 'roomId', 'type', 'at', 'duration', 'error', 'links'] as const
type Facts = Readonly<Record<(typeof FACTS)[number], string>>
const PLACEHOLDER = /\{([A-Za-z]+)\}/g

/** Used for types that have no template of their own. */
export const DEFAULT_TEMPLATE: MailTemplate = {
  subject: 'Recording of {roomId}: {type}',
  text: 'Room: {roomId}\nRecording: {recordingId}\nEvent: {type}, {at}\n\n{links}\n',
  html: page('<p>{type}, {at}</p>{links}'),
}

/** Templates that are used where none is given. */
export const DEFAULT_TEMPLATES: Readonly<Partial<Record<string, MailTemplate>>> = {
  READY: {
    subject: 'The recording of {roomId} is ready',
    text: 'The recording of {roomId} is ready.\n\nDuration: {duration}\nRecording: {recordingId}\n\n{links}\n',
    html: page('<p>The recording of <b>{roomId}</b> is ready. Duration: {duration}.</p>{links}'),
  },
  ERROR: {
    subject: 'The recording of {roomId} met an error',
    text: 'The recording of {roomId} met an error.\n\n{error}\n\nRecording: {recordingId}\nTime: {at}\n',
    html: page('<p>The recording of <b>{roomId}</b> met an error.</p><p>{error}</p><p>Time: {at}</p>'),
  },
}

/** Throws `ConfigurationError` for a template that names an unknown fact; `field` is where it was given. */
export function checkTemplate(template: MailTemplate, field: string): void {
  for (const part of ['subject', 'text', 'html'] as const) {
    const text: unknown = template[part]
    if (text === undefined && part === 'html') continue
    if (typeof text !== 'string') throw new ConfigurationError(`${field}.${part}`, 'must be a text')
    for (const [placeholder, name] of text.matchAll(PLACEHOLDER)) {
      if (isFact(name)) continue
      throw new ConfigurationError(`${field}.${part}`, `may name ${FACTS.join(', ')} in braces`, placeholder)
    }
  }
}

/** Fills a template in. The subject is one line without control characters, whatever the facts hold. */
export function fillTemplate(template: MailTemplate, event: RecordingEvent): MailTexts {
  const facts = factsOf(event)
  const subject = fill(template.subject, (name) => facts[name])
  return {
    subject: [...oneLine(subject)].slice(0, MAX_SUBJECT_LENGTH).join(''),
    text: fill(template.text, (name) => facts[name]),
    ...(template.html !== undefined && {
      html: fill(template.html, (name) => (name === 'links' ? htmlLinks(event) : escapeHtml(facts[name]))),
    }),
  }
}

/** Makes one line of a text: no control characters, no line separators. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

function page(content: string): string {
  const footer = '<p style="color:#666">Recording {recordingId}</p>'
  return `<!doctype html><html lang="en"><body style="font-family:sans-serif">${content}${footer}</body></html>`
}

function fill(text: string, fact: (name: keyof Facts) => string): string {
  return text.replace(PLACEHOLDER, (placeholder, name: string) => (isFact(name) ? fact(name) : placeholder))
}

function isFact(name: string | undefined): name is keyof Facts {
  return FACTS.some((fact) => fact === name)
}

function factsOf(event: RecordingEvent): Facts {
  const { code, message } = event.data
  const error = [message, code].filter((part) => typeof part === 'string')
  return {
    recordingId: event.recordingId,
    roomId: event.roomId,
    type: event.type,
    at: event.at,
    duration: durationText(durationUsOf(event)),
    error: error.length === 2 ? `${error[0]} (${error[1]})` : (error[0] ?? 'no details'),
    links: linksOf(event)
      .map(({ label, address }) => `${label}: ${address}`)
      .join('\n'),
  }
}

function linksOf(event: RecordingEvent): { readonly label: string; readonly address: string }[] {
  return outputsOf(event).flatMap(({ participantId, container, key, location, url }) => {
    const address = url ?? location ?? key
    const label = [participantId, container].filter((part) => part !== undefined).join(', ')
    return address === undefined ? [] : [{ label: label === '' ? 'recording' : label, address }]
  })
}

function htmlLinks(event: RecordingEvent): string {
  const items = linksOf(event).map(({ label, address }) => {
    const shown = escapeHtml(address)
    // Only what a browser fetches becomes a link: never a script, never a file of the reader's machine.
    const link = /^https?:\/\//i.test(address) ? `<a href="${shown}">${shown}</a>` : shown
    return `<li>${escapeHtml(label)}: ${link}</li>`
  })
  return items.length === 0 ? '' : `<ul>${items.join('')}</ul>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function durationText(durationUs: number | undefined): string {
  if (durationUs === undefined) return 'unknown'
  const seconds = Math.round(durationUs / 1_000_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}
