/** Keys of a user or of a session. */
export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** For the keys of a session. */
  readonly sessionToken?: string
  /**
   * When the session ends, in milliseconds since 1970-01-01T00:00Z. Without it a URL signed with a session token is
   * refused, because nobody could tell how long it lives.
   */
  readonly expiresAtMs?: number
}

/** A role that is assumed with STS, and assumed again before its session ends. */
export interface S3Role {
  /** `arn:aws:iam::123456789012:role/recorder` */
  readonly arn: string
  /** What the trust policy of the role asks for in `sts:ExternalId`: 2 to 1,224 characters. @defaultValue none */
  readonly externalId?: string
  /** How the session is called in the logs of the account: 2 to 64 characters. @defaultValue `rushes` */
  readonly sessionName?: string
  /** How long a session lives, in seconds: 900 to 43,200, and no longer than the role allows. @defaultValue 3,600 */
  readonly durationSeconds?: number
  /** URL of another STS. @defaultValue that of the region */
  readonly endpoint?: string
  /** Region of STS. @defaultValue that of the store */
  readonly region?: string
}

/** Fixed keys, or whatever the AWS tools would find (environment, profile, container, instance). */
export type S3Credentials = S3Keys | 'default'

/** Who somebody is: these credentials, or a role that they assume. */
export interface S3Identity {
  /** @defaultValue `default` */
  readonly credentials?: S3Credentials
  readonly role?: S3Role
}

/** Encryption by the service: with keys of S3, or with a key of KMS. */
export type S3Encryption =
  | 'AES256'
  | {
      /** ARN, id or alias. @defaultValue the key that AWS manages for S3 */
      readonly kmsKeyId?: string
      /** Ask KMS once for many objects. @defaultValue as the bucket says */
      readonly bucketKey?: boolean
    }

/** Checksums that travel with an object and that the service keeps. */
export type S3ChecksumAlgorithm = 'CRC32' | 'SHA256'

/** Who may set the access list of an object when it is put. */
export type S3Acl = 'private' | 'bucket-owner-full-control' | 'bucket-owner-read' | 'authenticated-read' | 'public-read'

/** Where and how objects are stored. */
export interface S3StoreOptions extends S3Identity {
  readonly bucket: string
  /** @defaultValue with `endpoint` `us-east-1`, otherwise what the AWS tools use */
  readonly region?: string
  /** URL of a store that speaks S3. @defaultValue AWS */
  readonly endpoint?: string
  /** The bucket in the path and not in the host name: many stores that are not AWS need it. @defaultValue false */
  readonly forcePathStyle?: boolean
  /** Every key begins with this and a slash; no other key is ever written, read or signed. @defaultValue none */
  readonly basePath?: string
  /** The credentials, or the role, may read. @defaultValue false */
  readonly get?: boolean
  /** The credentials may list. @defaultValue false */
  readonly list?: boolean
  /** The credentials may delete. @defaultValue false */
  readonly delete?: boolean
  /** Who signs URLs, when those that put may not read. @defaultValue those that put when `get`, otherwise nobody */
  readonly signing?: S3Identity
  /** How long URLs live, in seconds, when the caller does not say. 1 to 604,800. @defaultValue 43,200 */
  readonly urlExpiresIn?: number
  /** `STANDARD_IA`, `INTELLIGENT_TIERING`, … @defaultValue that of the service */
  readonly storageClass?: string
  /** @defaultValue what the bucket says */
  readonly serverSideEncryption?: S3Encryption
  /** At most 10; need the right `s3:PutObjectTagging`. @defaultValue none */
  readonly tags?: Readonly<Record<string, string>>
  /** `x-amz-meta-…` of every object: ASCII, at most 2,048 bytes. @defaultValue none */
  readonly metadata?: Readonly<Record<string, string>>
  /** Needs the right `s3:PutObjectAcl`. `bucket-owner-full-control` for the bucket of another account. @defaultValue none */
  readonly acl?: S3Acl
  /**
   * `when-supported` sends a checksum that S3 checks and keeps; `when-required` sends Content-MD5, which all stores
   * that speak S3 understand. Both are compared with the answer. @defaultValue `when-required` with `endpoint`, otherwise `when-supported`
   */
  readonly checksums?: 'when-supported' | 'when-required'
  /** For `when-supported`. @defaultValue `CRC32` */
  readonly checksumAlgorithm?: S3ChecksumAlgorithm
  /**
   * Where no TLS guards a body its SHA-256 is signed; `never`: only its checksum is, which finds faults but no forgers,
   * and costs less. @defaultValue `without-tls`
   */
  readonly signBodies?: 'without-tls' | 'never'
  /** Bytes of a part, 5 MiB to 5 GiB; grows where 10,000 parts would not do. @defaultValue 8 MiB */
  readonly partSize?: number
  /** Bodies of known size up to this many bytes go as one request, from memory. At most 5 GiB. @defaultValue 16 MiB */
  readonly multipartThreshold?: number
  /** Parts of one object under way at the same time, 1 to 64. Memory: one part more than this. @defaultValue 4 */
  readonly concurrency?: number
  /**
   * Bytes of files that are held while they are sent, of all `putFile` together: many large files take turns. One part
   * goes however large it is. @defaultValue 33,554,432
   */
  readonly fileBufferBytes?: number
  /**
   * Milliseconds that a request may take as a whole, body and answer. A part of 8 MiB takes an hour on a slow line.
   * @defaultValue no limit
   */
  readonly requestTimeoutMs?: number
  /**
   * Milliseconds without a byte in either direction after which a request has failed; with a body more, as much as it
   * needs at 1 kB/s, for what the system has taken is out of sight (half an hour at most). @defaultValue 60,000
   */
  readonly idleTimeoutMs?: number
  /** How often a request is tried; 1 under a spool, which tries again itself. @defaultValue 3 */
  readonly maxAttempts?: number
  /** The time now, in milliseconds since 1970-01-01T00:00Z: for when sessions and URLs end. @defaultValue `Date.now` */
  readonly now?: () => number
}
