import type { Command } from 'commander'
import { exitCodesHelp } from './exit-codes-help.js'
import type { ProgramContext } from './program-context.js'
import { type RecoverArguments, recoverCommand } from './recover-command.js'

const notes = `
JOURNAL is the folder that was given to "rushes record" with --journal (.takes in its --out), or the journalDir of a
recorder. With the --out and --naming of the recording, playlists that were public go on where they stood. Takes of
other programs are repaired for "rushes render". It exits with 1 if something could not be finished.

Example:
  $ rushes recover recordings/.takes --out recordings
${exitCodesHelp}`

/** `rushes recover`: its options and help. */
export function defineRecover(program: Command, { terminal, interruptibly, onFindings }: ProgramContext): void {
  program
    .command('recover')
    .summary('finish the recordings that a crash left behind')
    .description('Repairs and finishes what a crash left in a journal, and says what was lost.')
    .argument('<journal>', 'folder of the journal')
    .requiredOption('-o, --out <place>', 'folder or store of the recordings')
    .option('--naming <rule>', 'names of the outputs, as they were for the recording')
    .option('--keep-journal', 'leave the takes there when all is finished')
    .option('--webhook <url>', 'tell this URL what it has not been told yet')
    .option('--webhook-secret-env <name>', 'environment variable with the secret that signs the requests')
    .option('--webhook-private', 'allow a URL in a private network or on this machine')
    .option('--verbose', 'tell warnings of the inner works, and on failure the causes')
    .addHelpText('after', notes)
    .action((journal: string, options: RecoverArguments) =>
      interruptibly(async (signal) => {
        const isSound = await recoverCommand(journal, options, terminal, signal)
        if (!isSound) onFindings()
      }, 'the journal has everything: recover again'),
    )
}
