// Connectors at the socket's door: they register, get leased deliveries, and bring messages and receipts of their channel.
import type { Held } from '../../conversation/carriers'
import type { InboundMessage } from '../../conversation/conversations'
import type { Carrier } from '../../conversation/outbox'
import { connectorByAddress, opens, type Caller as Identity } from '../../identity/credentials'
import { GatewayError, notYours } from '../../model/errors'
import { parseEventId, type DeliveryId, type EventId, type ParticipantId, type Place } from '../../model/ids'
import { channelName, type Address } from '../../model/participant'
import type { Attachments, Settled } from './attachments'
import { type ConnectorSocket, Line } from './carry'
import { acknowledgementOf } from './codec'
import type { ChannelDeps } from './deps'
import { readOpening } from './opening'
import { Sequence } from './sequence'
import { broughtDigest, readContent, readSpeech, type Speech } from './speech'
import * as wire from './wire'

const MAX_PROVIDER_ID = 256

type ConnectorIdentity = Extract<Identity, { kind: 'connector' }>
export type RegisterRequest = ReturnType<typeof wire.registerConnectorRequest.schema.parse>
/** The connection of a connector. */
interface Caller {
  readonly socket: ConnectorSocket
  readonly address: string
  readonly identity: Identity
  dismiss(error: GatewayError): void
}
type CarrierPlace = Held['registration']['place']
interface Registration {
  readonly caller: Caller
  readonly held: Held
  readonly stop: () => Promise<void>
}

/** Accounts and instances that one socket may carry; each has a supply of deliveries of its own. */
const MAX_PLACES = 256

export class Connectors {
  readonly #registered = new Map<string, Registration>()

  readonly #sequence = new Sequence()

  constructor(private readonly deps: ChannelDeps & { readonly attachments: Attachments }) {}

  /** Idempotent; another socket with the same id, account and instance fences the older one, on whatever node that is. */
  async register(caller: Caller, request: RegisterRequest) {
    const { limiter, limitKeyOf } = this.deps
    const who = caller.identity.kind === 'connector' ? caller.identity.keyId : limitKeyOf(caller.address)
    await limiter.consume('register', who)
    const channel = request.channel ?? channelName(request.id ?? '')
    if (channel === '' || channel === 'web')
      throw new GatewayError('invalidRequest', 'Name the channel that you carry.', { details: ['channel'] })
    const { account, instance, acknowledges } = request
    const id = request.id ?? channel
    const identity = await this.#identify(caller, { channel, account, key: request.key })
    const key = [identity.tenant, channel, account, instance].join('\n')
    this.#requireRoom(key, caller)
    await this.#enter(key, caller, { tenant: identity.tenant, channel, account, instance, acknowledges })
    const warning =
      channelName(id) === channel ? {} : { warning: `id should be the channel's name: ${channel} was taken.` }
    return { identity, reply: { id: channel, channel, account, instance, ...warning } }
  }
  /** Takes the place on all nodes, and then on this one. */
  async #enter(key: string, caller: Caller, wish: CarrierPlace & Pick<Carrier, 'acknowledges'>): Promise<void> {
    const { acknowledges, ...place } = wish
    const held = await this.deps.carriers.register(place, () => caller.dismiss(fenced()))
    try {
      // Asked again: others of this socket may have come meanwhile.
      this.#requireRoom(key, caller)
      if ((await this.#takePlace(key, caller, held)) && caller.socket.connected)
        this.#registered.set(key, { caller, held, stop: this.#supply(caller, held, acknowledges) })
      else await held.leave()
    } catch (cause) {
      await held.leave()
      throw cause
    }
  }
  #requireRoom(key: string, caller: Caller): void {
    const own = [...this.#registered.values()].filter((registration) => registration.caller === caller)
    if (own.length >= MAX_PLACES && !this.#registered.has(key))
      throw new GatewayError('tooManyRequests', 'This socket carries too many accounts and instances. Use another one.')
  }
  /** Stops who holds the place. Others may come meanwhile: the last to ask keeps it, and nobody is forgotten in it. */
  async #takePlace(key: string, caller: Caller, { fence }: Held): Promise<boolean> {
    for (let former = this.#registered.get(key); former; former = this.#registered.get(key)) {
      const isLater = former.held.fence > fence
      if (!isLater) await this.#stop(key, former)
      if (former.caller !== caller) (isLater ? caller : former.caller).dismiss(fenced())
      if (isLater) return false
    }
    return true
  }
  gone(caller: Caller): void {
    for (const [key, registration] of this.#registered)
      if (registration.caller === caller) void this.#stop(key, registration).catch(this.deps.onFault)
  }

  /** What a customer said on the channel, or a provider's receipt, without a conversation id. */
  async receive(identity: ConnectorIdentity, request: wire.SendRequest): Promise<object> {
    const speech = readSpeech(request, true)
    if (speech.type === 'receipt') return this.report(identity, speech, request)
    if (speech.type !== 'say' || speech.body.type !== 'message')
      throw new GatewayError('invalidRequest', 'Name the conversation.', { details: ['conversationId'] })
    if (request.tag === 'whisper') throw new GatewayError('forbidden', 'Only staff can whisper.')
    const { conversations, entryPoint, now } = this.deps
    const { channel, account } = scopeOf(identity, request)
    const { refId, externalMessageId, messageId = null } = request
    if (refId === undefined || refId === '' || externalMessageId === undefined)
      throw new GatewayError('invalidRequest', 'Send refId and externalMessageId.', {
        details: ['refId', 'externalMessageId'],
      })
    const { extras, ...facts } = wire.readOpeningFacts(request.extras)
    const content = readContent({ ...request, extras })
    const opening = readOpening(
      { ...facts, refId, extras: {} },
      { channel, account, verified: true, at: now().toISOString() },
    )
    const inbound = {
      ...{ tenant: entryPoint.tenant, opening, externalMessageId, clientMessageId: messageId, content },
      digest: broughtDigest(refId, { type: 'message', content }),
    }
    const { attachments } = this.deps
    // What the customer said before comes first, though its files are being stored still.
    const sender = [channel, account, refId].join('\n')
    const prepare = attachments.concern(content.attachments) ? () => this.#settle(inbound) : null
    const { event } = await this.#sequence.say(sender, prepare, async (settled) => {
      if (!settled) return conversations.receive(inbound)
      let isUsed = false
      try {
        const stored = await conversations.receive({ ...inbound, content: settled.content })
        isUsed = !stored.repeated
        return stored
      } finally {
        if (!isUsed) await attachments.discard(settled.made).catch(this.deps.onFault)
      }
    })
    return acknowledgementOf(event, 'public')
  }
  /** Files belong to a conversation: the one that the message will find. */
  async #settle({ tenant, opening, content, externalMessageId, digest }: InboundMessage): Promise<Settled> {
    const { conversationId, customer } = await this.deps.conversations.open({
      ...{ tenant, opening, digest },
      requestId: `files ${externalMessageId}`,
      mayRepeat: () => true,
    })
    return this.deps.attachments.settle({ place: { tenant, conversationId }, from: customer }, content)
  }

  async report(identity: ConnectorIdentity, receipt: ReceiptSpeech, request: wire.SendRequest): Promise<object> {
    const { channel, account } = scopeOf(identity, request)
    const { providerId, deliveryId, eventId } = namesOf(receipt, request)
    await this.deps.conversations.report({
      tenant: this.deps.entryPoint.tenant,
      state: receipt.state,
      reason: receipt.reason,
      key: providerId === null ? null : { channel, account, providerId },
      deliveryId,
      carried: eventId === null ? null : await this.#carried(eventId),
      mayReport: ({ to }) => opens(identity, to.channel, to.account),
    })
    return {}
  }

  /** A message of ours names its conversation, and that knows where it was carried to. */
  async #carried(eventId: EventId) {
    const conversationId = parseEventId(eventId)?.conversationId
    const found = conversationId && (await this.deps.conversations.find(this.deps.entryPoint.tenant, conversationId))
    return found ? { eventId, to: found.opening.address } : null
  }

  /** The carried customer for whom this connector may speak, and the address they are reached at. */
  async customerOf(identity: ConnectorIdentity, place: Place): Promise<{ from: ParticipantId; address: Address }> {
    const found = await this.deps.conversations.find(place.tenant, place.conversationId)
    if (!found?.opening.carried) throw notYours()
    const { channel, account } = found.opening.address
    if (!opens(identity, channel, account)) throw notYours()
    return { from: found.opening.customer.participantId, address: found.opening.address }
  }
  async #identify(
    caller: Caller,
    wish: { channel: string; account: string; key: string | undefined },
  ): Promise<ConnectorIdentity> {
    const { credentials, isConnectorAddress, entryPoint } = this.deps
    const { channel, account, key } = wish
    const shown =
      caller.identity.kind === 'anonymous' ? await credentials.resolve({ key }, { query: false }) : caller.identity
    if (shown.kind === 'connector' && opens(shown, channel, account)) return shown
    if (shown.kind === 'anonymous' && isConnectorAddress(caller.address)) {
      const trusted = connectorByAddress(entryPoint.tenant, channel, account)
      if (trusted.kind === 'connector') return trusted
    }
    if (shown.kind === 'anonymous') throw new GatewayError('unauthorized', 'Show the key of this channel’s connector.')
    throw new GatewayError('forbidden', 'This credential does not carry this channel.')
  }

  /** From here on it gets what is due; the answer ends that. */
  #supply({ socket }: Caller, held: Held, acknowledges: Carrier['acknowledges']): () => Promise<void> {
    const { tenant, channel, account } = held.registration.place
    const line = new Line(socket, acknowledges, this.deps.answerMs, this.deps.fileDoor.forConnectors)
    const carrier = { tenant, channel, account, acknowledges, share: () => held.share() }
    const stop = this.deps.outbox.register({ ...carrier, carry: (delivery) => line.carry(delivery) })
    return async () => {
      const stopped = stop()
      line.close()
      await stopped
      await held.leave()
    }
  }
  async #stop(key: string, registration: Registration): Promise<void> {
    if (this.#registered.get(key) === registration) this.#registered.delete(key)
    await registration.stop()
  }
}

const fenced = () => new GatewayError('conflict', 'Another connector registered with the same id and instance.')

type ReceiptSpeech = Extract<Speech, { type: 'receipt' }>
/** What a provider's receipt is about: at least one of the three. */
function namesOf({ messageId }: ReceiptSpeech, { info = {}, providerMessageId, deliveryId }: wire.SendRequest) {
  const text = (value: unknown) => (typeof value === 'string' && value.length <= MAX_PROVIDER_ID ? value : null)
  const names = {
    providerId: text(info['providerMessageId']) ?? providerMessageId ?? null,
    deliveryId: (text(info['deliveryId']) ?? deliveryId ?? null) as DeliveryId | null,
    eventId: messageId !== null && parseEventId(messageId) ? (messageId as EventId) : null,
  }
  if (Object.values(names).some((name) => name !== null)) return names
  throw new GatewayError('invalidRequest', 'Name the message by messageId, deliveryId or providerMessageId.', {
    details: ['info'],
  })
}

/** A receipt or message is of the connector's own channel and account, whatever the body says. */
function scopeOf(identity: ConnectorIdentity, { channel, account }: wire.SendRequest) {
  const scope = {
    channel: channel ?? identity.channel,
    account: account === undefined || account === '' ? identity.account : account,
  }
  if (!opens(identity, scope.channel, scope.account))
    throw new GatewayError('forbidden', 'This credential does not carry this channel.')
  return scope
}
