import type { Command } from 'commander'
import { exitCodesHelp } from './exit-codes-help.js'
import { importCommand } from './import-command.js'
import type { ImportArguments } from './import-options.js'
import { collect } from './option-values.js'
import type { ProgramContext } from './program-context.js'

const notes = `
CAPTURE is a pcap or pcapng file (tcpdump, Wireshark) with unencrypted RTP, or a Janus recording (.mjr); several become
one take. Opus, H264 and VP8 are recognised by their packets; others, and AAC with its rate, are said with --codec.
KEY is an SSRC (decimal or 0x…), a CNAME, a sender (address or address:port), a receiver (address:port) or an .mjr file.

Examples:
  $ rushes import call.pcapng --out takes/call --codec 102=video/H264 --codec 97=audio/mpeg4-generic/44100
  $ rushes import call.pcap --out takes/call --participant 10.0.0.5=alice --participant 10.0.0.6=bob
  $ rushes import room-*-audio.mjr room-*-video.mjr --out takes/room
${exitCodesHelp}`

/** `rushes import`: its options and help. */
export function defineImport(program: Command, { terminal, interruptibly }: ProgramContext): void {
  program
    .command('import')
    .summary('make a take of packet captures or Janus recordings')
    .description('Makes a take of packet captures or Janus recordings, and shows which streams were in them.')
    .argument('<capture...>', 'CAPTURE files')
    .requiredOption('-o, --out <take>', 'folder of the new take')
    .option('-c, --codec <format>', 'PAYLOADTYPE=MIME[/RATE], as in 96=video/H264; may be repeated', collect)
    .option(
      '-p, --participant <name>',
      'ID of all streams, or KEY=ID of those that KEY names; may be repeated',
      collect,
    )
    .option('--recording <id>', 'name of the recording')
    .option('--room <id>', 'name of the room')
    .option('--started-at <time>', 'ISO 8601, for captures that do not tell when they were made')
    .option('--json', 'write what was found as JSON')
    .option('--verbose', 'on failure, tell the causes')
    .addHelpText('after', notes)
    .action((captures: string[], options: ImportArguments) =>
      interruptibly((signal) => importCommand(captures, options, terminal, signal), 'there is no take'),
    )
}
