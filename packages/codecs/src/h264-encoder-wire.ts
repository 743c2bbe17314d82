import type { H264PictureEncoderOptions } from './h264-picture-encoder.js'

/** Pictures that wait for the encoder or are in it: one is encoded while the next is painted. */
export const SLOTS = 2

/** Places in the list of numbers that both threads see. */
export const COUNTS = {
  /** Pictures that the encoder has given out. */
  encoded: 0,
  /** 1 once everything has been given out at the end, 2 where it failed; a message says how. */
  ended: 1,
} as const

/** What the thread of an encoder begins with. */
export interface EncoderData {
  readonly options: H264PictureEncoderOptions
  readonly counts: SharedArrayBuffer
  /** The canvas of each slot: 4:2:0 in one piece. */
  readonly slots: readonly SharedArrayBuffer[]
}

/** To the thread. */
export type ToEncoder =
  | { readonly type: 'encode'; readonly slot: number; readonly frame: number; readonly keyframe: boolean }
  | { readonly type: 'flush' }
  | { readonly type: 'close' }

/** From it. */
export type FromEncoder =
  | { readonly type: 'ready' }
  | {
      readonly type: 'coded'
      readonly nalUnits: readonly Uint8Array[]
      readonly frame: number
      readonly keyframe: boolean
    }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
