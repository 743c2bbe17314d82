import { resolve } from 'node:path'
import type { Command } from 'commander'
import { defineComposite } from './composite-options.js'
import { isStoreUrl } from './destination.js'
import { exitCodesHelp } from './exit-codes-help.js'
import type { ProgramContext } from './program-context.js'
import { recordCommand } from './record-command.js'
import { journalOf, type RecordArguments } from './record-options.js'
import type { SourceArgument } from './record-sources.js'
import { pathFrom } from './text/path-from.js'

const notes = `
--sdp and --udp take plain RTP: what is encrypted is refused. TIME is in seconds (12.5), mm:ss or hh:mm:ss.
Ctrl-C ends the recording and finishes it; a second one leaves at once, and "rushes recover" finishes it later.

Examples:
  $ ffmpeg -re -i in.mp4 -an -c:v copy -f rtp -sdp_file alice.sdp rtp://127.0.0.1:5004
  $ rushes record --out recordings --sdp alice.sdp
  $ rushes record --out recordings --udp video/h264:5004:96 --udp audio/opus:5006:111 --duration 10:00
  $ rushes record --out recordings --participant alice --sdp a.sdp --participant bob --sdp b.sdp
  $ WHIP_TOKEN=… rushes record --out recordings --whip 8080 --whip-token-env WHIP_TOKEN
${exitCodesHelp}`

/** `rushes record`: its options and help. */
export function defineRecord(program: Command, { terminal, untilStopped }: ProgramContext): void {
  // In the order in which they are typed: a --participant names the sources after it.
  const sources: SourceArgument[] = []
  const source = (option: SourceArgument['option']) => (value: string) => {
    sources.push({ option, value })
    return value
  }
  const recorder = program
    .command('record')
    .summary('record RTP or WHIP while it is sent')
    .description(
      'Records what is sent to it: one recording per participant, or everyone in one; it plays while it grows.',
    )
    .requiredOption(
      '-o, --out <place>',
      'folder for the recordings, made if need be, or a store: s3://bucket/base?region=…, oss://…',
    )
    .option(
      '--sdp <file>',
      'receive what this session description says, on its ports; may be repeated',
      source('--sdp'),
    )
    .option(
      '--udp <stream>',
      'receive KIND/CODEC:PORT[:PAYLOADTYPE], as in video/h264:5004:96; RTCP on the port above; may be repeated',
      source('--udp'),
    )
    .option('--whip <port>', 'be a WHIP endpoint at /whip; who publishes to /whip/ann is participant ann')
    .option('--whip-token-env <name>', 'environment variable with the bearer token that publishers must send')
    .option(
      '-p, --participant <id>',
      'who it is; repeated, who the sources after it are (default: the name of the SDP file; udp)',
      source('--participant'),
    )
    .option(
      '--bind <address>',
      'address to receive on; any but loopback lets in whoever can reach it (default: 127.0.0.1)',
    )
    .option('--journal <dir>', 'where packets are kept until all is finished; a local disk (default: .takes in --out)')
    .option('--keep-journal', 'leave the take there when all is finished')
    .option('--room <id>', 'name of the room (default: room)')
    .option('--recording <id>', 'name of the recording (default: made from the time)')
    .option('-f, --format <list>', 'hls, mp4, or both with a comma between (default: hls,mp4)')
  defineComposite(recorder)
    .option('--segment <seconds>', 'aim for the length of an HLS segment; it ends at a keyframe (default: 6)')
    .option('--segments <kind>', 'ts, or cmaf: fragmented MP4 (default: ts)')
    .option('--audio <codec>', 'aac, or opus: copied into MP4 and CMAF (default: aac)')
    .option('--sample-rate <hz>', 'of AAC: 44100 or 48000 (default: 48000)')
    .option('--naming <rule>', 'a template, or fishjam, 100ms, wcs, jocloud (default: {recordingId}/{participantId})')
    .option(
      '--after-loss <what>',
      'freeze: hold the picture until the next keyframe; continue: decode on (default: freeze)',
    )
    .option('--parts <seconds>', 'begin new files at the first keyframe after so long (default: never)')
    .option('--duration <time>', 'stop so long after the first media (default: 24 hours after the start)')
    .option('--idle <seconds>', 'stop when nobody was there for so long, or never (default: 30; 300 before the first)')
    .option('--webhook <url>', 'tell this URL of what happens, by signed POST requests')
    .option('--webhook-secret-env <name>', 'environment variable with the secret that signs them')
    .option('--webhook-private', 'allow a URL in a private network or on this machine')
    .option('--json', 'write what happens to standard output as JSON lines, and nothing else')
    .option('--verbose', 'tell warnings of the inner works, and on failure the causes')
    .addHelpText('after', notes)
    .action((options: Omit<RecordArguments, 'sources'>) => {
      const shown = (path: string): string => pathFrom(terminal.cwd, path)
      const naming = options.naming === undefined ? '' : ` --naming '${options.naming}'`
      const recover = `rushes recover ${shown(journalOf(options, terminal.cwd))} --out ${isStoreUrl(options.out) ? `'${options.out}'` : shown(resolve(terminal.cwd, options.out))}${naming}`
      return untilStopped(
        (stop) => recordCommand({ ...options, sources }, terminal, stop),
        `left at once; what was recorded is in the journal. This finishes it:\n  ${recover}`,
      )
    })
}
