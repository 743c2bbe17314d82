/** The part of m3u8-parser that is used here; the library ships no types of its own. */
declare module 'm3u8-parser' {
  interface ParsedByteRange {
    length?: number
    offset?: number
  }

  interface ParsedEntry {
    uri: string
    duration?: number
    title?: string
    discontinuity?: boolean
    dateTimeString?: string
    dateTimeObject?: Date
    map?: { uri?: string; byterange?: ParsedByteRange }
    byterange?: ParsedByteRange
    key?: object
    parts?: object[]
    attributes?: Record<string, unknown>
  }

  interface ParsedMedia {
    default?: boolean
    autoselect?: boolean
    language?: string
    uri?: string
  }

  interface ParsedManifest {
    version?: number
    targetDuration?: number
    mediaSequence?: number
    discontinuitySequence?: number
    playlistType?: string
    independentSegments?: boolean
    iFramesOnly?: boolean
    endList?: boolean
    contentProtection?: object
    skip?: object
    mediaGroups?: Record<string, Record<string, Record<string, ParsedMedia>>>
    segments: ParsedEntry[]
    playlists?: ParsedEntry[]
  }

  export class Parser {
    readonly manifest: ParsedManifest
    on(event: 'warn' | 'error' | 'info', listener: (event: { message: string }) => void): void
    push(text: string): void
    end(): void
  }
}
