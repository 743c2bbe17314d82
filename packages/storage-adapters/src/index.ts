export { StoreError, type StoreErrorCode } from './errors.js'
export { type FallbackOptions, type FallbackSide, fallback } from './fallback.js'
export { type CopyError, type FanOutOptions, fanOut } from './fan-out.js'
export { createMemoryStore, type MemoryObject, type MemoryStore, type MemoryStoreOptions } from './memory-store.js'
export { type ProbeAdvice, probeStore } from './probe-store.js'
export { putFile } from './put-file.js'
export type {
  ProbeReport,
  PutFileOptions,
  PutOptions,
  Store,
  StoreBody,
  StoreCapabilities,
  Stored,
  StoreEntry,
  StoreUrl,
  TransferCheckpoint,
} from './store.js'
export { bodyPieces, readBody } from './store-body.js'
export { checkStoreKey, encodeStoreKey, joinStoreKey, MAX_KEY_BYTES, MAX_KEY_COMPONENT_BYTES } from './store-key.js'
export { type OpenStoreOptions, openStore } from './store-url/open-store.js'
export { formatStoreUrl, parseStoreUrl } from './store-url/parse-store-url.js'
export type { FileStoreUrl, OssStoreUrl, S3StoreUrl, StoreUrlSettings } from './store-url/store-url-settings.js'
export { createStoreWritable, type StoreWritableOptions } from './store-writable.js'
export { getWhole } from './whole-object.js'
