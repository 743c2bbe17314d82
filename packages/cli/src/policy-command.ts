import { ConfigurationError } from '@rushes/media'
import { parseStoreUrl } from '@rushes/storage-adapters'
import type { Terminal } from './terminal.js'

/** The options of `rushes storage policy` as they are typed. */
export interface PolicyArguments {
  readonly principal?: string
  readonly abort: boolean
  readonly verbose?: boolean
}

/** `rushes storage policy URL`: prints the policies as JSON. */
export async function policyCommand(
  url: string,
  { principal, abort }: PolicyArguments,
  terminal: Terminal,
): Promise<void> {
  const settings = parseStoreUrl(url)
  if (settings.scheme !== 's3') {
    throw new ConfigurationError('scheme', 'must be s3://; what OSS needs stands in the documentation', settings.scheme)
  }
  const { bucket, basePath, get, list, delete: remove, externalId, roleArn } = settings
  const [, partition] = /^arn:(aws|aws-cn|aws-us-gov):/.exec(roleArn ?? '') ?? []
  // Loads the SDK, which is optional.
  const { storagePolicy } = await import('@rushes/storage-adapters/s3')
  const policy = storagePolicy({
    bucket,
    abortUploads: abort,
    ...(basePath === undefined ? {} : { basePath }),
    ...(get === undefined ? {} : { get }),
    ...(list === undefined ? {} : { list }),
    ...(remove === undefined ? {} : { delete: remove }),
    ...(principal === undefined ? {} : { principal }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(partition === undefined ? {} : { partition: partition as 'aws' | 'aws-cn' | 'aws-us-gov' }),
  })
  terminal.stdout.write(`${JSON.stringify(policy, null, 2)}\n`)
}
