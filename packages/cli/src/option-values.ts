import { ConfigurationError } from '@rushes/media'

/** Readers of what stands behind an option. They throw a ConfigurationError that names the option. */

const timePattern = /^(?:(?:(?<hours>\d+):)?(?<minutes>\d+):)?(?<seconds>\d+)(?:\.(?<fraction>\d{1,6}))?$/

/** `12.5` (seconds), `mm:ss` or `hh:mm:ss.mmm` as microseconds. Up to six decimals, read without rounding. */
export function parseTime(option: string, text: string): number {
  const { hours, minutes, seconds, fraction } = timePattern.exec(text.trim())?.groups ?? {}
  const rule = 'must be a time in seconds (12.5), mm:ss or hh:mm:ss.mmm'
  if (seconds === undefined) throw new ConfigurationError(option, rule, text)
  if (minutes !== undefined && Number(seconds) > 59)
    throw new ConfigurationError(option, `${rule}, seconds below 60`, text)
  if (hours !== undefined && Number(minutes) > 59)
    throw new ConfigurationError(option, `${rule}, minutes below 60`, text)
  const whole = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds)
  const us = whole * 1_000_000 + Number((fraction ?? '').padEnd(6, '0'))
  if (!Number.isSafeInteger(us)) throw new ConfigurationError(option, 'must be a time that a recording can have', text)
  return us
}

/** A decimal number; its range is the business of whoever takes it. */
export function parseNumber(option: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text.trim())) throw new ConfigurationError(option, 'must be a number', text)
  return Number(text)
}

/** One of the words of `allowed`. */
export function parseWord<Word extends string>(option: string, text: string, allowed: readonly Word[]): Word {
  const word = allowed.find((candidate) => candidate === text.trim())
  if (word === undefined) throw new ConfigurationError(option, `must be one of ${allowed.join(', ')}`, text)
  return word
}

/** Some of the words of `allowed`, with commas between them, each once. */
export function parseWords<Word extends string>(option: string, text: string, allowed: readonly Word[]): Word[] {
  return [...new Set(text.split(',').map((word) => parseWord(option, word, allowed)))]
}

/** For options that may be given more than once. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}
