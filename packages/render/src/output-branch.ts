import type { KeyframeNeeded, Track } from '@rushes/media'
import { Branch } from './branch.js'
import { MP4_CODECS, TS_CODECS, WEBM_CODECS } from './container-codecs.js'
import { FittedOutputs, type WantedOutput } from './fitted-outputs.js'
import { HlsOutput } from './hls-output.js'
import { Mp4Output } from './mp4-output.js'
import type { Output, OutputContext, OutputStart } from './output.js'
import { PartedOutput } from './parted-output.js'
import type { OutputFormat } from './plan.js'

/** What a branch of outputs is made from. */
export interface OutputBranchOptions {
  readonly context: OutputContext
  readonly formats: readonly OutputFormat[]
  /** Every track that is announced is known to send something. */
  readonly everyTrackSends: boolean
  /** Takes what the outputs ask for. @defaultValue the context's `emit` */
  readonly onSignal?: (request: KeyframeNeeded) => void
}

/** A branch that leads to containers: tracks are interleaved, clipped, made to fit and written. */
export function openOutputBranch(options: OutputBranchOptions): Branch {
  const { context, formats, everyTrackSends, onSignal = context.emit } = options
  const { plan, emit, subject } = context
  return new Branch({ fromUs: plan.fromUs, toUs: plan.toUs }, async (start, hasSeen) => {
    const wanted = formats.map((format) =>
      wantedOutput(context, format, (track) => everyTrackSends || hasSeen(track.id)),
    )
    const fitted = await FittedOutputs.create(wanted, start, {
      onSignal,
      onLeftOut: ({ id, codec }, container) =>
        emit({
          type: 'warning',
          warning: {
            code: 'TRACK_LEFT_OUT',
            message: `${container} cannot hold ${codec}: track ${id} is left out of it`,
            ...(subject.participantId === undefined ? undefined : { participantId: subject.participantId }),
            trackId: id,
          },
        }),
    })
    return [fitted]
  })
}

function wantedOutput(context: OutputContext, format: OutputFormat, exists: (track: Track) => boolean): WantedOutput {
  const withSignals = (onSignal: (request: KeyframeNeeded) => void): OutputContext => ({
    ...context,
    emit: (event) => (event.type === 'keyframe-needed' ? onSignal(event) : context.emit(event)),
  })
  if (format !== 'hls') {
    const create = format === 'mp4' ? Mp4Output.create : Mp4Output.createWebm
    return {
      codecs: format === 'mp4' ? MP4_CODECS : WEBM_CODECS,
      create: (start, onSignal) => inParts(context, start, (...part) => create(withSignals(onSignal), ...part)),
    }
  }
  return {
    codecs: context.plan.segments === 'ts' ? TS_CODECS : MP4_CODECS,
    // A programme lists only streams that exist (ISO/IEC 13818-1 §2.4.4.8): live, a track that was announced but has
    // sent nothing joins later. A finished source is known to have it.
    create: async (start, onSignal) => {
      const tracks = start.tracks.filter(exists)
      const own = withSignals(onSignal)
      const output = await inParts(context, { ...start, tracks }, (...part) => HlsOutput.create(own, ...part))
      for (const track of start.tracks) if (!exists(track)) output.addTrack(track)
      return output
    },
  }
}

async function inParts(
  { plan }: OutputContext,
  start: OutputStart,
  create: (start: OutputStart, part?: number) => Promise<Output>,
): Promise<Output> {
  return plan.parts === undefined ? await create(start) : await PartedOutput.create(start, plan.parts, create)
}
