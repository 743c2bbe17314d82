export { S3RequestError } from './request-error.js'
export type {
  S3Acl,
  S3ChecksumAlgorithm,
  S3Credentials,
  S3Encryption,
  S3Identity,
  S3Keys,
  S3Role,
  S3StoreOptions,
} from './s3-options.js'
export { createS3Store, type S3Store } from './s3-store.js'
export {
  type PolicyDocument,
  type PolicyStatement,
  type StoragePolicy,
  type StoragePolicyOptions,
  storagePolicy,
} from './storage-policy.js'
