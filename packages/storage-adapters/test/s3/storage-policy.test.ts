import { describe, expect, it } from 'vitest'
import { type StoragePolicyOptions, storagePolicy } from '../../src/s3/index.js'

// What policies read as a pattern or a variable, and how they say it as itself.
const odd = 'a*b?c$d'
const literally = ['a', '{*}b', '{?}c', '{$}d'].join('$')

const kmsKeyId = 'arn:aws:kms:eu-west-1:123456789012:key/0000'

const cases: readonly [string, StoragePolicyOptions, readonly object[]][] = [
  [
    'the least',
    { bucket: 'calls', abortUploads: false },
    [
      { Action: ['s3:PutObject'], Resource: 'arn:aws:s3:::calls/*' },
      { Action: 's3:GetBucketLocation', Resource: 'arn:aws:s3:::calls' },
    ],
  ],
  [
    'a base path',
    { bucket: 'calls', basePath: 'eu/recordings' },
    [
      { Action: ['s3:PutObject', 's3:AbortMultipartUpload'], Resource: 'arn:aws:s3:::calls/eu/recordings/*' },
      { Action: 's3:GetBucketLocation' },
    ],
  ],
  [
    'a base path with what policies read as patterns',
    { bucket: 'calls', basePath: odd, list: true },
    [
      { Resource: `arn:aws:s3:::calls/${literally}/*` },
      {},
      { Condition: { StringLike: { 's3:prefix': [`${literally}/*`] } } },
    ],
  ],
  [
    'everything',
    {
      bucket: 'calls',
      basePath: 'eu',
      get: true,
      list: true,
      delete: true,
      tags: { a: 'b' },
      acl: 'bucket-owner-full-control',
      serverSideEncryption: { kmsKeyId },
      partition: 'aws-cn',
    },
    [
      {
        Action: [
          's3:PutObject',
          's3:AbortMultipartUpload',
          's3:PutObjectTagging',
          's3:PutObjectAcl',
          's3:GetObject',
          's3:DeleteObject',
        ],
        Resource: 'arn:aws-cn:s3:::calls/eu/*',
      },
      { Action: 's3:GetBucketLocation', Resource: 'arn:aws-cn:s3:::calls' },
      { Action: 's3:ListBucket', Condition: { StringLike: { 's3:prefix': ['eu/*'] } } },
      { Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: kmsKeyId },
    ],
  ],
]

describe('a policy', () => {
  for (const [name, options, statements] of cases) {
    it(`grants ${name}`, () => {
      const { permissions, trust } = storagePolicy(options)
      expect(permissions.Version).toBe('2012-10-17')
      expect(permissions.Statement).toHaveLength(statements.length)
      expect(permissions.Statement).toMatchObject(statements)
      expect(permissions.Statement.every(({ Effect }) => Effect === 'Allow')).toBe(true)
      expect(trust).toBeUndefined()
    })
  }

  it('of trust names who may assume the role, and the external id', () => {
    const options = { bucket: 'calls', principal: '111122223333', externalId: 'tenant-42' }
    expect(storagePolicy(options).trust).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Assume',
          Effect: 'Allow',
          Principal: { AWS: '111122223333' },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': 'tenant-42' } },
        },
      ],
    })
    expect(storagePolicy({ ...options, externalId: undefined as never }).trust?.Statement[0]).not.toHaveProperty(
      'Condition',
    )
  })

  it('refuses what would grant something else', () => {
    const refused: readonly [string, StoragePolicyOptions][] = [
      ['bucket', { bucket: '*' }],
      ['basePath', { bucket: 'calls', basePath: '../x' }],
      ['principal', { bucket: 'calls', principal: '*' }],
      ['externalId', { bucket: 'calls', principal: '111122223333', externalId: '*' }],
      ['serverSideEncryption.kmsKeyId', { bucket: 'calls', serverSideEncryption: { kmsKeyId: 'alias/mine' } }],
    ]
    for (const [field, options] of refused) {
      expect(() => storagePolicy(options), field).toThrow(expect.objectContaining({ code: 'BAD_CONFIGURATION', field }))
    }
  })
})
