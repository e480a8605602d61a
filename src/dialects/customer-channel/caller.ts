// One socket: who it is, and what it asks for. It may sit in many conversations: an agent does, a customer sits in one.
import type { z } from 'zod'
import type { Caller as Identity } from '../../identity/credentials'
import { GatewayError } from '../../model/errors'
import type { Connectors } from './connectors'
import { answerDirectly } from './frame'
import { failureOf, handle, type Answer } from './handle'
import { Seating, type ChannelSocket, type SeatingDeps, type Sitter } from './seating'
import { Speaking } from './speaking'
import * as wire from './wire'

/** Requests of one socket that may be under way at once. */
const MAX_UNDER_WAY = 1_024

export interface CallerDeps extends SeatingDeps {
  readonly connectors: Connectors
}

export class Caller implements Sitter {
  readonly #seating: Seating
  readonly #speaking: Speaking
  #underWay = 0
  #onIdle: () => void = () => undefined
  #identity: Identity

  constructor(
    readonly socket: ChannelSocket,
    readonly address: string,
    identity: Identity,
    private readonly deps: CallerDeps,
  ) {
    this.#identity = identity
    this.#seating = new Seating(this, deps)
    this.#speaking = new Speaking(this, this.#seating, deps)
  }
  get identity(): Identity {
    return this.#identity
  }

  listen(): void {
    answerDirectly(this.socket)
    const join = this.#on('joinConversation', wire.joinRequest.schema, async (request, answer) => {
      this.#requireStaying()
      await this.#seating.join(request, answer)
    })
    this.#listen('joinConveration', join) // the public document's own typo
    this.#on('sendMessage', wire.sendRequest.schema, (request, answer) => this.#speaking.send(request, answer))
    const { schema } = wire.conversationRequest
    this.#on('endConversation', schema, ({ conversationId }, answer) => this.#speaking.end(conversationId, answer))
    this.#on('leaveConversation', schema, ({ conversationId }, answer) => this.#speaking.leave(conversationId, answer))
    this.#on('registerConnector', wire.registerConnectorRequest.schema, async (request, answer) => {
      this.#requireStaying()
      const { reply, identity } = await this.deps.connectors.register(this, request)
      this.#identity = identity
      answer(reply)
    })
    const anything = wire.conversationRequest.documented.partial().loose()
    for (const event of ['registerBot', 'requestAgentTransfer'])
      this.#on(event, anything, () => {
        throw new GatewayError('notImplemented', 'This gateway has no routing. Agents join conversations themselves.')
      })
    this.socket.on('disconnect', () => {
      this.#seating.dropAll()
      this.deps.connectors.gone(this)
    })
  }

  /**
   * Hears no more requests; resolves when those under way are answered. Unheard ones have no answer, and are repeated on
   * the next connection.
   */
  retire(): Promise<void> {
    this.socket.use(() => undefined)
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#underWay === 0) resolve()
    })
  }

  /** Closes the connection with a reason: its credential is void, or another one took its place. */
  dismiss(error: GatewayError): void {
    this.socket.emit('error', failureOf(error))
    this.socket.disconnect(true)
  }

  #on<S extends z.ZodType>(event: string, schema: S, run: (request: z.output<S>, answer: Answer) => Promise<void>) {
    const listener = handle(this.#border, schema, (request: z.output<S>, answer: Answer) =>
      this.#counted(run, request, answer),
    )
    this.#listen(event, listener)
    return listener
  }
  /** Names from the wire are no names of the typed events. */
  #listen(event: string, listener: (...args: unknown[]) => void): void {
    this.socket.on(event as keyof wire.ClientToServerEvents, listener)
  }

  readonly #border = {
    complain: (failure: wire.Failure) => void this.socket.emit('error', failure),
    fault: (cause: unknown) => this.deps.onFault(cause),
    admit: () => this.#admit(),
  }
  /** Asked before staff are told anything, too: who only listens would otherwise outlive the credential. */
  mayHear(): boolean {
    const { credentials, now } = this.deps
    if (credentials.stillValid(this.#identity, now().getTime())) return true
    queueMicrotask(() => this.dismiss(voidCredential()))
    return false
  }
  /** Asked on every event: a credential may have been revoked or run out since the handshake. */
  #admit(): void {
    this.#outliveToken()
    if (!this.mayHear()) throw voidCredential()
    if (this.#underWay >= MAX_UNDER_WAY)
      throw new GatewayError('tooManyRequests', 'Too many requests are under way. Wait for answers.', { retryAfter: 1 })
  }
  /** Where a seat ends with its own token, one that ran out in the handshake ends nothing else: a join shows another. */
  #outliveToken(): void {
    const { credentials, entryPoint, now } = this.deps
    const isCustomer = this.#identity.kind === 'customer' && entryPoint.customerAuth === 'token'
    if (isCustomer && !credentials.stillValid(this.#identity, now().getTime())) this.#identity = { kind: 'anonymous' }
  }
  async #counted<R>(run: (request: R, answer: Answer) => Promise<void>, request: R, answer: Answer): Promise<void> {
    this.#underWay += 1
    try {
      await run(request, answer)
    } finally {
      this.#underWay -= 1
      if (this.#underWay === 0) this.#onIdle()
    }
  }
  /** Whoever takes a seat on a node that is on its way down would lose it at once. */
  #requireStaying(): void {
    if (this.deps.isDraining()) throw shuttingDown()
  }
}

/** Other nodes answer, and after a restart this one does. */
export const shuttingDown = (): GatewayError =>
  new GatewayError('unavailable', 'The gateway is shutting down. Try again: another one answers.', { retryAfter: 1 })

export const voidCredential = (): GatewayError =>
  new GatewayError('unauthorized', 'This credential is no longer valid. Sign in again.')
