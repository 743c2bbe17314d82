import type { Command } from 'commander'
import { exitCodesHelp } from './exit-codes-help.js'
import { type PolicyArguments, policyCommand } from './policy-command.js'
import { type ProbeArguments, probeCommand } from './probe-command.js'
import type { ProgramContext } from './program-context.js'
import { type SpoolArguments, spoolCommand } from './spool-command.js'

const urls = `
URL is file:///folder, s3://bucket/base?region=… or oss://bucket/base?region=…. Keys come from the environment
(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET) or from the file that
credentialsFile= names; a role is assumed with roleArn= and externalId=. No secret may stand in a URL.
`

const probeNotes = `${urls}
Example:
  $ rushes storage probe 's3://calls/recordings?region=eu-west-1&roleArn=arn:aws:iam::123456789012:role/recorder&externalId=x1'
${exitCodesHelp}`

const policyNotes = `${urls}
Example:
  $ rushes storage policy 's3://calls/recordings?externalId=x1&roleArn=arn:aws:iam::123456789012:role/recorder' --principal 210987654321
${exitCodesHelp}`

const spoolNotes = `
DIR is the folder of a spool, or of a journal that has one. It may be in use.

Example:
  $ rushes spool recordings/.takes
${exitCodesHelp}`

/** `rushes storage` and `rushes spool`: their options and help. */
export function defineStorage(program: Command, { terminal, interruptibly, onFindings }: ProgramContext): void {
  const storage = program.command('storage').summary('test where recordings go, and make the policies for it')
  storage
    .command('probe')
    .summary('store a small object, and say what is wrong if that fails')
    .argument('<url>', 'the store')
    .option('--name <key>', 'name of the object (default: rushes-test.json)')
    .option('--json', 'write the report as JSON')
    .option('--verbose', 'on failure, tell the causes')
    .addHelpText('after', probeNotes)
    .action((url: string, options: ProbeArguments) =>
      interruptibly(async (signal) => {
        if (!(await probeCommand(url, options, terminal, signal))) onFindings()
      }),
    )
  storage
    .command('policy')
    .summary('print the least rights that a store of S3 needs, as policies of AWS')
    .argument('<url>', 'the store')
    .option('--principal <arn>', 'account or ARN that may assume the role: prints the trust policy too')
    .option('--no-abort', 'leave out the right to remove what failed uploads leave')
    .option('--verbose', 'on failure, tell the causes')
    .addHelpText('after', policyNotes)
    .action((url: string, options: PolicyArguments) => interruptibly(async () => policyCommand(url, options, terminal)))
  program
    .command('spool')
    .summary('show what waits to be uploaded')
    .description('Shows what a spool holds: what waits, since when, and what was given up.')
    .argument('<dir>', 'folder of the spool, or of the journal beside it')
    .option('--json', 'write all that is known as JSON')
    .option('--verbose', 'on failure, tell the causes')
    .addHelpText('after', spoolNotes)
    .action((dir: string, options: SpoolArguments) =>
      interruptibly(async () => {
        if (!(await spoolCommand(dir, options, terminal))) onFindings()
      }),
    )
}
