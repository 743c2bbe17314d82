import { BitWriter } from '../../bitstream/test/bit-writer.js'
import { nalUnit, writePps } from '../../bitstream/test/h265/syntax.js'
import { type RtpPacketFields, serializeRtpPacket } from '../src/index.js'

/** H265 made by hand: parameter sets and slice headers that hold, slice data that is arbitrary. */

const IDR_W_RADL = 19
export const IDR_N_LP = 20
export const CRA = 21

export function vpsNalUnit(id = 0): Uint8Array {
  const w = new BitWriter().u(id, 4).u(3, 2).u(0, 6).u(0, 3).flag(true).u(0xffff, 16)
  writeProfile(w)
  return nalUnit(32, w.flag(true).ue(4).ue(2).ue(0).u(0, 6).ue(0).flag(false).flag(false))
}

export interface SpsFields {
  readonly id?: number
  readonly vpsId?: number
  readonly width?: number
  readonly log2MaxLsb?: number
  readonly reorder?: number
}

/** 64x64 unless a width is given, blocks of 16; long-term pictures are possible. */
export function spsNalUnit({ id = 0, vpsId = 0, width = 64, log2MaxLsb = 8, reorder = 0 }: SpsFields = {}): Uint8Array {
  const w = new BitWriter().u(vpsId, 4).u(0, 3).flag(true)
  writeProfile(w)
  w.ue(id)
    .ue(1)
    .ue(width)
    .ue(64)
    .flag(false)
    .ue(0)
    .ue(0)
    .ue(log2MaxLsb - 4)
  w.flag(true).ue(15).ue(reorder).ue(0)
  w.ue(0).ue(1).ue(0).ue(2).ue(0).ue(0).flag(false).u(0, 2).flag(false)
  w.ue(0).flag(true).ue(0).u(0, 2).flag(false).flag(false)
  return nalUnit(33, w)
}

function writeProfile(w: BitWriter): void {
  w.u(1, 8).u(0x6000_0000, 32).u(0xb000_0000, 32).u(0, 16).u(93, 8)
}

export function ppsNalUnit(id = 0, spsId = 0): Uint8Array {
  const flags = { dependentSlices: true, outputFlagPresent: false, cuQpDelta: false, tiles: false, wavefronts: false }
  return writePps({ id, spsId, extraBits: 0, ...flags })
}

export interface Reference {
  readonly poc: number
  readonly used: boolean
  /** Over a long time: named by all of its order count, or by the lower bits. */
  readonly longTerm?: 'whole' | 'lower'
}

export interface SliceFields {
  readonly type: number
  readonly poc?: number
  readonly temporalId?: number
  readonly references?: readonly Reference[]
  /** 0 for the first slice of a picture. */
  readonly address?: number
  readonly ppsId?: number
  readonly log2MaxLsb?: number
  readonly data?: Uint8Array
}

export function sliceNalUnit(fields: SliceFields): Uint8Array {
  const { type, poc = 0, temporalId = 0, references = [], address = 0, ppsId = 0, log2MaxLsb = 8 } = fields
  const w = new BitWriter().flag(address === 0)
  if (type >= 16 && type <= 23) w.flag(false)
  w.ue(ppsId)
  // Not dependent; 16 blocks of 16x16 in a picture of 64x64.
  if (address > 0) w.flag(false).u(address, 4)
  w.ue(references.some(({ used }) => used) ? 1 : 2)
  if (type !== IDR_W_RADL && type !== IDR_N_LP) writeReferences(w, poc, references, log2MaxLsb)
  return Uint8Array.of(...nalUnit(type, w, temporalId), ...(fields.data ?? []))
}

function writeReferences(w: BitWriter, poc: number, references: readonly Reference[], log2MaxLsb: number): void {
  const maxLsb = 2 ** log2MaxLsb
  const lsbOf = (value: number): number => ((value % maxLsb) + maxLsb) % maxLsb
  w.u(lsbOf(poc), log2MaxLsb).flag(false)
  const shortTerm = references.filter(({ longTerm }) => longTerm === undefined)
  const before = shortTerm.filter((each) => each.poc < poc).sort((a, b) => b.poc - a.poc)
  const after = shortTerm.filter((each) => each.poc > poc).sort((a, b) => a.poc - b.poc)
  w.ue(before.length).ue(after.length)
  for (const list of [before, after]) {
    let last = poc
    for (const each of list) {
      w.ue(Math.abs(each.poc - last) - 1).flag(each.used)
      last = each.poc
    }
  }
  const longTerm = references.filter((each) => each.longTerm !== undefined).sort((a, b) => b.poc - a.poc)
  w.ue(longTerm.length)
  let lastCycle = 0
  for (const each of longTerm) {
    w.u(lsbOf(each.poc), log2MaxLsb)
      .flag(each.used)
      .flag(each.longTerm === 'whole')
    if (each.longTerm !== 'whole') continue
    const cycle = (poc - lsbOf(poc) - (each.poc - lsbOf(each.poc))) / maxLsb
    w.ue(cycle - lastCycle)
    lastCycle = cycle
  }
}

export const accessUnitDelimiter: Uint8Array = Uint8Array.of(0x46, 1, 0x50)
export const endOfSequence: Uint8Array = Uint8Array.of(0x48, 1)
export const prefixSei: Uint8Array = Uint8Array.of(0x4e, 1, 5, 1, 0xab, 0x80)
export const recoveryPointSei: Uint8Array = Uint8Array.of(0x4e, 1, 6, 1, 0xc0, 0x80)

export interface PacketizerOptions {
  readonly mtu?: number
  readonly firstSequenceNumber?: number
  readonly ssrc?: number
  /** Puts small neighbours together in aggregation packets. */
  readonly aggregate?: boolean
  readonly marker?: boolean
  /** Decoding order numbers (sprop-max-don-diff above 0), the first of which this is. */
  readonly firstDon?: number
}

export interface SentUnit {
  readonly rtpTimestamp: number
  readonly nalUnits: readonly Uint8Array[]
  /** Padding-only packets sent behind it. */
  readonly padding?: number
}

export interface SentPacket {
  readonly bytes: Uint8Array
  readonly sequenceNumber: number
  /** Index of its unit; undefined for padding. */
  readonly unit: number | undefined
}

/** NAL units as RTP payloads (RFC 7798 §4.4); `nextDon` gives decoding order numbers where they are in use. */
export function payloadsOf(
  nalUnits: readonly Uint8Array[],
  mtu: number,
  aggregate: boolean,
  nextDon?: () => number,
): Uint8Array[] {
  const payloads: Uint8Array[] = []
  const donl = (): number[] => {
    const don = nextDon?.()
    return don === undefined ? [] : [don >> 8, don & 255]
  }
  for (let i = 0; i < nalUnits.length; i++) {
    const nal = nalUnits[i]!
    if (nal.byteLength > mtu) {
      const type = nal[0]! >> 1
      for (let from = 2; from < nal.byteLength; from += mtu - 3) {
        const to = Math.min(from + mtu - 3, nal.byteLength)
        const flags = (from === 2 ? 0x80 : 0) | (to === nal.byteLength ? 0x40 : 0)
        const order = from === 2 ? donl() : []
        payloads.push(
          Uint8Array.of((nal[0]! & 0x81) | (49 << 1), nal[1]!, flags | type, ...order, ...nal.subarray(from, to)),
        )
      }
      continue
    }
    const group = [nal]
    let length = 2 + 2 + nal.byteLength
    while (i + 1 < nalUnits.length && length + 2 + nalUnits[i + 1]!.byteLength <= (aggregate ? mtu : 0)) {
      group.push(nalUnits[++i]!)
      length += 2 + nalUnits[i]!.byteLength
    }
    if (group.length > 1) payloads.push(aggregationPacket(group, nextDon))
    else payloads.push(Uint8Array.of(...nal.subarray(0, 2), ...donl(), ...nal.subarray(2)))
  }
  return payloads
}

export function aggregationPacket(nalUnits: readonly Uint8Array[], nextDon?: () => number): Uint8Array {
  const temporalId = Math.min(...nalUnits.map((nal) => nal[1]! & 7))
  const parts = nalUnits.flatMap((nal, index) => {
    const don = nextDon?.()
    // DOND 0: the decoding order number is the next one.
    const order = don === undefined ? [] : index === 0 ? [don >> 8, don & 255] : [0]
    return [...order, nal.byteLength >> 8, nal.byteLength & 255, ...nal]
  })
  return Uint8Array.of(48 << 1, temporalId, ...parts)
}

/** A payload within a PACI packet, behind `extensions` (RFC 7798 §4.4.4). */
export function paci(payload: Uint8Array, extensions: readonly number[]): Uint8Array {
  const fields = ((payload[0]! >> 1) << 9) | (extensions.length << 4)
  return Uint8Array.of(
    (50 << 1) | (payload[0]! & 1),
    payload[1]!,
    fields >> 8,
    fields & 255,
    ...extensions,
    ...payload.subarray(2),
  )
}

export function packetize(units: readonly SentUnit[], options: PacketizerOptions = {}): SentPacket[] {
  const packets: SentPacket[] = []
  let sequenceNumber = options.firstSequenceNumber ?? 0
  let don = options.firstDon ?? 0
  const nextDon = options.firstDon === undefined ? undefined : (): number => don++ & 0xffff
  const send = (unit: number | undefined, fields: Partial<RtpPacketFields> & { rtpTimestamp: number }): void => {
    packets.push({
      unit,
      sequenceNumber: sequenceNumber & 0xffff,
      bytes: serializeRtpPacket({
        payloadType: 98,
        ssrc: options.ssrc ?? 0x1234_5678,
        payload: new Uint8Array(0),
        sequenceNumber: sequenceNumber++ & 0xffff,
        ...fields,
      }),
    })
  }
  for (const [index, { rtpTimestamp, nalUnits, padding }] of units.entries()) {
    const payloads = payloadsOf(nalUnits, options.mtu ?? 1200, options.aggregate ?? true, nextDon)
    for (const [i, payload] of payloads.entries()) {
      send(index, { rtpTimestamp, payload, marker: (options.marker ?? true) && i === payloads.length - 1 })
    }
    for (let i = 0; i < (padding ?? 0); i++) send(undefined, { rtpTimestamp, paddingBytes: 255 })
  }
  return packets
}

export interface PictureSpec {
  /** `rasl`: a leading picture, where one is possible, else as `picture`. */
  readonly kind: 'idr' | 'cra' | 'picture' | 'disposable' | 'rasl'
  readonly temporalId: number
  /** Which of the pictures that are held it is predicted from, and which are let go. */
  readonly used: readonly boolean[]
  readonly dropped: readonly boolean[]
  readonly toLongTerm: boolean
  readonly slices: number
  readonly dataLength: number
  readonly padding: number
}

export interface EncodedUnit extends SentUnit {
  readonly kind: PictureSpec['kind']
  /** Indexes of the units that it is predicted from. */
  readonly references: readonly number[]
}

interface HeldPicture {
  readonly unit: number
  readonly poc: number
  readonly temporalId: number
  readonly leading: boolean
  longTerm: boolean
}

/** A decodable stream with its reference pictures, from what each picture is to be. */
export function encode(
  specs: readonly PictureSpec[],
  { log2MaxLsb = 8, firstTimestamp = 0 }: { log2MaxLsb?: number; firstTimestamp?: number } = {},
): EncodedUnit[] {
  const maxLsb = 2 ** log2MaxLsb
  const leadingPossible = specs.some(({ kind }) => kind === 'rasl')
  let held: HeldPicture[] = []
  let anchor = 0
  let poc = 0
  let time = 0
  /** Order counts and times left free before the last CRA picture, for leading ones. */
  let free: { poc: number; time: number }[] = []
  let cra: number | undefined
  return specs.map((spec, index) => {
    const isIdr = spec.kind === 'idr' || index === 0
    const isCra = !isIdr && spec.kind === 'cra'
    const place = spec.kind === 'rasl' ? free.shift() : undefined
    const isLeading = place !== undefined
    if (!isLeading) free = []
    let picture = place ?? { poc: poc + 1, time: time + 1 }
    if (isCra && leadingPossible) {
      free = [1, 2].map((step) => ({ poc: poc + step, time: time + step }))
      picture = { poc: poc + 3, time: time + 3 }
    }
    if (isIdr) picture = { poc: 0, time: time + 1 }
    if (!isLeading) ({ poc, time } = picture)
    const isDisposable = spec.kind === 'disposable'
    // Order counts are told by their lower bits, next to the last anchor.
    const mustAnchor = !isLeading && picture.poc - anchor >= maxLsb / 2 - 4
    const temporalId = isIdr || isCra || mustAnchor ? 0 : spec.temporalId
    if (isIdr) held = []
    // Behind the leading pictures of a CRA picture nothing refers to what came before it, nor does the next CRA picture
    // with its leading pictures.
    if (!isLeading && cra !== undefined) {
      const first = cra
      held = held.filter(({ unit, leading }) => unit >= first && !leading)
    }
    if (isCra) cra = index
    held = held.filter((each, i) => each.unit === cra || !spec.dropped[i % spec.dropped.length])
    // Short-term pictures that lie too far back could not be told apart by lower bits any more.
    held = held.filter((each) => each.longTerm || picture.poc - each.poc < maxLsb / 2).slice(-8)
    if (spec.toLongTerm && held[0] !== undefined && held[0].poc < picture.poc - 3) held[0].longTerm = true
    const isUnique = (each: HeldPicture): boolean =>
      held.every((other) => other === each || (other.poc - each.poc) % maxLsb !== 0)
    const references = held.map((each, i) => ({
      unit: each.unit,
      poc: each.poc,
      used: !isCra && each.temporalId <= temporalId && (spec.used[i % spec.used.length] ?? true),
      ...(each.longTerm ? { longTerm: isUnique(each) ? ('lower' as const) : ('whole' as const) } : {}),
    }))
    const plainType = temporalId > 0 ? 3 : 1
    const type = isIdr
      ? IDR_W_RADL
      : isCra
        ? CRA
        : isLeading
          ? 9
          : isDisposable && !mustAnchor
            ? plainType - 1
            : plainType
    const slices = Array.from({ length: spec.slices }, (_, slice) =>
      sliceNalUnit({
        type,
        poc: picture.poc,
        temporalId,
        references,
        address: slice * 3,
        log2MaxLsb,
        data: new Uint8Array(spec.dataLength).fill((index % 200) + 1),
      }),
    )
    if (!isDisposable || isIdr || isCra || mustAnchor) {
      held.push({ unit: index, poc: picture.poc, temporalId, leading: isLeading, longTerm: false })
    }
    if (temporalId === 0 && !isLeading && type !== 0) anchor = picture.poc
    const sets = [vpsNalUnit(), spsNalUnit({ log2MaxLsb, reorder: leadingPossible ? 2 : 0 }), ppsNalUnit()]
    return {
      rtpTimestamp: (firstTimestamp + picture.time * 3000) % 2 ** 32,
      nalUnits: isIdr || isCra ? [...sets, ...slices] : slices,
      padding: spec.padding,
      kind: isIdr ? 'idr' : isCra ? 'cra' : isLeading ? 'rasl' : isDisposable ? 'disposable' : 'picture',
      references: references.filter(({ used }) => used).map(({ unit }) => unit),
    }
  })
}
