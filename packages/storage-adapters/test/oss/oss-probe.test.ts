import { describe, expect, it } from 'vitest'
import { StoreError } from '../../src/index.js'
import type { OssStoreOptions } from '../../src/oss/index.js'
import { ossStoreError } from '../../src/oss/oss-error.js'
import { ossSettings } from '../../src/oss/oss-options.js'
import { ossAdvice } from '../../src/oss/oss-probe.js'
import type { OssExchange } from '../../src/oss/oss-transport.js'

// What cannot be made with a server on loopback: names of Alibaba's hosts, and answers that only OSS itself gives. The
// rest is made for real in the tests across packages.

const SECRET = 'SecretOfTheTestsThatNobodyMaySee'
const credentials = { accessKeyId: 'LTAI-test', accessKeySecret: SECRET }
const refresh = { refresh: () => Promise.reject(new Error('not called')) }

interface Case {
  readonly what: string
  readonly options?: Partial<OssStoreOptions>
  readonly failure?: string
  readonly answer?: { readonly status: number; readonly code: string; readonly text?: string }
  readonly field: string | undefined
  readonly hint?: RegExp
}

const cases: readonly Case[] = [
  { what: 'no host of that region', failure: 'ENOTFOUND', field: 'region', hint: /oss-cn-hangzhou\.aliyuncs\.com/ },
  { what: 'an internal host from outside', options: { internal: true }, failure: 'ETIMEDOUT', field: 'internal' },
  { what: 'a host of Alibaba behind a firewall', failure: 'ECONNREFUSED', field: 'endpoint', hint: /firewall/ },
  { what: 'a host with a wrong certificate', failure: 'ERR_TLS_CERT_ALTNAME_INVALID', field: 'endpoint' },
  {
    what: 'a bucket elsewhere, by region',
    answer: { status: 403, code: 'AccessDenied', text: '<Endpoint>oss-us-east-1.aliyuncs.com</Endpoint>' },
    field: 'region',
    hint: /oss-us-east-1/,
  },
  {
    what: 'an unknown key that a function gave',
    options: { credentials: refresh },
    answer: { status: 403, code: 'InvalidAccessKeyId' },
    field: 'credentials.refresh',
  },
  {
    what: 'rights that a function has to get',
    options: { credentials: refresh },
    answer: { status: 403, code: 'AccessDenied' },
    field: 'credentials.refresh',
    hint: /acs:oss:\*:\*:recordings\/\*/,
  },
  {
    what: 'an account that owes money',
    answer: { status: 403, code: 'UserDisable' },
    field: 'credentials.accessKeyId',
  },
  { what: 'a wrong class', answer: { status: 400, code: 'InvalidStorageClass' }, field: 'storageClass' },
  { what: 'wrong tags', answer: { status: 400, code: 'InvalidTag' }, field: 'tags' },
  { what: 'trouble of the service', answer: { status: 500, code: 'InternalError' }, field: undefined },
]

function errorOf({ failure, answer }: Case): StoreError {
  const exchange: OssExchange = { signal: undefined }
  const error = new Error(`it failed with ${SECRET}`)
  if (failure !== undefined) exchange.failure = Object.assign(new Error(failure), { code: failure })
  if (answer !== undefined) {
    exchange.status = answer.status
    exchange.headers = { 'x-oss-request-id': 'R1' }
    exchange.answer = answer.text ?? ''
    Object.assign(error, { code: answer.code })
  }
  return ossStoreError(error, exchange, { key: 'key', host: 'host', secrets: [SECRET] })
}

describe('advice on an OSS store', () => {
  it.each(cases)('about $what', (each) => {
    const error = errorOf(each)
    const settings = ossSettings({ bucket: 'recordings', region: 'cn-hangzhou', credentials, ...each.options })
    const advice = ossAdvice(error, settings, false)
    expect(advice.field).toBe(each.field)
    if (each.field !== undefined) expect(advice.hint).toMatch(each.hint ?? /./)
    expect(`${error.message} ${String(error.cause)} ${JSON.stringify(advice)}`).not.toContain(SECRET)
  })

  it('has none for what is no error of OSS', () => {
    const settings = ossSettings({ bucket: 'recordings', region: 'cn-hangzhou', credentials })
    expect(ossAdvice(new Error('x'), settings, false)).toEqual({})
    expect(ossAdvice(new StoreError('STORE_BAD_KEY', 'x'), settings, false)).toEqual({})
  })
})
