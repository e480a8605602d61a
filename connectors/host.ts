// Runs one connector against a gateway, through the door that every stranger uses.
import type { ChatMessage, DeliveryReply, Reply, WireMessage } from '../src/dialects/customer-channel/wire'
import { ChannelError, closedError, isFailure } from '../src/client/channel-error'
import { Connection, type Calls } from '../src/client/connection'
import { Credential } from '../src/client/credential'
import { pauseAfter } from '../src/client/pause'
import { init, uploadFile } from '../src/client/rest'
import { SendQueue } from '../src/client/send-queue'
import {
  type Attachment,
  type Connector,
  DeliveryError,
  type Gateway,
  type Incoming,
  type IncomingFile,
  type ProviderReceipt,
} from './connector'

/** So many delivered ids are remembered with their outcome, for a delivery that comes again. */
const REMEMBERED = 10_000
/** So many messages and receipts of the provider wait for the gateway at most. */
const MAX_WAITING = 10_000
/** Milliseconds until an unanswered call is repeated. */
const ACK_TIMEOUT = 10_000
/** Milliseconds for the deliveries on their way, and again for the connector's own leave. */
const LEAVING = 10_000

/** A pino logger fits. */
export interface HostLog {
  debug?(fields: object, sentence: string): void
  info(fields: object, sentence: string): void
  warn(fields: object, sentence: string): void
}

export interface HostOptions {
  /** The gateway with its base path, such as `https://host/chat`. */
  readonly url: string
  /** The connector's API key. None: the gateway knows this machine's address. */
  readonly key?: string | null
  readonly connector: Connector
  /** Several processes of one connector share the work when each has a name of its own here. */
  readonly instance?: string
  readonly log?: HostLog
  /** Called once, after all is closed: the gateway sent it away for good, because a newer one came or the key is void. */
  readonly onFenced?: (error: ChannelError) => void
  /** Gives up starting, or closes what was started. */
  readonly signal?: AbortSignal
}

export interface Host {
  /** Takes no more deliveries, waits up to 10 s for those on their way, closes the connector, and disconnects. */
  close(): Promise<void>
}

/**
 * Starts the connector and registers it, again after every reconnect. Resolves when it is registered for the first
 * time, however long the gateway or the provider take to come up.
 * @throws ChannelError when the gateway refuses it for good, or the signal gives it up; or what `start` throws
 */
export async function hostConnector(options: HostOptions): Promise<Host> {
  const host = new ConnectorHost(options)
  options.signal?.addEventListener('abort', () => void host.close(), { once: true })
  try {
    if (options.signal?.aborted) throw closedError()
    await host.start()
    return host
  } catch (cause) {
    await host.close()
    throw cause
  }
}

class ConnectorHost implements Host {
  readonly #connection: Connection
  readonly #queues = new Map<string, SendQueue>()
  readonly #underway = new Map<string, Promise<DeliveryReply>>()
  readonly #delivered = new Map<string, DeliveryReply>()
  readonly #ready = deferred()
  #waiting = 0
  #isStarted = false
  #isRegistered = false
  /** It was registered once: who sends it away after that cannot be told by a rejection. */
  #isHosting = false
  #failures = 0
  #attempts = 0
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(private readonly options: HostOptions) {
    const { url, key } = options
    this.#connection = new Connection({ url, credential: new Credential({ token: key ?? undefined }) })
    this.#connection.on('error', ({ code, message }) => options.log?.warn({ code }, message))
    this.#connection.route('', {
      connected: () => this.#register(),
      disconnected: () => this.#halt(),
      closed: (error) => this.#closed(error),
      arrived: (message, answer) => {
        if (answer !== undefined) this.#arrived(message, answer)
      },
    })
  }

  async start(): Promise<void> {
    const gateway: Gateway = {
      receive: (message) => this.#receive(message),
      upload: (file) => this.#upload(file),
      report: (receipt) => this.#report(receipt),
    }
    await Promise.race([this.options.connector.start(gateway), this.#ready.promise])
    this.#isStarted = true
    this.#register()
    await this.#ready.promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await within(LEAVING, Promise.all(this.#underway.values()))
    await within(LEAVING, this.options.connector.close())
    this.#connection.close()
  }

  // ------------------------------------------------------------------------------------------------------ registration

  #register(): void {
    clearTimeout(this.#timer)
    if (!this.#isStarted || this.#connection.state !== 'connected') return
    this.#attempts += 1
    const attempt = this.#attempts
    const { connector, instance = '' } = this.options
    const { channel, name, account } = connector
    this.#timer = setTimeout(() => this.#register(), ACK_TIMEOUT)
    const request = { id: channel, name, channel, account, instance, acknowledges: true }
    this.#connection.call('registerConnector', request, (reply) => {
      if (attempt === this.#attempts) this.#registered(reply)
    })
  }

  #registered(reply: Reply<Calls['registerConnector']>): void {
    clearTimeout(this.#timer)
    const { log, connector } = this.options
    if (!isFailure(reply)) {
      if (reply.warning !== undefined) log?.warn({}, reply.warning)
      log?.info({ channel: connector.channel, account: connector.account }, 'Registered with the gateway')
      this.#failures = 0
      this.#isRegistered = true
      this.#isHosting = true
      this.#ready.resolve()
      for (const queue of this.#queues.values()) queue.open()
    } else if (reply.error.retryable) {
      this.#failures += 1
      this.#timer = setTimeout(() => this.#register(), pauseAfter(this.#failures, reply.error.retryAfter))
    } else this.#connection.close(ChannelError.of(reply))
  }

  #halt(): void {
    clearTimeout(this.#timer)
    this.#isRegistered = false
    for (const queue of this.#queues.values()) queue.halt()
  }

  /** By us, or by the gateway for good: then the connector has nothing left to do. */
  #closed(error: ChannelError): void {
    this.#halt()
    const wasSentAway = this.#closing === undefined
    this.#closing ??= this.#close()
    this.#ready.reject(error)
    for (const queue of [...this.#queues.values()]) queue.close(error)
    if (wasSentAway && this.#isHosting) void this.#closing.then(() => this.options.onFenced?.(error))
  }

  // ---------------------------------------------------------------------------------------------------------- outbound

  #arrived(message: WireMessage, answer: (reply: DeliveryReply) => void): void {
    if (message.type !== 'ChatMessage' || message.deliveryId === undefined) return
    const { deliveryId } = message
    const delivered = this.#delivered.get(deliveryId)
    if (delivered !== undefined) answer(delivered)
    else if (this.#closing !== undefined) answer({ code: 503, retryable: true, reason: 'closing' })
    else void (this.#underway.get(deliveryId) ?? this.#begin(deliveryId, message)).then(answer)
  }

  #begin(deliveryId: string, message: ChatMessage): Promise<DeliveryReply> {
    this.options.log?.debug?.({ deliveryId }, 'Delivering')
    const delivery = this.#deliver(deliveryId, message).finally(() => this.#underway.delete(deliveryId))
    this.#underway.set(deliveryId, delivery)
    return delivery
  }

  async #deliver(deliveryId: string, message: ChatMessage): Promise<DeliveryReply> {
    const { text, refId: to, account = '' } = message
    const attachments = message.attachments.map(({ thumbnailUrl, ...attachment }) =>
      thumbnailUrl === undefined ? attachment : { ...attachment, thumbnailUrl },
    )
    try {
      const accepted = await this.options.connector.deliver({ deliveryId, to, account, text, attachments })
      const reply: DeliveryReply = { code: 200, providerMessageIds: [...accepted.providerMessageIds] }
      this.#delivered.set(deliveryId, reply)
      for (const oldest of this.#delivered.keys())
        if (this.#delivered.size > REMEMBERED) this.#delivered.delete(oldest)
        else break
      return reply
    } catch (cause) {
      const reply = refusal(cause)
      this.options.log?.warn({ deliveryId, reason: reply.reason, retryable: reply.retryable }, 'Not delivered')
      return reply
    }
  }

  // ----------------------------------------------------------------------------------------------------------- inbound

  #receive({ from, account, text, attachments = [], externalMessageId }: Incoming): Promise<void> {
    const { channel } = this.options.connector
    const what = { type: 'ChatMessage', text, attachments, externalMessageId }
    return this.#say(`from ${account} ${from}`, { ...what, channel, account, refId: from })
  }

  /** Files belong to a conversation: the live one of this customer, or the one that begins with what they send. */
  async #upload({ from, account, name, content }: IncomingFile): Promise<Attachment> {
    const { url, key, connector } = this.options
    const customer = { channel: connector.channel, account, refId: from, ...(key ? { key } : {}) }
    const { conversationId } = await init(url, customer)
    const who = { conversationId, token: key ?? undefined }
    const { type, contentUrl, thumbnailUrl } = await uploadFile(url, who, { content: new Blob([content]), name })
    return { type, name, contentUrl, ...(thumbnailUrl === undefined ? {} : { thumbnailUrl }) }
  }

  #report({ providerMessageId, account, state, reason }: ProviderReceipt): Promise<void> {
    const { channel } = this.options.connector
    const what = { type: 'ActivityMessage', activityType: state, info: { providerMessageId, reason } }
    return this.#say(`about ${account} ${providerMessageId}`, { ...what, channel, account, providerMessageId })
  }

  /** In order per customer, and never one customer in the way of another. */
  async #say(lane: string, request: object): Promise<void> {
    if (this.#connection.state === 'closed') throw closedError()
    if (this.#waiting >= MAX_WAITING) {
      const sentence = `${MAX_WAITING} messages wait for the gateway already. Bring this one again later.`
      throw new ChannelError('queueFull', sentence, { retryable: true })
    }
    this.#waiting += 1
    try {
      await this.#queueOf(lane).say('sendMessage', request)
    } finally {
      this.#waiting -= 1
    }
  }

  #queueOf(lane: string): SendQueue {
    const known = this.#queues.get(lane)
    if (known !== undefined) return known
    const queue = new SendQueue({
      emit: this.#connection.call.bind(this.#connection),
      limit: MAX_WAITING,
      ackTimeout: ACK_TIMEOUT,
      giveUpAfter: Infinity, // until the host is closed: the provider waits for the answer
      onEmpty: () => this.#queues.delete(lane),
    })
    this.#queues.set(lane, queue)
    if (this.#isRegistered) queue.open()
    return queue
  }
}

function refusal(cause: unknown): DeliveryReply {
  if (!(cause instanceof DeliveryError)) return { code: 503, retryable: true, reason: 'error' }
  const { retryable, retryAfter } = cause.options
  const reply = { code: retryable ? 503 : 422, retryable, reason: cause.reason.slice(0, 256) }
  return retryAfter === undefined ? reply : { ...reply, retryAfter }
}

/** Ends when the work ends, well or not, or when its time is over. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const end = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)))
  await Promise.race([work.catch(() => undefined), end])
  clearTimeout(timer)
}

function deferred() {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((fulfil, refuse) => ((resolve = fulfil), (reject = refuse)))
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}
