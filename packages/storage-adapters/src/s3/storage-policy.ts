import { ConfigurationError } from '@rushes/media'
import type { S3StoreOptions } from './s3-options.js'
import { resolveS3Settings } from './s3-settings.js'

/** A statement of a policy of AWS. */
export interface PolicyStatement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Principal?: { readonly AWS: string }
  readonly Action: readonly string[] | string
  readonly Resource?: readonly string[] | string
  readonly Condition?: { readonly [operator: string]: { readonly [name: string]: string | readonly string[] } }
}

/** A policy as the console and the API of AWS take it, after `JSON.stringify`. */
export interface PolicyDocument {
  readonly Version: '2012-10-17'
  readonly Statement: readonly PolicyStatement[]
}

/** For what policies are made. */
export interface StoragePolicyOptions
  extends Pick<
    S3StoreOptions,
    'bucket' | 'basePath' | 'get' | 'list' | 'delete' | 'tags' | 'acl' | 'serverSideEncryption'
  > {
  /** Who assumes the role: the id of an account, or an ARN. @defaultValue none, and then there is no trust policy */
  readonly principal?: string
  /** What `sts:ExternalId` must be. */
  readonly externalId?: string
  /**
   * Also grant `s3:AbortMultipartUpload`, with which what a failed transfer leaves is removed at once. Without it a
   * rule of the bucket must (AbortIncompleteMultipartUpload). @defaultValue true
   */
  readonly abortUploads?: boolean
  /** @defaultValue `aws` */
  readonly partition?: 'aws' | 'aws-cn' | 'aws-us-gov'
}

/** What a role may do, and who may assume it. */
export interface StoragePolicy {
  readonly permissions: PolicyDocument
  readonly trust?: PolicyDocument
}

/**
 * The least rights with which a store of these settings works: a policy for the permissions of a role or user, and,
 * with `principal`, one for who may assume the role.
 * @throws ConfigurationError
 */
export function storagePolicy(options: StoragePolicyOptions): StoragePolicy {
  const { principal, externalId, partition = 'aws', abortUploads = true, ...store } = options
  const { basePath, bucket, serverSideEncryption: encryption } = resolveS3Settings(store)
  const bucketArn = `arn:${partition}:s3:::${bucket}`
  const objectsArn = basePath === '' ? `${bucketArn}/*` : `${bucketArn}/${literal(basePath)}/*`
  const actions = [
    's3:PutObject',
    ...(abortUploads ? ['s3:AbortMultipartUpload'] : []),
    ...(options.tags === undefined ? [] : ['s3:PutObjectTagging']),
    ...(options.acl === undefined ? [] : ['s3:PutObjectAcl']),
    ...(options.get === true ? ['s3:GetObject'] : []),
    ...(options.delete === true ? ['s3:DeleteObject'] : []),
  ]
  const listed = basePath === '' ? {} : { Condition: { StringLike: { 's3:prefix': [`${literal(basePath)}/*`] } } }
  const statements: PolicyStatement[] = [
    { Sid: 'Objects', Effect: 'Allow', Action: actions, Resource: objectsArn },
    { Sid: 'Region', Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: bucketArn },
    ...(options.list === true
      ? [{ Sid: 'List', Effect: 'Allow', Action: 's3:ListBucket', Resource: bucketArn, ...listed } as const]
      : []),
    ...(typeof encryption === 'object' && encryption.kmsKeyId !== undefined ? [kmsStatement(encryption.kmsKeyId)] : []),
  ]
  return {
    permissions: { Version: '2012-10-17', Statement: statements },
    ...(principal === undefined ? {} : { trust: trustPolicy(principal, externalId) }),
  }
}

/** Encrypting needs a data key; parts are read again to be encrypted with the same one. */
function kmsStatement(kmsKeyId: string): PolicyStatement {
  if (!/^arn:aws[a-z-]*:kms:[^:]+:\d+:key\//.test(kmsKeyId)) {
    const rule = 'must be the ARN of a key here: policies know no ids and aliases'
    throw new ConfigurationError('serverSideEncryption.kmsKeyId', rule, kmsKeyId)
  }
  return { Sid: 'Key', Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: kmsKeyId }
}

function trustPolicy(principal: string, externalId: string | undefined): PolicyDocument {
  if (!/^\d{12}$|^arn:aws[a-z-]*:(iam|sts)::/.test(principal)) {
    throw new ConfigurationError('principal', 'must be the id of an account (12 digits) or an ARN', principal)
  }
  if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
    throw new ConfigurationError('externalId', 'must be 2 to 1,224 of A-Z, a-z, 0-9 and _+=,.@:/-', externalId)
  }
  const condition = externalId === undefined ? {} : { Condition: { StringEquals: { 'sts:ExternalId': externalId } } }
  return {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'Assume', Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole', ...condition },
    ],
  }
}

/** What policies would read as a pattern or a variable, said as itself. */
function literal(path: string): string {
  return path.replace(/[*?$]/g, (char) => `\${${char}}`)
}
