/** Where a thumbnail is, and of when. */
export interface Thumbnail {
  /** Recording time of the frame, microseconds. */
  readonly atUs: number
  /** Number of the sheet, from 1. */
  readonly sheet: number
  /** On the sheet, in pixels. */
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Behind the name of a composite. */
export const THUMBNAIL_TRACK_SUFFIX = '/thumbnails.vtt'

/** Behind the name of a composite; sheets are numbered from 1. */
export function sheetSuffix(sheet: number): string {
  return `/thumbnails-${sheet}.jpg`
}

/**
 * The WebVTT file (W3C) of thumbnails: cues whose text is the reference to a sheet beside the file, with the place on it as
 * a spatial media fragment (`#xywh=`, W3C Media Fragments §4.2.2). A thumbnail stands until the next one; together they
 * cover everything without holes.
 * @param startUs recording time at media time zero @param endUs recording time of the end
 */
export function thumbnailTrack(thumbnails: readonly Thumbnail[], startUs: number, endUs: number): string {
  const shown = thumbnails.filter(({ atUs }, index) => index === 0 || (atUs > startUs && atUs < endUs))
  const endMs = Math.max(1, milliseconds(endUs - startUs))
  let text = 'WEBVTT\n'
  let fromMs = 0
  for (const [index, { sheet, x, y, width, height }] of shown.entries()) {
    const next = shown[index + 1]
    const untilMs = next === undefined ? endMs : Math.min(endMs, milliseconds(next.atUs - startUs))
    if (untilMs <= fromMs) continue
    const place = `${sheetSuffix(sheet).slice(1)}#xywh=${x},${y},${width},${height}`
    text += `\n${timestamp(fromMs)} --> ${timestamp(untilMs)}\n${place}\n`
    fromMs = untilMs
  }
  return text
}

function milliseconds(us: number): number {
  return Math.round(us / 1000)
}

/** Hours have two digits or more. */
function timestamp(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const seconds = Math.floor(ms / 1000)
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':')
  return `${clock}.${String(ms % 1000).padStart(3, '0')}`
}
