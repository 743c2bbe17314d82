import type { StoreError } from '../errors.js'
import { isClockSkew, S3RequestError } from './request-error.js'
import type { S3Role } from './s3-options.js'
import { isKeys, type S3Settings } from './s3-settings.js'

/** Which setting is probably wrong, and what to do. */
export interface Diagnosis {
  readonly field?: string
  readonly hint?: string
}

/** What was asked of the service, or of the system, because an error alone did not say enough. */
export interface ProbeFacts {
  /** The region of the bucket, or `denied` when these credentials may not ask for it. */
  readonly bucketRegion?: string | 'denied'
  /** Who assumes the role. */
  readonly caller?: { readonly account: string; readonly arn: string }
  /** The host of the endpoint has an address; the host with the bucket in its name had none. */
  readonly endpointResolves?: boolean
}

/** Says which setting made a request fail. */
export function diagnose(error: StoreError, settings: S3Settings, facts: ProbeFacts = {}): Diagnosis {
  const cause = error.cause
  if (!(cause instanceof S3RequestError)) return {}
  if (isClockSkew(cause)) {
    return { field: 'clock', hint: 'The clock of this machine is more than some minutes wrong: let it follow NTP.' }
  }
  if (cause.service === 'network') return networkDiagnosis(cause, settings, facts)
  const keys = keysDiagnosis(cause, settings)
  if (keys !== undefined) return keys
  return cause.service === 'sts' ? roleDiagnosis(cause, settings, facts) : storeDiagnosis(cause, settings, facts)
}

function keysDiagnosis(cause: S3RequestError, settings: S3Settings): Diagnosis | undefined {
  const { path, keys } = keysInUse(cause, settings)
  const field = (name: string): string => (keys === undefined ? path : `${path}.${name}`)
  switch (cause.code) {
    case 'InvalidAccessKeyId':
    case 'InvalidClientTokenId':
    case 'UnrecognizedClientException':
      // The service does not know the keys of a session without their token.
      if (keys?.accessKeyId.startsWith('ASIA') === true && keys.sessionToken === undefined) {
        return { field: field('sessionToken'), hint: 'These are the keys of a session: give their session token too.' }
      }
      return {
        field: field('accessKeyId'),
        hint: 'The service does not know this access key: check it for a typing error, and that it is active and of this service.',
      }
    case 'SignatureDoesNotMatch':
    case 'InvalidSignatureException':
      return {
        field: field('secretAccessKey'),
        hint: 'The secret does not belong to this access key: copy both again.',
      }
    case 'InvalidToken':
      return {
        field: field('sessionToken'),
        hint: 'The session token does not belong to these keys: copy all three again.',
      }
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
      return {
        field: field('sessionToken'),
        hint: 'The session of these credentials is over: give new ones, or a role, which is renewed by itself.',
      }
    default:
      return undefined
  }
}

function storeDiagnosis(cause: S3RequestError, settings: S3Settings, facts: ProbeFacts): Diagnosis {
  const region = cause.bucketRegion ?? (facts.bucketRegion === 'denied' ? undefined : facts.bucketRegion)
  switch (cause.code) {
    case 'NoSuchBucket':
    case 'InvalidBucketName':
      return { field: 'bucket', hint: `There is no bucket ${settings.bucket} at ${place(settings)}: check its name.` }
    case 'PermanentRedirect':
    case 'MovedPermanently':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return {
        field: 'region',
        hint:
          region === undefined ? 'The bucket is in another region.' : `The bucket is in ${region}: set region to that.`,
      }
    case 'AccessDenied':
    case 'AccessDeniedException':
    case 'Forbidden':
    case 'AllAccessDisabled':
      return deniedDiagnosis(cause, settings, facts)
    case 'InvalidStorageClass':
      return { field: 'storageClass', hint: 'This store does not have that storage class.' }
    case 'AccessControlListNotSupported':
      return { field: 'acl', hint: 'The bucket has no access lists (its owner owns all objects): leave acl out.' }
    case 'InvalidTag':
      return { field: 'tags', hint: 'Tags have characters or a number that the service refuses.' }
    case 'MetadataTooLarge':
      return { field: 'metadata', hint: 'Metadata may have 2 KB.' }
    case 'EntityTooSmall':
      return { field: 'partSize', hint: 'This store wants larger parts.' }
    case 'MissingContentLength':
    case 'NotImplemented':
    case 'XAmzContentSHA256Mismatch':
      return { field: 'checksums', hint: "The store does not know a header: try checksums: 'when-required'." }
    default:
  }
  if (cause.code.startsWith('KMS.') || /encryption/i.test(cause.code)) {
    return { field: kmsField(settings), hint: 'The key must exist in the region of the bucket and be enabled.' }
  }
  if (cause.code.startsWith('HTTP ') || cause.code === 'NoETag' || (cause.statusCode ?? 0) < 500) {
    return {
      field: 'endpoint',
      hint: `What answers at ${place(settings)} does not seem to be S3: check host, port and path.`,
    }
  }
  return { hint: 'The service has trouble: try again later.' }
}

function deniedDiagnosis(cause: S3RequestError, settings: S3Settings, facts: ProbeFacts): Diagnosis {
  const { bucket, basePath } = settings
  const path = joined(bucket, basePath)
  // AWS names the right that is missing.
  if (/kms:/i.test(cause.message)) {
    return {
      field: kmsField(settings),
      hint: 'The credentials need kms:GenerateDataKey and, for large objects, kms:Decrypt on the key.',
    }
  }
  if (/s3:PutObjectTagging/.test(cause.message)) {
    return { field: 'tags', hint: 'Tags need the right s3:PutObjectTagging: grant it, or leave tags out.' }
  }
  if (/s3:PutObjectAcl/.test(cause.message)) {
    return { field: 'acl', hint: 'The ACL needs the right s3:PutObjectAcl: grant it, or leave acl out.' }
  }
  const { path: credentials } = keysInUse(cause, settings)
  const grant = `s3:PutObject on arn:aws:s3:::${path}/*`
  if (facts.bucketRegion !== undefined && facts.bucketRegion !== 'denied') {
    // Some rights on this bucket are there: so it is the right bucket and the right identity.
    return {
      field: 'basePath',
      hint: `The bucket may be asked for its region, but not be written to here. In order of likelihood: the policy grants ${
        basePath === '' ? 'only keys under some prefix, which basePath must have' : 'another prefix than this basePath'
      }; it does not grant ${grant}${optionalRights(settings)}; the bucket's own policy denies it.`,
    }
  }
  return {
    field: credentials,
    hint: `In order of likelihood: the policy of these credentials does not grant ${grant}${optionalRights(settings)}; the bucket belongs to somebody else (its name is wrong); the bucket's own policy denies it.`,
  }
}

function optionalRights({ acl, tags, serverSideEncryption }: S3Settings): string {
  const rights = [
    ...(acl === undefined ? [] : ['s3:PutObjectAcl (acl)']),
    ...(tags === undefined ? [] : ['s3:PutObjectTagging (tags)']),
    ...(serverSideEncryption === undefined || serverSideEncryption === 'AES256' ? [] : ['kms:GenerateDataKey']),
  ]
  return rights.length === 0 ? '' : `, or not ${rights.join(', ')}`
}

function roleDiagnosis(cause: S3RequestError, settings: S3Settings, facts: ProbeFacts): Diagnosis {
  const { role } = settings
  const path = 'role'
  if (role === undefined) return {}
  // STS says in words which parameter it means.
  const named = /roleArn|externalId|roleSessionName|DurationSeconds/i.exec(cause.message)?.[0].toLowerCase()
  if (named === 'rolesessionname') return { field: `${path}.sessionName`, hint: 'STS refuses the name of the session.' }
  // Ceph refuses without a word what is longer than the role allows.
  const long = cause.message === '' && cause.code === 'InvalidArgument' && (role.durationSeconds ?? 0) > 3600
  if (named === 'durationseconds' || long) {
    return {
      field: `${path}.durationSeconds`,
      hint: 'The role does not allow sessions of that length (one hour at most when a role assumes a role).',
    }
  }
  if (named === 'externalid') return { field: `${path}.externalId`, hint: 'STS refuses the external id.' }
  if (named === 'rolearn' || cause.statusCode === 404 || cause.code === 'NoSuchEntity') {
    return { field: `${path}.arn`, hint: `There is no role ${role.arn}: copy its ARN from the console.` }
  }
  if (cause.code === 'RegionDisabledException') {
    return { field: `${path}.region`, hint: 'STS is switched off in this region for this account.' }
  }
  if (cause.code !== 'AccessDenied' && (cause.statusCode ?? 0) < 500) {
    const field = role.endpoint === undefined ? `${path}.region` : `${path}.endpoint`
    return { field, hint: 'What answers does not seem to be STS.' }
  }
  return cause.code === 'AccessDenied'
    ? hiddenRoleDiagnosis(role, path, facts)
    : { hint: 'STS has trouble: try again later.' }
}

/** STS answers alike whatever is wrong with a role. */
function hiddenRoleDiagnosis(role: S3Role, path: string, { caller }: ProbeFacts): Diagnosis {
  const account = /^arn:[^:]+:iam::([^:]*):/.exec(role.arn)?.[1]
  const who = caller === undefined ? 'who assumes it' : caller.arn
  const externalId =
    role.externalId === undefined
      ? 'the trust policy asks for an external id (sts:ExternalId) and none is set'
      : 'the external id is not the one in the trust policy (sts:ExternalId)'
  const trust = `the trust policy does not name ${who} as principal`
  const arn = `the role does not exist: its name or account in ${role.arn} is wrong`
  const rights = `the policy of ${who} does not grant sts:AssumeRole on the role`
  // External ids are for roles of other accounts; within one account they are rare.
  const sameAccount = caller !== undefined && caller.account === account
  const likely =
    sameAccount && role.externalId === undefined ? [trust, rights, arn, externalId] : [externalId, trust, arn, rights]
  return {
    field: likely[0] === externalId ? `${path}.externalId` : `${path}.arn`,
    hint: `STS does not say why the role may not be assumed. In order of likelihood: ${likely.join('; ')}.`,
  }
}

function networkDiagnosis(cause: S3RequestError, settings: S3Settings, facts: ProbeFacts): Diagnosis {
  const { role } = settings
  const ofSts = cause.operation === 'AssumeRole' || cause.operation === 'GetCallerIdentity'
  const endpoint = ofSts ? role?.endpoint : settings.endpoint
  const prefix = ofSts ? 'role.' : ''
  const regionField = ofSts && role?.region !== undefined ? `${prefix}region` : 'region'
  const text = `${cause.code} ${cause.message}`
  if (/region is missing/i.test(text)) return { field: regionField, hint: 'Set the region of the bucket.' }
  if (cause.code === 'CredentialsProviderError' || /credential/i.test(text)) {
    const { path } = keysInUse(ofSts ? { service: 'sts' } : { service: 's3' }, settings)
    return {
      field: path,
      hint: 'No credentials were found: set them, or give them to the process (environment, profile, role of the machine).',
    }
  }
  const where = endpoint ?? `the ${ofSts ? 'STS' : 'S3'} of region ${settings.region ?? '(default)'}`
  if (cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN') {
    if (endpoint === undefined) {
      return {
        field: regionField,
        hint: `${where} has no address: the name of the region is wrong, or there is no DNS here.`,
      }
    }
    if (!ofSts && facts.endpointResolves === true && !settings.forcePathStyle) {
      return {
        field: 'forcePathStyle',
        hint: `${cause.host ?? 'The host with the bucket in its name'} has no address, but the endpoint has: set forcePathStyle.`,
      }
    }
    return { field: `${prefix}endpoint`, hint: `The host of ${where} has no address: check its name.` }
  }
  const field = endpoint === undefined && cause.code !== 'ECONNREFUSED' ? {} : { field: `${prefix}endpoint` }
  if (
    /ERR_TLS_CERT_ALTNAME_INVALID/.test(text) &&
    !ofSts &&
    !settings.forcePathStyle &&
    settings.bucket.includes('.')
  ) {
    return {
      field: 'forcePathStyle',
      hint: 'A bucket with dots in its name does not fit the certificate: set forcePathStyle.',
    }
  }
  if (/EPROTO|SSL|TLS|CERT|SELF_SIGNED|UNABLE_TO_/.test(text)) {
    return {
      ...field,
      hint: `${where} does not speak TLS, or shows a certificate that is not trusted here: check http or https, the port and the certificate.`,
    }
  }
  if (cause.code === 'ECONNREFUSED')
    return { ...field, hint: `Nothing listens at ${where}: check the port, and that it runs.` }
  if (/deserializ|parse|XML|char '/i.test(text))
    return { ...field, hint: `What answers at ${where} does not seem to be S3.` }
  return {
    ...field,
    hint: `${where} cannot be reached from here, or does not answer in time: check firewall, proxy and the network.`,
  }
}

function keysInUse(
  { service }: Pick<S3RequestError, 'service'>,
  { credentials, role }: S3Settings,
): { readonly path: string; readonly keys?: { readonly accessKeyId: string; readonly sessionToken?: string } } {
  // The keys of a role are those of its session, which nobody has set.
  if (role !== undefined && service !== 'sts') return { path: 'role' }
  return isKeys(credentials) ? { path: 'credentials', keys: credentials } : { path: 'credentials' }
}

function kmsField({ serverSideEncryption }: S3Settings): string {
  return typeof serverSideEncryption === 'object' ? 'serverSideEncryption.kmsKeyId' : 'serverSideEncryption'
}

function place({ endpoint, region }: S3Settings): string {
  return endpoint ?? `S3 in ${region ?? 'the default region'}`
}

function joined(bucket: string, basePath: string): string {
  return basePath === '' ? bucket : `${bucket}/${basePath}`
}
