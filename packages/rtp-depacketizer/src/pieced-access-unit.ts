import { type AccessUnit, joinPieces, type NalPieces, type VideoConfiguration } from '@rushes/media'

/** An access unit whose units are views into packets, joined only when somebody reads `nalUnits`. */
export class PiecedAccessUnit implements AccessUnit {
  readonly type = 'access-unit' as const
  readonly trackId: string
  readonly epoch: number
  readonly pieces: NalPieces
  readonly clockRate: number
  readonly rtpTimestamp: number
  readonly marker: boolean
  readonly keyframe: boolean
  readonly lossBefore: boolean
  readonly arrivalUs?: number
  readonly lostPackets?: number
  readonly configuration?: VideoConfiguration
  #nalUnits: readonly Uint8Array[] | undefined

  constructor(
    trackId: string,
    epoch: number,
    pieces: NalPieces,
    clockRate: number,
    rtpTimestamp: number,
    arrivalUs: number | undefined,
    marker: boolean,
    keyframe: boolean,
    lostPackets: number | undefined,
    configuration: VideoConfiguration | undefined,
  ) {
    this.trackId = trackId
    this.epoch = epoch
    this.pieces = pieces
    this.clockRate = clockRate
    this.rtpTimestamp = rtpTimestamp
    this.marker = marker
    this.keyframe = keyframe
    this.lossBefore = lostPackets !== undefined
    if (arrivalUs !== undefined) this.arrivalUs = arrivalUs
    // A unit can be missing without a packet: one that came damaged.
    if (lostPackets !== undefined && lostPackets > 0) this.lostPackets = lostPackets
    if (configuration !== undefined) this.configuration = configuration
  }

  get nalUnits(): readonly Uint8Array[] {
    this.#nalUnits ??= this.pieces.map(joinPieces)
    return this.#nalUnits
  }
}
