// The client of the Customer Channel API for browsers and Node: one connection, any number of conversations.
import type { WireConversation } from '../dialects/customer-channel/wire'
import type { ChannelError } from './channel-error'
import { Connection, type ConnectionState } from './connection'
import { Conversation, type JoinOptions } from './conversation'
import { Credential } from './credential'
import { Listeners } from './listeners'
import { renewToken } from './rest'

export interface ConnectOptions {
  /** The gateway with its base path, such as `https://host/chat`. */
  readonly url: string | URL
  /** Of staff, from `login`; or of a customer with one conversation. Several conversations: give each `join` its own. */
  readonly token?: string
  /** Asked for a token when there is none, before it expires, and when it was refused; told the refused one. */
  readonly getToken?: (refused: string | undefined) => Promise<string>
  /** Socket.IO's path; by default `socket.io` under the base path. */
  readonly path?: string
  /** Milliseconds until an unanswered call is repeated; 10 s by default. */
  readonly ackTimeout?: number
  /** Milliseconds after which a message that found no answer is given up; 5 min by default. */
  readonly giveUpAfter?: number
  /** How many messages may wait per conversation; 1 000 by default, one more is refused with `queueFull`. */
  readonly queueLimit?: number
}

export interface ClientEvents {
  state: [ConnectionState]
  /** A failure that no call waited for, or why the connection is closed for good. */
  error: [ChannelError]
  /** Staff: there is a new conversation. */
  initConversation: [WireConversation]
}

/** Connects, and comes back by itself until `close`, or until the gateway refuses it for good. */
export function connect(options: ConnectOptions): ChannelClient {
  return new ChannelClient(options)
}

export class ChannelClient {
  readonly #listeners = new Listeners<ClientEvents>()
  readonly #credential: Credential
  readonly #connection: Connection
  readonly #conversations = new Map<string, Conversation>()

  constructor(private readonly options: ConnectOptions) {
    this.#credential = new Credential({ token: options.token, renewal: options.getToken })
    this.#connection = new Connection({ url: options.url, path: options.path, credential: this.#credential })
    this.#connection.on('state', (state) => this.#listeners.tell('state', state))
    this.#connection.on('error', (error) => this.#listeners.tell('error', error))
    this.#connection.on('initConversation', ({ conversation }) =>
      this.#listeners.tell('initConversation', conversation),
    )
  }

  get state(): ConnectionState {
    return this.#connection.state
  }
  readonly on = this.#listeners.on.bind(this.#listeners)

  /**
   * Takes a seat, and takes it again after every reconnect. Returns at once, so that listeners hear everything;
   * `ready()` tells when the seat is taken. Joining what is joined answers the same conversation.
   */
  join(options: JoinOptions): Conversation {
    const joined = this.#conversations.get(options.conversationId)
    if (joined !== undefined) return joined
    const { url, ackTimeout = 10_000, giveUpAfter = 300_000, queueLimit = 1000 } = this.options
    const parts = {
      url,
      connection: this.#connection,
      ackTimeout,
      giveUpAfter,
      queueLimit,
      ...this.#credentialOf(options),
    }
    const conversation = new Conversation(parts, options)
    this.#conversations.set(options.conversationId, conversation)
    conversation.on('state', (state) => {
      if (state === 'closed') this.#conversations.delete(options.conversationId)
    })
    return conversation
  }

  close(): void {
    this.#connection.close()
  }

  /** A token that came with the connection is renewed for it; every other customer's goes with its join. */
  #credentialOf({ conversationId, id, token }: JoinOptions): { credential: Credential; tokenWithJoin: boolean } {
    const tokenWithJoin = token !== undefined || this.#credential.token === undefined
    const credential = tokenWithJoin ? new Credential({ token }) : this.#credential
    if (id !== undefined)
      credential.renewBy(async (old) => {
        const who = { conversationId, id, ...(old === undefined ? {} : { token: old }) }
        return (await renewToken(this.options.url, who)).token
      })
    return { credential, tokenWithJoin }
  }
}
