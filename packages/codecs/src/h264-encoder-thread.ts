import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { CodecError, type CodecErrorCode } from './errors.js'
import { COUNTS, type EncoderData, type FromEncoder, SLOTS, type ToEncoder } from './h264-encoder-wire.js'
import type { CodedPictureSink, H264PictureEncoderOptions } from './h264-picture-encoder.js'
import type { PictureCanvas } from './picture-canvas.js'
import { startThread } from './start-thread.js'

/** An encoder that does not say anything for so long has died: a picture takes it 0.3 s at the very most. */
const PATIENCE_MS = 30_000

/**
 * An {@link H264PictureEncoder} in a thread of its own: while it encodes a picture the next one is painted. Calls are
 * synchronous, for a thread that may wait: what was encoded by then is given out by the next call. Each picture is copied
 * once more, into memory that both threads see.
 */
export class H264EncoderThread {
  readonly #port: MessagePort
  readonly #counts: Int32Array
  readonly #slots: readonly Uint8Array[]
  #taken = 0
  #closed = false

  /** Rejects with `CODECS_NODE_AV_MISSING`, `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`. */
  static async open(options: H264PictureEncoderOptions): Promise<H264EncoderThread> {
    const bytes = (options.width * options.height * 3) / 2
    const counts = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * Object.keys(COUNTS).length)
    const slots = Array.from({ length: SLOTS }, () => new SharedArrayBuffer(bytes))
    const { port1, port2 } = new MessageChannel()
    const data: EncoderData & { readonly port: MessagePort } = { options, counts, slots, port: port2 }
    const worker = startThread({
      from: import.meta.url,
      module: './h264-encoder-worker',
      name: 'rushes-encoder',
      data,
      transfer: [port2],
    })
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('message', (message: FromEncoder) => {
        if (message.type === 'failed') reject(new CodecError(message.code as CodecErrorCode, message.message))
        else resolve()
      })
    })
    // It ends with its port: nobody is to wait for it.
    worker.unref()
    return new H264EncoderThread(port1, counts, slots)
  }

  private constructor(port: MessagePort, counts: SharedArrayBuffer, slots: readonly SharedArrayBuffer[]) {
    this.#port = port
    this.#counts = new Int32Array(counts)
    this.#slots = slots.map((memory) => new Uint8Array(memory))
  }

  /** As `H264PictureEncoder.encode`; the sink is also given earlier pictures. The canvas is the caller's again. */
  encode(canvas: PictureCanvas, frame: number, keyframe: boolean, sink: CodedPictureSink): void {
    this.#waitFor(COUNTS.encoded, (encoded) => this.#taken - encoded < SLOTS)
    const slot = this.#taken % SLOTS
    this.#taken++
    let offset = 0
    for (const plane of canvas.planes) {
      this.#slots[slot]?.set(plane, offset)
      offset += plane.byteLength
    }
    this.#send({ type: 'encode', slot, frame, keyframe })
    this.#give(sink)
  }

  /** Gives out what is still inside. Nothing can be encoded afterwards. */
  flush(sink: CodedPictureSink): void {
    if (this.#closed) return
    this.#send({ type: 'flush' })
    this.#waitFor(COUNTS.ended, (ended) => ended !== 0)
    this.#give(sink)
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#send({ type: 'close' })
  }

  #send(message: ToEncoder): void {
    this.#port.postMessage(message, [])
  }

  #waitFor(place: number, isThere: (value: number) => boolean): void {
    for (;;) {
      const value = Atomics.load(this.#counts, place)
      if (isThere(value) || Atomics.load(this.#counts, COUNTS.ended) === 2) return
      if (Atomics.wait(this.#counts, place, value, PATIENCE_MS) === 'timed-out') {
        throw new CodecError('CODECS_ENCODE_FAILED', `the H264 encoder has said nothing for ${PATIENCE_MS / 1000} s`)
      }
    }
  }

  #give(sink: CodedPictureSink): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) return
      const message = received.message as FromEncoder
      if (message.type === 'failed') throw new CodecError(message.code as CodecErrorCode, message.message)
      if (message.type === 'coded') sink(message.nalUnits, message.frame, message.keyframe)
    }
  }
}
