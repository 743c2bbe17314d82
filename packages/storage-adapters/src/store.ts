import type { Readable } from 'node:stream'

/** The bytes of an object: whole, in pieces, or as they come. */
export type StoreBody = Uint8Array | readonly Uint8Array[] | Readable | AsyncIterable<Uint8Array>

/** How an object is put. */
export interface PutOptions {
  /** Media type. */
  readonly contentType?: string
  /** Value of the Cache-Control header, where the store serves objects by HTTP. */
  readonly cacheControl?: string
  /** Ends the transfer: the object is then stored as a whole or not at all. */
  readonly signal?: AbortSignal
  /** Ask for the SHA-256 of the body. @defaultValue false */
  readonly sha256?: boolean
  /**
   * Told that so many bytes more have gone out, or with 0 that the store has answered or is waited for on purpose: for
   * whoever wants to know whether anything moves. Called often. Only by stores whose `capabilities.progress` is true.
   */
  readonly onProgress?: (bytes: number) => void
}

/**
 * Where the transfer of a large file stands: plain JSON, to be kept across a restart and given back to the store that
 * made it, for the same key and file. It holds no secret. What it means is known to that store alone.
 */
export type TransferCheckpoint = { readonly [field: string]: unknown }

/** How a local file is put. */
export interface PutFileOptions extends PutOptions {
  /** The file is gone afterwards. @defaultValue false */
  readonly move?: boolean
  /**
   * Told whenever more of the file has safely arrived. Only by stores whose `capabilities.resume` is true. For the first
   * one they wait until it is kept: so nothing arrives that nobody could find again.
   */
  readonly onCheckpoint?: (checkpoint: TransferCheckpoint) => Promise<void> | void
  /** Goes on where an earlier transfer stood, or begins anew where that one is gone. The file must not have changed. */
  readonly resumeFrom?: TransferCheckpoint
}

/** An object that is stored. */
export interface Stored {
  readonly bytes: number
  /** URI of the object, as it goes into manifests: `file:///…`, `s3://bucket/key`. */
  readonly location: string
  /** The store's own tag of this content. */
  readonly etag?: string
  /** Lower-case hexadecimal; only when it was asked for. */
  readonly sha256?: string
}

/** An entry of a list. */
export interface StoreEntry {
  readonly key: string
  readonly bytes: number
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly modifiedAtMs?: number
}

/** A URL for somebody else. */
export interface StoreUrl {
  readonly url: string
  /** When it really ends, in milliseconds since 1970-01-01T00:00Z; absent when it does not. */
  readonly expiresAtMs?: number
}

/** Whether a store can be written to with the settings it has. */
export interface ProbeReport {
  readonly ok: boolean
  /** The code of the error. */
  readonly cause?: string
  /** The option of the store that is probably wrong. */
  readonly field?: string
  /** What happened. */
  readonly message: string
  /** What to do about it. */
  readonly hint?: string
  /** What the service calls this request, for its support. */
  readonly requestId?: string
}

/** What a store can do beyond `put`, with the rights that it has. A flag is true exactly when what it stands for is there. */
export interface StoreCapabilities {
  readonly get: boolean
  readonly list: boolean
  readonly delete: boolean
  /** `urlFor` makes URLs that end by themselves. */
  readonly signedUrls: boolean
  /** `putFile` can go on where an earlier transfer stood, and `abandon` removes what one left. @defaultValue false */
  readonly resume?: boolean
  /** `put` and `putFile` tell `onProgress` what goes out. @defaultValue false */
  readonly progress?: boolean
}

/**
 * Where recordings go. Keys are relative to the store's base and never leave it; `checkStoreKey` has their rules.
 * A `put` is atomic: readers see the object before or the object after, and of puts at the same time the last to finish wins.
 * Every method rejects with a `StoreError`.
 */
export interface Store {
  /** For messages: `local /recordings`. Holds no secret. */
  readonly name: string
  readonly capabilities: StoreCapabilities
  /** The `location` that an object of this key has once it is stored. Throws `STORE_BAD_KEY` and `STORE_KEY_OUTSIDE_BASE`. */
  locationOf(key: string): string
  put(key: string, body: StoreBody, options?: PutOptions): Promise<Stored>
  /**
   * A URL under which the object can be read. `expiresIn` is the time in seconds that it shall live; the real end may
   * be earlier and is told.
   */
  urlFor(key: string, options?: { readonly expiresIn?: number }): Promise<StoreUrl>
  /** Tries to put an object called `name`, and removes it again where the rights allow. It does not reject. */
  probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport>
  /** The object as a stream, which the caller reads to its end or destroys. */
  get?(key: string, options?: { readonly signal?: AbortSignal }): Promise<Readable>
  /** Objects whose keys start with `prefix`, in the order of their keys' UTF-8 bytes. */
  list?(prefix?: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<StoreEntry>
  /** Removes an object. One that is not there is no error. */
  delete?(key: string, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Puts a finished local file, in the way that is fastest here. */
  putFile?(key: string, path: string, options?: PutFileOptions): Promise<Stored>
  /** Removes what a transfer has left in the store that nobody will go on with. One that is gone is no error. */
  abandon?(key: string, checkpoint: TransferCheckpoint): Promise<void>
  /**
   * Resolves when everything put before under `prefix` is where `location` says, for a store that answers a put
   * earlier than that (a spool); rejects when something of it never will be.
   */
  settled?(prefix?: string, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Lets go of what the store holds: sockets, timers, files. What it has accepted is not lost. */
  close?(): Promise<void>
}
