import { ConfigurationError } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { formatStoreUrl, parseStoreUrl } from '../../src/store-url/parse-store-url.js'
import type { StoreUrlSettings } from '../../src/store-url/store-url-settings.js'

const urls: readonly [string, StoreUrlSettings][] = [
  ['file:///recordings', { scheme: 'file', root: '/recordings' }],
  ['file://localhost/a%20b/ü', { scheme: 'file', root: '/a b/ü' }],
  [
    'file:///r?fsync=1&urlBase=https://example.org/r',
    { scheme: 'file', root: '/r', fsync: true, urlBase: 'https://example.org/r' },
  ],
  ['file:///r?urlBase=https://host/@r', { scheme: 'file', root: '/r', urlBase: 'https://host/@r' }],
  ['s3://calls', { scheme: 's3', bucket: 'calls' }],
  ['s3://calls/', { scheme: 's3', bucket: 'calls' }],
  ['s3://calls/base/', { scheme: 's3', bucket: 'calls', basePath: 'base' }],
  ['s3://calls/tenant%201/%D1%8F+?', { scheme: 's3', bucket: 'calls', basePath: 'tenant 1/я+' }],
  ['s3://Old_Bucket.1', { scheme: 's3', bucket: 'Old_Bucket.1' }],
  [
    's3://calls/base?region=eu-west-1&endpoint=http://localhost:9000&pathStyle=1&get=true&list=0&storageClass=STANDARD_IA',
    {
      scheme: 's3',
      bucket: 'calls',
      basePath: 'base',
      region: 'eu-west-1',
      endpoint: 'http://localhost:9000',
      pathStyle: true,
      get: true,
      list: false,
      storageClass: 'STANDARD_IA',
    },
  ],
  [
    's3://calls?roleArn=arn:aws:iam::123456789012:role/r&externalId=a+b=c%26d&sessionName=me&durationSeconds=900',
    {
      scheme: 's3',
      bucket: 'calls',
      roleArn: 'arn:aws:iam::123456789012:role/r',
      externalId: 'a+b=c&d',
      sessionName: 'me',
      durationSeconds: 900,
    },
  ],
  [
    'oss://calls/base?region=cn-hangzhou&internal=1&credentialsFile=/run/keys.json&urlExpiresIn=600',
    {
      scheme: 'oss',
      bucket: 'calls',
      basePath: 'base',
      region: 'cn-hangzhou',
      internal: true,
      credentialsFile: '/run/keys.json',
      urlExpiresIn: 600,
    },
  ],
]

const SECRET = 'wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY'

const wrong: readonly [url: string, field: string, message: RegExp][] = [
  ['', 'scheme', /file:\/\//],
  ['/recordings', 'scheme', /file:\/\//],
  ['gs://bucket', 'scheme', /oss/],
  ['S3://bucket', 'scheme', /s3/],
  ['file://host/folder', 'path', /of this machine/],
  ['file://./folder', 'path', /absolute/],
  ['file://', 'path', /there/],
  ['file:///a/../b', 'path', /\.\./],
  ['file:///a/%2e%2e/b', 'path', /\.\./],
  ['file:///a%2Fb', 'path', /folder/],
  ['file:///a%00b', 'path', /control/],
  ['file:///a%', 'path', /%/],
  ['file:///a#b', 'path', /%23/],
  ['s3://', 'bucket', /behind s3/],
  ['s3:///base', 'bucket', /behind s3/],
  ['s3://host:9000/bucket', 'bucket', /endpoint/],
  ['s3://a%2Fb', 'bucket', /behind/],
  ['s3://calls/../other', 'basePath', /without/],
  ['s3://calls/a//b', 'basePath', /without/],
  ['s3://calls/./a', 'basePath', /without/],
  ['s3://calls/%2e%2e/a', 'basePath', /without/],
  ['s3://calls/a%2Fb', 'basePath', /encoded slash/],
  ['s3://calls/%E0%A4%A', 'basePath', /%/],
  ['s3://calls?regoin=eu-west-1', 'regoin', /region, endpoint/],
  ['s3://calls?internal=1', 'internal', /no parameter of s3/],
  ['oss://calls?roleArn=x', 'roleArn', /no parameter of oss/],
  ['s3://calls?__proto__=1', '__proto__', /no parameter/],
  ['s3://calls?toString=1', 'toString', /no parameter/],
  ['s3://calls?&region=x', 'parameter 1', /no parameter/],
  ['s3://calls?region=a&region=b', 'region', /once/],
  ['s3://calls?region=', 'region', /empty/],
  ['s3://calls?region', 'region', /empty/],
  ['s3://calls?pathStyle=yes', 'pathStyle', /1 or 0/],
  ['s3://calls?durationSeconds=1e3', 'durationSeconds', /whole number/],
  ['s3://calls?externalId=x', 'roleArn', /externalId/],
  ['s3://calls?region=%', 'region', /%/],
  // Secrets, in all the places where people put them.
  [`s3://AKIAIOSFODNN7EXAMPLE:${SECRET}@calls/base`, 'credentials', /AWS_SECRET_ACCESS_KEY/],
  [`oss://LTAI:${SECRET}@calls/base`, 'credentials', /OSS_ACCESS_KEY_SECRET/],
  [`file://user:${SECRET}@localhost/folder`, 'credentials', /must not/],
  [`s3://calls?secretAccessKey=${SECRET}`, 'secretAccessKey', /must not stand in a URL/],
  [`s3://calls?accessKeyId=${SECRET}`, 'accessKeyId', /must not stand in a URL/],
  [`s3://calls?AWS_SECRET_ACCESS_KEY=${SECRET}`, 'AWS_SECRET_ACCESS_KEY', /must not stand in a URL/],
  [`s3://calls?session_token=${SECRET}`, 'session_token', /must not stand in a URL/],
  [`oss://calls?accessKeySecret=${SECRET}`, 'accessKeySecret', /must not stand in a URL/],
  [`oss://calls?stsToken=${SECRET}`, 'stsToken', /must not stand in a URL/],
  [`oss://calls?password=${SECRET}`, 'password', /must not stand in a URL/],
  [`s3://calls?${SECRET}`, 'parameter 1', /no parameter/],
  [`s3://calls?pathStyle=${SECRET}`, 'pathStyle', /1 or 0/],
  [`s3://calls?durationSeconds=${SECRET}`, 'durationSeconds', /whole number/],
  [`s3://calls?endpoint=https://user:${SECRET}@host`, 'endpoint', /credentials/],
  [`s3://calls?endpoint=user:${SECRET}@host`, 'endpoint', /credentials/],
  [`s3://calls?endpoint=https:///user:${SECRET}@host`, 'endpoint', /credentials/],
  [`file:///r?urlBase=https://host/r?sig=${SECRET}`, 'urlBase', /query/],
  [`s3://calls/../${SECRET}`, 'basePath', /without/],
  [`s3://calls:${SECRET}`, 'bucket', /endpoint/],
  [SECRET, 'scheme', /file/],
]

describe('store URLs', () => {
  it.each(urls)('%s', (url, settings) => {
    expect(parseStoreUrl(url)).toEqual(settings)
    expect(parseStoreUrl(formatStoreUrl(settings))).toEqual(settings)
  })

  it.each(wrong)('%s is refused at %s', (url, field, message) => {
    try {
      parseStoreUrl(url)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error).toMatchObject({ field, message: expect.stringMatching(message) })
      expect(`${(error as Error).message}${String((error as Error).cause)}`).not.toContain(SECRET)
    }
  })

  it('refuses what is no text', () => {
    expect(() => parseStoreUrl(undefined as unknown as string)).toThrow(ConfigurationError)
  })
})
