import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { defineComposite } from './composite-options.js'
import { exitCodesHelp } from './exit-codes-help.js'
import { defineImport } from './import-definition.js'
import { type InspectArguments, inspectCommand } from './inspect-command.js'
import { collect } from './option-values.js'
import type { ProgramContext } from './program-context.js'
import { defineRecord } from './record-definition.js'
import { defineRecover } from './recover-definition.js'
import { renderCommand } from './render-command.js'
import type { RenderArguments } from './render-options.js'
import { defineStorage } from './storage-definition.js'
import { columnsOf } from './terminal.js'

const renderExamples = `
TIME is in seconds (12.5), mm:ss or hh:mm:ss.mmm, counted from the start of the recording. Video is copied, not
encoded again: it begins with the keyframe at or before --from. A composite that was interrupted goes on where it was
when the same command is given again.

Examples:
  $ rushes render takes/monday --out recordings
  $ rushes render takes/monday --out . --format mp4 --participant alice --from 1:30 --to 2:00
  $ rushes render takes/monday --out . --composite --layout spotlight --size 1920x1080 --format mp4
  $ rushes render takes/monday --out /tmp/r --json | jq -r '.outputs[].location'
${exitCodesHelp}`

const inspectExamples = `
TAKE is a folder with a session.json, PLAYLIST an .m3u8 file (or a folder with an index.m3u8), FILE an MPEG-TS or MP4
file. Everything is checked against its standard; broken rules make the exit code 1.

Examples:
  $ rushes inspect takes/monday
  $ rushes inspect recordings/monday/alice/index.m3u8
  $ rushes inspect recordings/monday/alice.mp4 --json
${exitCodesHelp}`

/** The command line: its commands, options and help. What they do stands in a file each. */
export function createProgram(context: ProgramContext): Command {
  const { terminal, interruptibly, onFindings } = context
  const program = new Command('rushes')
    .description('Records real-time calls, and makes recordings of what was journalled of them.')
    .version(readVersion(), '-V, --version')
    .helpCommand(false)
    .addHelpText('after', exitCodesHelp)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'rushes: USAGE: ')),
      getOutHelpWidth: () => Math.min(columnsOf(terminal.stdout, 100), 120),
      getErrHelpWidth: () => Math.min(columnsOf(terminal.stderr, 100), 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })

  const renderer = program
    .command('render')
    .summary('make HLS and MP4 recordings of a take')
    .description(
      'Makes HLS and MP4 recordings of a take: one per participant, audio and video together, or everyone in one.',
    )
    .argument('<take>', 'folder of the take')
    .requiredOption(
      '-o, --out <place>',
      'folder for the recordings, made if need be, or a store: s3://bucket/base?region=…, oss://…',
    )
    .option('-f, --format <list>', 'hls, mp4, or both with a comma between (default: hls,mp4)')
    .option('-p, --participant <id>', 'whose recording; may be given more than once (default: everyone)', collect)
  defineComposite(renderer)
    .option('--audio <codec>', 'aac, or opus: copied into MP4, HLS has AAC either way (default: aac)')
    .option('--sample-rate <hz>', 'of AAC: 44100 or 48000 (default: 48000)')
    .option('--segment <seconds>', 'aim for the length of an HLS segment; it ends at a keyframe (default: 6)')
    .option('--from <time>', 'begin there (default: the start)')
    .option('--to <time>', 'end there (default: the end)')
    .option('--naming <rule>', 'a template, or fishjam, 100ms, wcs, jocloud (default: {recordingId}/{participantId})')
    .option(
      '--after-loss <what>',
      'freeze: hold the picture until the next keyframe; continue: decode on (default: freeze)',
    )
    .option('--json', 'write the manifest to standard output and nothing else')
    .option('--verbose', 'on failure, tell the causes')
    .addHelpText('after', renderExamples)
    .action((take: string, options: RenderArguments) =>
      interruptibly(
        (signal) => renderCommand(take, options, terminal, signal),
        options.composite === true ? 'the same command goes on with the composite where it was' : undefined,
      ),
    )

  program
    .command('inspect')
    .summary('show and check a take, a playlist or a media file')
    .description('Shows what a take, an HLS playlist, or an MPEG-TS or MP4 file holds, and checks it.')
    .argument('<path>', 'TAKE, PLAYLIST or FILE')
    .option('--json', 'write all that is known as JSON')
    .option('--verbose', 'on failure, tell the causes')
    .addHelpText('after', inspectExamples)
    .action((path: string, options: InspectArguments) =>
      interruptibly(async (signal) => {
        const isSound = await inspectCommand(path, options, terminal, signal)
        if (!isSound) onFindings()
      }),
    )

  defineRecord(program, context)
  defineRecover(program, context)
  defineImport(program, context)
  defineStorage(program, context)
  return program
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0.0.0'
}
