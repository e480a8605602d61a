// One conversation as its member sees it: joined again after every reconnect, nothing twice, nothing out of order.
import type {
  ActivityMessage,
  Attachment,
  ChatMessage,
  ConversationInfo,
  JoinReply,
  Person,
  Reply,
  SendReply,
  WireMessage,
} from '../dialects/customer-channel/wire'
import { ChannelError, closedError, isFailure } from './channel-error'
import type { Connection, ConnectionState, Route } from './connection'
import { ConversationView } from './conversation-view'
import type { Credential } from './credential'
import { Listeners } from './listeners'
import { newMessageId } from './message-id'
import { ownActivity, ownChatMessage } from './own-message'
import { pauseAfter } from './pause'
import { uploadFile } from './rest'
import { SendQueue } from './send-queue'

/** Milliseconds: so often is it worth telling that somebody still types. */
const TYPING_EVERY = 3000

export interface JoinOptions {
  readonly conversationId: string
  /** The customer's handle from init; staff need none. */
  readonly id?: string
  readonly name?: string
  /** Resume after this `seq`, which the reader has kept from an earlier visit. */
  readonly after?: number
  /** The customer's token, where the connection has none of its own. */
  readonly token?: string
  /** Supervisors only: be seen by staff alone. */
  readonly silent?: boolean
  /** How many messages the view keeps; by default all. */
  readonly keep?: number
}

export interface MessageToSend {
  readonly text?: string
  readonly attachments?: readonly Attachment[]
  /** Participant ids; nobody named: everybody. */
  readonly to?: readonly string[]
  /** Staff only: never sent to the customer. */
  readonly tag?: 'whisper'
  /** To repeat an earlier call that found no answer. Made when absent. */
  readonly messageId?: string
  readonly [own: string]: unknown
}

export interface ConversationEvents {
  /** News for the view, the reader's own messages included, once each. */
  message: [ChatMessage]
  /** Also what is not stored: greetings, typing, progress. */
  activity: [ActivityMessage]
  /** The picture after every join, before the messages that came with it. */
  info: [ConversationInfo]
  ended: []
  /** `connected`: the seat is taken. */
  state: [ConnectionState]
  /** The conversation was refused, and is closed. */
  error: [ChannelError]
}

interface Parts {
  /** The gateway with its base path. */
  readonly url: string | URL
  readonly connection: Connection
  readonly credential: Credential
  /** Does every join carry the token, because the connection does not? */
  readonly tokenWithJoin: boolean
  /** Milliseconds until an unanswered call is repeated. */
  readonly ackTimeout: number
  readonly giveUpAfter: number
  readonly queueLimit: number
}

export class Conversation {
  readonly id: string
  readonly view: ConversationView
  readonly #listeners = new Listeners<ConversationEvents>()
  readonly #queue: SendQueue
  #hasToldEnded = false
  #state: ConnectionState = 'connecting'
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #joins = 0
  #mayRenew = true
  #typedAt = -Infinity
  #closedBy: ChannelError | undefined

  constructor(
    private readonly parts: Parts,
    private readonly options: JoinOptions,
  ) {
    const { connection, ackTimeout, giveUpAfter, queueLimit } = parts
    this.id = options.conversationId
    this.view = new ConversationView(options)
    this.#queue = new SendQueue({
      emit: connection.call.bind(connection),
      limit: queueLimit,
      ackTimeout,
      giveUpAfter,
    })
    connection.route(this.id, this.#route())
    if (connection.state === 'connected') this.#join()
  }

  get state(): ConnectionState {
    return this.#state
  }
  readonly on = this.#listeners.on.bind(this.#listeners)

  /** Resolves when the seat is taken for the first time; rejects when it is refused. */
  ready(): Promise<void> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy)
    if (this.#state === 'connected') return Promise.resolve()
    return new Promise((resolve, reject) => {
      const off = this.on('state', (state) => {
        if (state !== 'connected' && state !== 'closed') return
        off()
        if (state === 'connected') resolve()
        else reject(this.#closedBy ?? closedError())
      })
    })
  }

  /**
   * Says something, once, in the order of the calls. Waits for the connection, repeats itself with the same
   * `messageId` until the gateway has answered, and gives up with the gateway's own error when that is final.
   * @throws ChannelError `queueFull` with too many waiting, `noAnswer` after five minutes, `closed`, or the gateway's
   */
  send(message: string | MessageToSend): Promise<SendReply> {
    const said = typeof message === 'string' ? { text: message } : message
    const request = { messageId: newMessageId(), ...said, type: 'ChatMessage', conversationId: this.id } as const
    this.#typedAt = -Infinity
    return this.#say(request, (reply) => this.#takeOwn(ownChatMessage(request, reply, this.#frame())))
  }

  /**
   * Sends a file into the conversation. What it answers goes into a message: `send({ attachments: [uploaded] })`.
   * @throws ChannelError when the gateway does not take it, or cannot be reached
   */
  upload(content: Blob, name = content instanceof File ? content.name : ''): Promise<Attachment> {
    const { url, credential } = this.parts
    const who = { conversationId: this.id, token: credential.token ?? this.options.id }
    return uploadFile(url, who, { content, name })
  }

  /** Told while connected, at most every three seconds, and forgotten otherwise. */
  typing(started: boolean): void {
    const wasTold = performance.now() - this.#typedAt < TYPING_EVERY
    if (this.#state !== 'connected' || wasTold === started) return
    this.#typedAt = started ? performance.now() : -Infinity
    const info = { state: started ? 'started' : 'stopped' }
    const request = { type: 'ActivityMessage', activityType: 'typing', info, conversationId: this.id }
    this.parts.connection.call('sendMessage', request, () => undefined)
  }

  /** Tells the others how far a message came; `id` is the server's id of the message. */
  async receipt(state: 'delivered' | 'read', id: string): Promise<void> {
    const info = { messageId: id }
    const request = { type: 'ActivityMessage', activityType: state, info, conversationId: this.id } as const
    await this.#say(request, (reply) => this.#takeOwn(ownActivity(request, reply, this.#frame())))
  }

  /** Ends it for all, after what was said before. Ending twice is a success. */
  async end(): Promise<void> {
    await this.#queue.say('endConversation', { conversationId: this.id })
  }

  /** Gives the seat up at once; a connection that is lost keeps it for a minute. */
  leave(): void {
    this.parts.connection.call('leaveConversation', { conversationId: this.id }, () => undefined)
    this.close()
  }

  /** Stops listening here, and leaves the seat to the server's grace. What still waits is given up. */
  close(): void {
    this.#close(closedError())
  }

  #route(): Route {
    return {
      connected: () => this.#join(),
      disconnected: () => {
        clearTimeout(this.#timer)
        this.#queue.halt()
        this.#become('reconnecting')
      },
      closed: (error) => this.#close(error),
      info: (info) => {
        this.view.takeInfo(info)
        this.#listeners.tell('info', info)
        for (const message of info.messages) this.#take(message)
        if (this.view.isReadToItsEnd) this.#tellEnded()
      },
      arrived: (message) => this.#take(message),
      expired: () => this.#expired(),
    }
  }

  /** The seat is taken again, with a token that is fresh since the last join or is renewed now; what waits is said then. */
  #expired(): void {
    this.#queue.halt()
    this.#become('reconnecting')
    this.#join()
  }

  #join(): void {
    clearTimeout(this.#timer)
    this.#joins += 1
    const attempt = this.#joins
    const { cursor } = this.view
    const { id, name, silent } = this.options
    const { connection, credential, ackTimeout, tokenWithJoin } = this.parts
    const request = {
      conversationId: this.id,
      id,
      name,
      silent,
      after: cursor > 0 ? cursor : undefined,
      // A customer's seat lasts as long as the token it is taken with: the one of the handshake is older.
      token: tokenWithJoin || id !== undefined ? credential.token : undefined,
    }
    this.#timer = setTimeout(() => this.#join(), ackTimeout)
    connection.call('joinConversation', request, (reply) => {
      if (attempt === this.#joins && this.#state !== 'closed') this.#joined(reply)
    })
  }

  #joined(reply: Reply<JoinReply>): void {
    clearTimeout(this.#timer)
    if (isFailure(reply)) {
      this.#refused(ChannelError.of(reply))
      return
    }
    this.#failures = 0
    this.#mayRenew = true
    if (reply.token !== undefined) this.parts.credential.take(reply.token)
    this.#become('connected')
    this.#queue.open()
  }

  #refused(error: ChannelError): void {
    if (error.retryable) {
      this.#failures += 1
      this.#timer = setTimeout(() => this.#join(), pauseAfter(this.#failures, error.retryAfter))
      return
    }
    const { credential, tokenWithJoin } = this.parts
    if (error.status !== 401 || !this.#mayRenew || credential.token === undefined) {
      this.#close(error)
      return
    }
    this.#mayRenew = false
    void credential.renew().then((renewed) => {
      // The handle alone may do, but not beside a token that was refused.
      if (!renewed && tokenWithJoin) credential.drop()
      if (!renewed && !tokenWithJoin) this.#close(error)
      else if (this.#state !== 'closed') this.#join()
    })
  }

  #say(request: object, heard: (reply: SendReply) => void): Promise<SendReply> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy)
    return this.#queue.say<SendReply>('sendMessage', request, heard)
  }

  #take(message: WireMessage): void {
    if (this.view.take(message)) this.#tell(message)
  }

  #takeOwn(message: WireMessage): void {
    const { seq } = message
    if (seq !== undefined && this.view.takeOwn({ ...message, seq })) this.#tell(message)
  }

  #tell(message: WireMessage): void {
    if (message.type === 'ChatMessage') this.#listeners.tell('message', message)
    else this.#listeners.tell('activity', message)
    if (message.type === 'ActivityMessage' && message.activityType === 'endOfConversation') this.#tellEnded()
  }

  #tellEnded(): void {
    if (this.#hasToldEnded) return
    this.#hasToldEnded = true
    this.#listeners.tell('ended')
  }

  /** The socket that joined with a handle sees that where its own id stands. */
  #frame() {
    const { id = '', name = '' } = this.options
    const { role, participants: people, conversation } = this.view
    const me: Person = { id, name, type: role === 'customer' ? 'Customer' : 'Agent' }
    return { me: people.find((person) => person.id === id) ?? me, people, channel: conversation?.channel ?? '' }
  }

  #become(state: ConnectionState): void {
    if (this.#state === state) return
    this.#state = state
    this.#listeners.tell('state', state)
  }

  #close(error: ChannelError): void {
    if (this.#state === 'closed') return
    clearTimeout(this.#timer)
    this.#closedBy = error
    this.parts.connection.unroute(this.id)
    if (this.parts.tokenWithJoin) this.parts.credential.close()
    this.#become('closed')
    this.#queue.close(error)
    if (error.code !== 'closed') this.#listeners.tell('error', error)
  }
}
