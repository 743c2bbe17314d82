import { StoreError } from '../errors.js'
import { OssFault } from './oss-error.js'
import type { OssSettings } from './oss-options.js'

/** What is probably wrong, and what to do. */
interface Advice {
  readonly field?: string
  readonly hint?: string
}

const certificateProblem = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/
const notTls = /^(EPROTO|ERR_SSL_|HPE_)/

/**
 * What a failed probe tells of the settings: which option is probably wrong, and what to do about it. `mayAskLocation`
 * is true when the same credentials may ask where the bucket is.
 */
export function ossAdvice(error: unknown, settings: OssSettings, mayAskLocation: boolean): Advice {
  if (!(error instanceof StoreError)) return {}
  const renewable = 'refresh' in settings.credentials
  const fault = error.cause instanceof OssFault ? error.cause : undefined
  if (fault === undefined) {
    if (error.code === 'STORE_CREDENTIALS_EXPIRED' || (error.code === 'STORE_BAD_SETTINGS' && renewable)) {
      return {
        field: 'credentials.refresh',
        hint: 'The function that gets the keys of a session failed; its error is the cause.',
      }
    }
    return {}
  }
  if (fault.foreign) {
    const hint = `What answers at ${settings.endpoint.host} is not OSS${settings.cname ? ', or a proxy that hides its headers' : ''}. Check the host and the port.`
    return { field: 'endpoint', hint }
  }
  return fault.status === undefined
    ? networkAdvice(fault, settings)
    : serviceAdvice(fault, settings, renewable, mayAskLocation)
}

function networkAdvice({ code = '' }: OssFault, settings: OssSettings): Advice {
  const { endpoint, endpointGiven, internal, region } = settings
  if (certificateProblem.test(code)) {
    return {
      field: 'endpoint',
      hint: `The certificate of ${endpoint.host} is not trusted (${code}). Check the host; a certificate of one's own goes into \`ca\`.`,
    }
  }
  // Servers that speak TLS cut off whoever does not.
  if (notTls.test(code) || (endpoint.protocol === 'http:' && code === 'ECONNRESET')) {
    const spoken = endpoint.protocol === 'https:' ? 'TLS' : 'plain HTTP'
    return {
      field: 'secure',
      hint: `${endpoint.host} does not speak ${spoken} on this port. Check \`secure\`, and the scheme and port of the endpoint.`,
    }
  }
  if (endpointGiven) {
    const hint =
      code === 'ENOTFOUND'
        ? `There is no host ${endpoint.hostname}.`
        : `Nothing answers at ${endpoint.host} (${code}). Check host, port and firewall.`
    return { field: 'endpoint', hint }
  }
  if (internal) {
    return {
      field: 'internal',
      hint: `${endpoint.hostname} can be reached from inside Alibaba Cloud, in the region ${region}, alone.`,
    }
  }
  if (code === 'ENOTFOUND') {
    return {
      field: 'region',
      hint: `There is no host ${endpoint.hostname}. Check the id of the region, and that this machine can look up names.`,
    }
  }
  return {
    field: 'endpoint',
    hint: `${endpoint.host} cannot be reached from this machine (${code}). Check the network, a proxy and the firewall.`,
  }
}

function serviceAdvice(fault: OssFault, settings: OssSettings, renewable: boolean, mayAskLocation: boolean): Advice {
  const { bucket, region, endpointGiven, now } = settings
  const { code = '', message } = fault
  const keyField = (name: string): string => (renewable ? 'credentials.refresh' : `credentials.${name}`)
  if (fault.endpoint !== undefined) {
    return { field: endpointGiven ? 'endpoint' : 'region', hint: `The bucket ${bucket} lies at ${fault.endpoint}.` }
  }
  switch (code) {
    case 'NoSuchBucket':
    case 'InvalidBucketName':
      return {
        field: 'bucket',
        hint: `There is no bucket ${bucket}. Check its name, and that it has not been removed.`,
      }
    case 'InvalidAccessKeyId':
      return {
        field: keyField('accessKeyId'),
        hint: 'This access key id is not known: mistyped, removed or disabled. One that begins with STS. needs its token.',
      }
    case 'SignatureDoesNotMatch':
      return {
        field: keyField('accessKeySecret'),
        hint: 'The access key secret does not belong to this access key id.',
      }
    case 'InvalidSecurityToken':
      return { field: keyField('stsToken'), hint: 'The token does not belong to these keys.' }
    case 'SecurityTokenExpired':
      return {
        field: keyField('stsToken'),
        hint: 'The session of these keys is over: get new ones, or give `credentials.refresh`.',
      }
    case 'RequestTimeTooSkewed': {
      const serverTimeMs = fault.serverTimeMs
      const by = serverTimeMs === undefined ? '' : ` by ${Math.round(Math.abs(now() - serverTimeMs) / 1000)} s`
      return { field: 'now', hint: `The clock of this machine is wrong${by}; OSS bears 900 s. Let it be set by NTP.` }
    }
    case 'UserDisable':
      return { field: keyField('accessKeyId'), hint: 'The account is disabled or owes money.' }
    case 'AccessDenied':
      return accessAdvice(settings, renewable, mayAskLocation)
    default:
  }
  if (code === 'InvalidArgument' && /region/i.test(message)) {
    return { field: 'region', hint: `The region ${region} is not the one of this endpoint.` }
  }
  if (/Kms|Encrypt/i.test(code + message)) {
    return {
      field: 'serverSideEncryption',
      hint: 'KMS must be enabled in the region, and the key be there and usable by these credentials.',
    }
  }
  if (/StorageClass/i.test(code + message))
    return { field: 'storageClass', hint: 'The bucket does not take this class.' }
  if (/Tag/i.test(code)) return { field: 'tags', hint: 'OSS does not take these tags.' }
  return {}
}

/** OSS does not say whether the policy misses the action or the place, so that it was asked for something else too. */
function accessAdvice(settings: OssSettings, renewable: boolean, mayAskLocation: boolean): Advice {
  const { bucket, basePath } = settings
  const needed = `oss:PutObject on acs:oss:*:*:${bucket}/${basePath === '' ? '' : `${basePath}/`}*`
  if (mayAskLocation) {
    const place =
      basePath === '' ? 'only keys under some prefix, which basePath must have' : 'another prefix than basePath'
    const hint = `The bucket may be asked where it is, but not be written to here. In order of likelihood: the policy grants ${place}; it does not grant ${needed}; the policy of the bucket denies it.`
    return { field: 'basePath', hint }
  }
  const hint = `In order of likelihood: the policy of these credentials does not grant ${needed}; the bucket is somebody else's (its name is wrong); the policy of the bucket denies it.`
  return { field: renewable ? 'credentials.refresh' : 'credentials', hint }
}
