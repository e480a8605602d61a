// One socket: who it is, and what it asks for. It may sit in many conversations: an agent does, a customer sits in one.
import type { Caller as Identity } from '../../identity/credentials'
import { GatewayError } from '../../model/errors'
import type { Attachments } from './attachments'
import type { Connectors, RegisterRequest } from './connectors'
import { answerDirectly } from './frame'
import { failureOf, handle, type Answer, type Border, type Handler } from './handle'
import { hearDirectly, type Hearer } from './inlet'
import { Seating, type ChannelSocket, type SeatingDeps, type Sitter } from './seating'
import { Speaking } from './speaking'
import * as wire from './wire'

/** Requests of one socket that may be under way at once. */
const MAX_UNDER_WAY = 1_024

export interface CallerDeps extends SeatingDeps {
  readonly connectors: Connectors
  readonly attachments: Attachments
}

export class Caller implements Sitter, Border, Hearer {
  readonly #seating: Seating
  readonly #speaking: Speaking
  #underWay = 0
  #isRetired = false
  #onIdle: (() => void) | null = null
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
    const { socket } = this
    answerDirectly(socket)
    // Names from the wire are no names of the typed events.
    socket.onAny((event: string, ...args: unknown[]) => void this.hear(event, args))
    hearDirectly(this)
  }
  /** Answers whether there is such a request. */
  hear(event: string, args: unknown[]): boolean {
    const handler = HANDLERS.get(event)
    if (handler && !this.#isRetired) handler(this, args)
    return handler !== undefined
  }
  /** Its socket has disconnected. */
  gone(): void {
    this.#seating.dropAll()
    this.deps.connectors.gone(this)
  }

  /** What it has at hand of a conversation that was erased. */
  forget(conversationId: string): void {
    this.#seating.onErased(conversationId)
  }

  async join(request: wire.JoinRequest, answer: Answer): Promise<void> {
    this.#requireStaying()
    await this.#seating.join(request, answer)
  }
  send(request: wire.SendRequest, answer: Answer): Promise<void> {
    return this.#speaking.send(request, answer)
  }
  end(conversationId: string, answer: Answer): Promise<void> {
    return this.#speaking.end(conversationId, answer)
  }
  leave(conversationId: string, answer: Answer): Promise<void> {
    return this.#speaking.leave(conversationId, answer)
  }
  async register(request: RegisterRequest, answer: Answer): Promise<void> {
    this.#requireStaying()
    const { reply, identity } = await this.deps.connectors.register(this, request)
    this.#identity = identity
    answer(reply)
  }

  /**
   * Hears no more requests; resolves when those under way are answered. Unheard ones have no answer, and are repeated on
   * the next connection.
   */
  retire(): Promise<void> {
    this.#isRetired = true
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

  complain(failure: wire.Failure): void {
    this.socket.emit('error', failure)
  }
  fault(cause: unknown): void {
    this.deps.onFault(cause)
  }
  /** Asked before staff are told anything, too: who only listens would otherwise outlive the credential. */
  mayHear(at = this.deps.now().getTime()): boolean {
    if (this.deps.credentials.stillValid(this.#identity, at)) return true
    queueMicrotask(() => this.dismiss(voidCredential()))
    return false
  }
  /** Asked on every event: a credential may have been revoked or run out since the handshake. */
  admit(): void {
    const at = this.deps.now().getTime()
    this.#outliveToken(at)
    if (!this.mayHear(at)) throw voidCredential()
    if (this.#underWay >= MAX_UNDER_WAY)
      throw new GatewayError('tooManyRequests', 'Too many requests are under way. Wait for answers.', { retryAfter: 1 })
    this.#underWay += 1
  }
  settled(): void {
    this.#underWay -= 1
    if (this.#underWay === 0) this.#onIdle?.()
  }
  /** Where a seat ends with its own token, one that ran out in the handshake ends nothing else: a join shows another. */
  #outliveToken(at: number): void {
    const { credentials, entryPoint } = this.deps
    const isCustomer = this.#identity.kind === 'customer' && entryPoint.customerAuth === 'token'
    if (isCustomer && !credentials.stillValid(this.#identity, at)) this.#identity = { kind: 'anonymous' }
  }
  /** Whoever takes a seat on a node that is on its way down would lose it at once. */
  #requireStaying(): void {
    if (this.deps.isDraining()) throw shuttingDown()
  }
}

/** Other nodes answer, and after a restart this one does. */
export const shuttingDown = (): GatewayError =>
  new GatewayError('unavailable', 'The gateway is shutting down. Try again: another one answers.', { retryAfter: 1 })

const join = handle(wire.joinRequest.schema, (caller: Caller, request, answer) => caller.join(request, answer))
const { schema: ofConversation, documented } = wire.conversationRequest
const notYet = handle(documented.partial().loose(), () => {
  throw new GatewayError('notImplemented', 'This gateway has no routing. Agents join conversations themselves.')
})
const HANDLERS: ReadonlyMap<string, Handler<Caller>> = new Map([
  ['joinConversation', join],
  ['joinConveration', join], // the public document's own typo
  ['sendMessage', handle(wire.sendRequest.schema, (caller: Caller, request, answer) => caller.send(request, answer))],
  [
    'endConversation',
    handle(ofConversation, (caller: Caller, { conversationId }, answer) => caller.end(conversationId, answer)),
  ],
  [
    'leaveConversation',
    handle(ofConversation, (caller: Caller, { conversationId }, answer) => caller.leave(conversationId, answer)),
  ],
  [
    'registerConnector',
    handle(wire.registerConnectorRequest.schema, (caller: Caller, request, answer) => caller.register(request, answer)),
  ],
  ['registerBot', notYet],
  ['requestAgentTransfer', notYet],
])

export const voidCredential = (): GatewayError =>
  new GatewayError('unauthorized', 'This credential is no longer valid. Sign in again.')
