import { describe, expect, it } from 'vitest'
import { expectedSignature, type OssRequestFacts, readCredentials } from './oss-signature.js'

// Requests and signatures as Alibaba published them with its SDKs (Apache-2.0), by key id "ak" and secret "sk":
// v4: alibabacloud-oss-go-sdk-v2, oss/signer/signer_test.go, TestV4AuthHeader, …Token, …WithAdditionalHeaders,
// TestV4AuthQuery, …Token, …WithAdditionalHeaders; the same in alibabacloud-oss-python-sdk-v2,
// tests/unit/signer/test_v4.py. v1: the same Go file, TestV1AuthHeader and TestV1AuthQuery.

const query = [
  ['param1', 'value1'],
  ['+param1', 'value3'],
  ['|param1', 'value4'],
  ['+param2', ''],
  ['|param2', ''],
  ['param2', ''],
] as const
const headers = { 'x-oss-head1': 'value', abc: 'value', zabc: 'value', xyz: 'value' }
const v4Header = { ...headers, 'content-type': 'text/plain', 'x-oss-content-sha256': 'UNSIGNED-PAYLOAD' }
const v4Query = { ...headers, 'content-type': 'application/octet-stream' }
const put = { method: 'PUT', bucket: 'bucket', key: '1234+-/123/1.txt' }
const scope = 'cn-hangzhou/oss/aliyun_v4_request'

function presigned(date: string, more: readonly (readonly [string, string])[] = []): OssRequestFacts['query'] {
  return [
    ...query,
    ['x-oss-signature-version', 'OSS4-HMAC-SHA256'],
    ['x-oss-credential', `ak/${date.slice(0, 8)}/${scope}`],
    ['x-oss-date', date],
    ['x-oss-expires', '599'],
    ...more,
  ]
}

const v1Headers = {
  'content-md5': 'eB5eJF1ptWaXm4bijSPyxw==',
  'content-type': 'text/html',
  'x-oss-meta-author': 'alice',
  'x-oss-meta-magic': 'abracadabra',
  'x-oss-date': 'Wed, 28 Dec 2022 10:27:41 GMT',
  authorization: 'OSS ak:',
}
const v1Get = { method: 'GET', bucket: 'examplebucket', key: '' }
const v1GetHeaders = { 'x-oss-date': 'Wed, 28 Dec 2022 10:27:41 GMT', authorization: 'OSS ak:' }

const vectors: readonly { readonly name: string; readonly request: OssRequestFacts; readonly signature: string }[] = [
  {
    name: 'V4 in a header',
    request: {
      ...put,
      query,
      headers: {
        ...v4Header,
        'x-oss-date': '20231216T162057Z',
        authorization: `OSS4-HMAC-SHA256 Credential=ak/20231216/${scope},Signature=`,
      },
    },
    signature: 'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe',
  },
  {
    name: 'V4 in a header, with a token',
    request: {
      ...put,
      query,
      headers: {
        ...v4Header,
        'x-oss-date': '20231217T034736Z',
        'x-oss-security-token': 'token',
        authorization: `OSS4-HMAC-SHA256 Credential=ak/20231217/${scope},Signature=`,
      },
    },
    signature: 'b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea',
  },
  {
    name: 'V4 in a header, with additional headers',
    request: {
      ...put,
      query,
      headers: {
        ...v4Header,
        'x-oss-date': '20231216T172512Z',
        authorization: `OSS4-HMAC-SHA256 Credential=ak/20231216/${scope},AdditionalHeaders=abc;zabc,Signature=`,
      },
    },
    signature: '4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f',
  },
  {
    name: 'V4 in a URL',
    request: { ...put, query: presigned('20231217T025437Z'), headers: v4Query },
    signature: 'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe',
  },
  {
    name: 'V4 in a URL, with a token',
    request: { ...put, query: presigned('20231217T035628Z', [['x-oss-security-token', 'token']]), headers: v4Query },
    signature: '3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5',
  },
  {
    name: 'V4 in a URL, with additional headers',
    request: {
      ...put,
      query: presigned('20231217T033009Z', [['x-oss-additional-headers', 'abc;zabc']]),
      headers: v4Query,
    },
    signature: '6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7',
  },
  {
    name: 'V1 in a header',
    request: { method: 'PUT', bucket: 'examplebucket', key: 'nelson', query: [], headers: v1Headers },
    signature: 'kSHKmLxlyEAKtZPkJhG9bZb5k7M=',
  },
  {
    name: 'V1 in a header, with a subresource',
    request: { method: 'PUT', bucket: 'examplebucket', key: 'nelson', query: [['acl', '']], headers: v1Headers },
    signature: '/afkugFbmWDQ967j1vr6zygBLQk=',
  },
  {
    name: 'V1 in a header, with a parameter that is not signed',
    request: {
      ...v1Get,
      query: [
        ['resourceGroup', ''],
        ['non-resousce', 'null'],
      ],
      headers: v1GetHeaders,
    },
    signature: 'vkQmfuUDyi1uDi3bKt67oemssIs=',
  },
  {
    name: 'V1 in a URL',
    request: {
      method: 'GET',
      bucket: 'bucket',
      key: 'key',
      query: [
        ['Expires', '1699807420'],
        ['OSSAccessKeyId', 'ak'],
        ['versionId', 'versionId'],
      ],
      headers: {},
    },
    signature: 'dcLTea+Yh9ApirQ8o8dOPqtvJXQ=',
  },
  {
    name: 'V1 in a URL, with a token',
    request: {
      method: 'GET',
      bucket: 'bucket',
      key: 'key+123',
      query: [
        ['Expires', '1699808204'],
        ['OSSAccessKeyId', 'ak'],
        ['security-token', 'token'],
        ['versionId', 'versionId'],
      ],
      headers: {},
    },
    signature: 'jzKYRrM5y6Br0dRFPaTGOsbrDhY=',
  },
]

describe('signatures of OSS', () => {
  it.each(vectors)('agree with what Alibaba published: $name', ({ request, signature }) => {
    const facts = readCredentials(request)
    expect(facts?.accessKeyId).toBe('ak')
    expect(facts && expectedSignature(request, facts, 'sk')).toBe(signature)
  })

  it('depend on the secret, the key, the query and the signed headers', () => {
    const { request } = vectors[0] as (typeof vectors)[number]
    const facts = readCredentials(request)
    if (facts === undefined) throw new Error('no facts')
    const all = [
      expectedSignature(request, facts, 'sk'),
      expectedSignature(request, facts, 'other'),
      expectedSignature({ ...request, key: 'other' }, facts, 'sk'),
      expectedSignature({ ...request, query: [] }, facts, 'sk'),
      expectedSignature({ ...request, headers: { ...request.headers, 'x-oss-head1': 'other' } }, facts, 'sk'),
    ]
    expect(new Set(all).size).toBe(all.length)
  })
})
