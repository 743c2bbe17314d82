/** A folder of this machine: `file:///recordings?fsync=1`. */
export interface FileStoreUrl {
  readonly scheme: 'file'
  /** Absolute path of the folder. */
  readonly root: string
  readonly fsync?: boolean
  readonly urlBase?: string
}

/** What URLs of buckets have in common; the options of the stores say what it means. */
interface BucketStoreUrl {
  readonly bucket: string
  readonly basePath?: string
  readonly region?: string
  readonly endpoint?: string
  readonly pathStyle?: boolean
  readonly storageClass?: string
  /** A JSON file with the keys. @defaultValue the environment */
  readonly credentialsFile?: string
  readonly get?: boolean
  readonly list?: boolean
  readonly delete?: boolean
  /** Seconds. */
  readonly urlExpiresIn?: number
  /** Bytes. */
  readonly partSize?: number
  readonly concurrency?: number
  readonly maxAttempts?: number
}

/** A bucket of S3: `s3://bucket/base?region=eu-west-1`. */
export interface S3StoreUrl extends BucketStoreUrl {
  readonly scheme: 's3'
  readonly roleArn?: string
  readonly externalId?: string
  readonly sessionName?: string
  /** Seconds. */
  readonly durationSeconds?: number
  readonly acl?: string
  readonly checksums?: string
}

/** A bucket of Alibaba Cloud OSS: `oss://bucket/base?region=cn-hangzhou`. */
export interface OssStoreUrl extends BucketStoreUrl {
  readonly scheme: 'oss'
  readonly internal?: boolean
  readonly cname?: boolean
  readonly signatureVersion?: string
  /** Milliseconds. */
  readonly timeoutMs?: number
}

/** What a store URL says. It holds no secret. */
export type StoreUrlSettings = FileStoreUrl | S3StoreUrl | OssStoreUrl

/** `path` is text too, `url` text that holds no credentials. */
type ParameterKind = 'text' | 'flag' | 'integer' | 'url'

const bucketParameters = {
  region: 'text',
  endpoint: 'url',
  pathStyle: 'flag',
  storageClass: 'text',
  credentialsFile: 'text',
  get: 'flag',
  list: 'flag',
  delete: 'flag',
  urlExpiresIn: 'integer',
  partSize: 'integer',
  concurrency: 'integer',
  maxAttempts: 'integer',
} as const

/** The parameters of each scheme, in the order in which they are written. */
export const storeUrlParameters: Readonly<Record<StoreUrlSettings['scheme'], Readonly<Record<string, ParameterKind>>>> =
  {
    file: { fsync: 'flag', urlBase: 'url' },
    s3: {
      ...bucketParameters,
      roleArn: 'text',
      externalId: 'text',
      sessionName: 'text',
      durationSeconds: 'integer',
      acl: 'text',
      checksums: 'text',
    },
    oss: { ...bucketParameters, internal: 'flag', cname: 'flag', signatureVersion: 'text', timeoutMs: 'integer' },
  }
