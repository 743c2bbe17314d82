import { randomUUID } from 'node:crypto'
import { ConfigurationError } from '@rushes/media'
import { writeAnswer } from './answer.js'
import { WhipError } from './errors.js'
import { readOffer } from './offer.js'
import { SecureTransport } from './secure-transport.js'
import type { WhipAcceptance, WhipEndpointOptions, WhipRefusal, WhipSettings } from './whip-options.js'
import { PublisherSession } from './whip-session.js'

/** A session and what its publisher is told. */
export interface Published {
  readonly session: PublisherSession
  readonly answer: string
}

/** The sessions of one endpoint. */
export class WhipSessions {
  readonly #options: WhipEndpointOptions
  readonly #settings: WhipSettings
  readonly #sessions = new Map<string, PublisherSession>()
  /** Sessions that are being made count as well. */
  #pending = 0
  #isClosed = false
  /** Ports of a range are tried one after the other: two at a time would take the same. */
  #gathering: Promise<unknown> = Promise.resolve()

  constructor(options: WhipEndpointOptions, settings: WhipSettings) {
    this.#options = options
    this.#settings = settings
  }

  /** @throws WhipError where there is none */
  get(id: string): PublisherSession {
    const session = this.#sessions.get(id)
    if (session === undefined) throw new WhipError('WHIP_NO_SESSION', 'there is no such session, or no longer')
    return session
  }

  /** Begins a session; `decide` is asked where it goes once the offer is known to be good. @throws WhipError */
  async publish(
    offerText: string,
    decide: (sessionId: string) => WhipAcceptance | WhipRefusal | Promise<WhipAcceptance | WhipRefusal>,
  ): Promise<Published> {
    const { videoCodecs, audioCodecs, audioRedundancy = false } = this.#options
    const offer = readOffer(offerText, { videoCodecs, audioCodecs, audioRedundancy })
    this.#checkRoom()
    this.#pending++
    try {
      const id = randomUUID()
      const decision = await decide(id)
      if ('refuse' in decision) throw new WhipError('WHIP_REFUSED', decision.refuse)
      if (typeof decision.target?.addTrack !== 'function') {
        throw new ConfigurationError('onPublish', 'must return a target that takes tracks, or refuse')
      }
      const session = this.#createSession(id, offer, decision)
      const transport = new SecureTransport(this.#settings.addresses, {
        onPacket: (bytes) => session.receive(bytes),
        onCheck: () => session.heard(),
        onClosed: (reason) => session.transportClosed(reason),
      })
      const local = await this.#gather(() => transport.prepare(offer))
      if (local.candidates.length === 0 || this.#isClosed) {
        await transport.close()
        if (this.#isClosed) this.#checkRoom()
        throw new WhipError('WHIP_NO_PORT', 'no port is free for media')
      }
      const { opusDtx = true, maxVideoBitrateBps } = this.#options
      const answer = writeAnswer(offer, local, { opusDtx, maxVideoBitrateBps }, String(Date.now()))
      this.#sessions.set(id, session)
      session.start(transport)
      decision.onSession?.(session)
      return { session, answer }
    } finally {
      this.#pending--
    }
  }

  /** Ends all sessions and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#sessions.values()].map((session) => session.close()))
  }

  #checkRoom(): void {
    if (this.#isClosed) throw new WhipError('WHIP_CLOSED', 'the endpoint is being closed')
    if (this.#sessions.size + this.#pending < this.#settings.maxSessions) return
    throw new WhipError('WHIP_TOO_MANY_SESSIONS', 'too many publishers: try again later')
  }

  #createSession(id: string, offer: ReturnType<typeof readOffer>, decision: WhipAcceptance): PublisherSession {
    const { target, participantId, onEvent } = decision
    const { connectTimeoutUs, idleTimeoutUs, sourceTimeoutUs } = this.#settings
    return new PublisherSession({
      id,
      offer,
      target,
      participantId,
      connectTimeoutUs,
      idleTimeoutUs,
      sourceTimeoutUs,
      onEvent: (event) => {
        if (event.type === 'ended') this.#sessions.delete(id)
        onEvent?.(event)
      },
    })
  }

  async #gather<T>(prepare: () => Promise<T>): Promise<T> {
    const turn = this.#gathering.then(prepare, prepare)
    this.#gathering = turn.catch(() => {})
    return turn
  }
}
