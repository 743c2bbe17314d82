import { AccessUnitChecker } from '../h264/access-unit-rules.js'
import { cutByteStream } from '../h264/annex-b.js'
import { ElementaryStream, type PlacedPes, type StreamContext } from './elementary-stream.js'
import type { TransportStreamOptions } from './options.js'

/** H.264 in PES packets, one access unit in each. */
export class H264ElementaryStream extends ElementaryStream {
  readonly kind = 'video'
  readonly #checker = new AccessUnitChecker({ delimiter: 'required', parameterSetsInBand: true })
  readonly #independentSegments: boolean
  readonly #payloads: boolean

  constructor(pid: number, streamType: number, context: StreamContext, options: TransportStreamOptions) {
    super(pid, streamType, context)
    this.#independentSegments = options.independentSegments === true
    this.#payloads = options.payloads !== false
  }

  override beginSegment(segment: number): void {
    super.beginSegment(segment)
    if (this.#independentSegments) this.#checker.reset()
  }

  override reset(): void {
    super.reset()
    this.#checker.reset()
  }

  protected override pes(pes: PlacedPes): void {
    const { report, pcrPid } = this.context
    const { place, first } = pes
    const stream = cutByteStream(pes.payload)
    if (stream.strayBytes > 0) report('start-code', `${stream.strayBytes} bytes before the first start code`, place)
    for (const [index, { nalUnit, zeroByte }] of stream.nalUnits.entries()) {
      const type = (nalUnit[0] ?? 0) & 31
      if (!zeroByte && (index === 0 || type === 7 || type === 8)) {
        report('start-code', `NAL unit ${index} of type ${type} has a start code of three bytes`, place)
      }
    }
    const nalUnits = stream.nalUnits.map(({ nalUnit }) => nalUnit)
    const facts = this.#checker.check(nalUnits, (rule, message) => report(rule, message, place))
    if (facts.keyframe && !first.randomAccess) {
      report('random-access-indicator', 'it is not set on an IDR picture', place)
    } else if (first.randomAccess && !facts.keyframe && !facts.recoveryPoint) {
      report('random-access-indicator', 'it is set on a picture that is no random access point', place)
    }
    if (facts.keyframe && place.pid === pcrPid && first.pcr27m === undefined) {
      report('pcr-random-access', 'an IDR picture starts without a PCR', place)
    }
    if (this.#independentSegments && pes.firstInSegment && !facts.keyframe) {
      report('segment-not-independent', 'the first picture of the segment is not IDR', place)
    }
    this.accessUnits.push({
      segment: place.segment,
      offset: place.offset,
      pts90k: pes.pts90k,
      dts90k: pes.dts90k,
      keyframe: facts.keyframe,
      randomAccess: first.randomAccess,
      nalUnitTypes: facts.nalUnitTypes,
      nalUnits: this.#payloads ? nalUnits : [],
      sizeBytes: pes.payload.byteLength,
      ...(facts.sps === undefined ? {} : { sps: facts.sps }),
    })
  }
}
