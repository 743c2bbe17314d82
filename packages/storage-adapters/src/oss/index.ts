export type { OssCredentials, OssKeys } from './oss-credentials.js'
export type { OssEncryption, OssStoreOptions } from './oss-options.js'
export { createOssStore, type OssStore } from './oss-store.js'
