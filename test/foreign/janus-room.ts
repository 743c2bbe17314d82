import { randomUUID } from 'node:crypto'

type Message = Readonly<Record<string, unknown>>

/** A stream of a publisher, and where Janus is to send it. */
export interface ForwardedStream {
  /** As the publisher's SDP names it. */
  readonly mid: string
  readonly port: number
  readonly rtcp_port?: number
  readonly pt: number
}

/** One publisher in one VideoRoom, by Janus's HTTP interface. */
export class JanusRoom {
  readonly #session: string
  readonly #handle: string
  readonly #room: number
  #publisher = 0

  private constructor(session: string, handle: string, room: number) {
    this.#session = session
    this.#handle = handle
    this.#room = room
  }

  /** Makes the room; whoever publishes there is recorded to `recordingDir`. */
  static async create(server: string, room: number, videocodec: string, recordingDir: string): Promise<JanusRoom> {
    const session = `${server}/${idOf(await post(server, { janus: 'create' }))}`
    const handle = `${session}/${idOf(await post(session, { janus: 'attach', plugin: 'janus.plugin.videoroom' }))}`
    const one = new JanusRoom(session, handle, room)
    const record = { record: true, rec_dir: recordingDir }
    await one.#ask({ request: 'create', room, videocodec, audiocodec: 'opus', ...record })
    return one
  }

  /** Joins with an offer; resolves with the answer. `name`: of the recording's files. */
  async publish(offer: string, name: string): Promise<string> {
    const join = { request: 'joinandconfigure', room: this.#room, ptype: 'publisher', filename: name }
    await post(this.#handle, { janus: 'message', body: join, jsep: { type: 'offer', sdp: offer } })
    for (;;) {
      const event = (await (await fetch(`${this.#session}?maxev=1`)).json()) as {
        jsep?: { sdp: string }
        plugindata?: { data: { id?: number; error?: string } }
      }
      const { id, error } = event.plugindata?.data ?? {}
      if (error !== undefined) throw new Error(error)
      if (id !== undefined) this.#publisher = id
      if (event.jsep !== undefined) return event.jsep.sdp
    }
  }

  /** Resolves with the ports on which Janus takes RTCP, one for each stream that has one. */
  async forward(streams: readonly ForwardedStream[]): Promise<number[]> {
    const host = '127.0.0.1'
    const publisher = { room: this.#room, publisher_id: this.#publisher }
    const data = await this.#ask({
      request: 'rtp_forward',
      ...publisher,
      host,
      host_family: 'ipv4',
      streams: streams.map((stream) => ({ ...stream, host })),
    })
    const forwarders = (data['forwarders'] ?? []) as { local_rtcp_port?: number }[]
    return forwarders.flatMap(({ local_rtcp_port: port }) => (port === undefined ? [] : [port]))
  }

  /** Ends publisher, recording and room. */
  async close(): Promise<void> {
    await this.#ask({ request: 'destroy', room: this.#room })
    await post(this.#session, { janus: 'destroy' })
  }

  async #ask(body: Message): Promise<Message> {
    const { plugindata } = await post(this.#handle, { janus: 'message', body })
    const data = (plugindata as { data?: Message } | undefined)?.data ?? {}
    if (data['error'] !== undefined) throw new Error(`${String(body['request'])}: ${JSON.stringify(data['error'])}`)
    return data
  }
}

async function post(url: string, message: Message): Promise<Message> {
  const body = JSON.stringify({ ...message, transaction: randomUUID() })
  const answer = (await (await fetch(url, { method: 'POST', body })).json()) as Message
  if (answer['janus'] === 'error') throw new Error(JSON.stringify(answer['error']))
  return answer
}

function idOf(answer: Message): number {
  return (answer['data'] as { id: number }).id
}
