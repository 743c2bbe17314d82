import type { CreateMultipartUploadCommandInput } from '@aws-sdk/client-s3'
import type { PutOptions } from '../store.js'
import type { S3Settings } from './s3-settings.js'

/** What an object is given besides its bytes, by the store's settings and by the caller. */
export type ObjectHeaders = Pick<
  CreateMultipartUploadCommandInput,
  | 'ACL'
  | 'BucketKeyEnabled'
  | 'CacheControl'
  | 'ContentType'
  | 'Metadata'
  | 'SSEKMSKeyId'
  | 'ServerSideEncryption'
  | 'StorageClass'
  | 'Tagging'
>

/** The headers of PutObject and CreateMultipartUpload. */
export function objectHeaders(settings: S3Settings, options: PutOptions): ObjectHeaders {
  const { acl, metadata, storageClass, tags, serverSideEncryption } = settings
  const tagging = tags === undefined ? '' : tagsAsQuery(tags)
  return {
    ...(options.contentType === undefined ? {} : { ContentType: options.contentType }),
    ...(options.cacheControl === undefined ? {} : { CacheControl: options.cacheControl }),
    ...(acl === undefined ? {} : { ACL: acl }),
    ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as NonNullable<ObjectHeaders['StorageClass']> }),
    ...(tagging === '' ? {} : { Tagging: tagging }),
    ...encryptionHeaders(serverSideEncryption),
  }
}

function encryptionHeaders(encryption: S3Settings['serverSideEncryption']): ObjectHeaders {
  if (encryption === undefined) return {}
  if (encryption === 'AES256') return { ServerSideEncryption: 'AES256' }
  return {
    ServerSideEncryption: 'aws:kms',
    ...(encryption.kmsKeyId === undefined ? {} : { SSEKMSKeyId: encryption.kmsKeyId }),
    ...(encryption.bucketKey === undefined ? {} : { BucketKeyEnabled: encryption.bucketKey }),
  }
}

// As RFC 3986 has it, and not as forms do: a blank is %20.
function tagsAsQuery(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}
