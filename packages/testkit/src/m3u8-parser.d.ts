/** The part of m3u8-parser that is used here; the library ships no types of its own. */
declare module 'm3u8-parser' {
  export class Parser {
    readonly manifest: {
      targetDuration?: number
      mediaSequence?: number
      discontinuitySequence?: number
      endList?: boolean
      segments: { uri: string; duration?: number; discontinuity?: boolean }[]
    }
    push(text: string): void
    end(): void
  }
}
