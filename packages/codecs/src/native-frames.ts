import type { Frame } from 'node-av/lib'
import { CodecError } from './errors.js'

const frames = new WeakMap<object, Frame>()

/** Puts the native picture behind a public object, so that nobody outside of this package sees node-av's types. */
export function setFrame(holder: object, frame: Frame | undefined): void {
  if (frame === undefined) frames.delete(holder)
  else frames.set(holder, frame)
}

/** Throws `CODECS_CLOSED` where there is none any more. */
export function frameOf(holder: object): Frame {
  const frame = frames.get(holder)
  if (frame === undefined) throw new CodecError('CODECS_CLOSED', 'the picture has been given back')
  return frame
}
