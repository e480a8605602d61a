// The whole contract of a channel. Implement `Connector` and the gateway speaks your channel.

export interface Attachment {
  readonly type: string
  readonly name: string
  /** Of a file that the gateway keeps: it opens it for a day. */
  readonly contentUrl: string
  readonly thumbnailUrl?: string
}

/** One message for one customer. */
export interface Outgoing {
  /** Stable: the same message comes again with the same id when its answer was lost. */
  readonly deliveryId: string
  /** The customer's account on the channel, such as a phone number. */
  readonly to: string
  /** Ours of several numbers or pages; empty where there is only one. */
  readonly account: string
  readonly text: string
  readonly attachments: readonly Attachment[]
}

/** What the provider calls the message: one id, or one for each segment, in order. */
export interface Accepted {
  readonly providerMessageIds: readonly string[]
}

/** What a customer said on the channel. */
export interface Incoming {
  readonly from: string
  readonly account: string
  readonly text: string
  readonly attachments?: readonly Attachment[]
  /** The provider's id, or a digest that stands for it: a repeat is taken once. At most 256 characters. */
  readonly externalMessageId: string
}

/** Something that a customer sent on the channel, with its bytes. */
export interface IncomingFile {
  readonly from: string
  readonly account: string
  readonly name: string
  readonly content: Uint8Array<ArrayBuffer>
}

/** How far the provider brought a message. */
export interface ProviderReceipt {
  readonly providerMessageId: string
  readonly account: string
  readonly state: 'accepted' | 'sent' | 'delivered' | 'read' | 'failed'
  /** The provider's status and code, never a message's text. At most 256 characters. */
  readonly reason?: string
}

/** The gateway, as a connector sees it. All calls resolve when it is durable there; until then, do not answer the provider. */
export interface Gateway {
  receive(message: Incoming): Promise<void>
  /**
   * Keeps a file of a customer, and answers the attachment to `receive` with what they said. Once: call it again when it
   * fails. Throws what the gateway does not take, such as a kind that is not allowed.
   */
  upload(file: IncomingFile): Promise<Attachment>
  report(receipt: ProviderReceipt): Promise<void>
}

/** Why a message could not be handed over, and whether it is worth another try. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  constructor(
    /** A short word or the provider's code, for the dead letter. Never a message's text. */
    readonly reason: string,
    readonly options: {
      /** False: the same message will never be taken. */
      readonly retryable: boolean
      /** Seconds before the next try. */
      readonly retryAfter?: number
      readonly cause?: unknown
    },
  ) {
    super(reason, { cause: options.cause })
  }
}

export interface Connector {
  /** The channel's name, in lower case; also the connector's id. */
  readonly channel: string
  /** The friendly name that is shown. */
  readonly name: string
  /** Ours of several numbers or pages that this connector serves; absent: all. */
  readonly account?: string
  /** Connects to the provider and begins to bring messages and receipts. Resolves when messages can be delivered. */
  start(gateway: Gateway): Promise<void>
  /** Hands one message over. Resolves with the provider's ids; throws `DeliveryError` to say what to do. */
  deliver(message: Outgoing): Promise<Accepted>
  /** Takes leave of the provider; nothing is delivered or brought after it. */
  close(): Promise<void>
}
