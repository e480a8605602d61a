// One instance of Redis as a node sees it: a connection for commands, one for its inbox where that lives there, and a heartbeat.
import { Redis } from 'ioredis'
import type { BusHealth } from './bus'
import type { RedisAddress } from './redis-address'
import { readReply, reasonOf, RedisRefusal, type RedisCommand, type RedisReply } from './redis-commands'
import { connectorTo } from './redis-connector'

const CONNECT_MS = 2_000
/** A connection that owes an answer for so long is cut: whoever hangs is taken for dead, and all that waits is refused. */
const SILENCE_MS = 1_500
const DISCONNECT_MS = 200
const DRAIN_MS = 300
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000
/** How long the marker outlives a node that does not come back, in seconds. */
const MARKER_SECONDS = 900

interface Deps {
  readonly address: RedisAddress
  /** What it is hashed by. */
  readonly name: string
  /** How it is called in sentences, without an address. */
  readonly label: string
  /** A key of this node alone: once it is gone, so is everything else. */
  readonly marker: string
  /** The channel of this node's inbox; null when that lives on another instance. */
  readonly inbox: string | null
  /** The channel on which every node listens whose inbox is here. */
  readonly everybody: string
  readonly heartbeatMs: number
  /** It takes commands and knows nothing of this node yet: for the first time, again, or because it was emptied. */
  readonly onReady: () => void
  /** The inbox is subscribed, as Redis itself has confirmed. */
  readonly onSubscribed: () => void
  /** From here on the inbox hears nothing. */
  readonly onDeaf: () => void
  readonly onMessage: (message: Buffer) => void
  /** After every heartbeat that was answered. */
  readonly onBeat: () => void
  readonly onFault: (cause: unknown) => void
}

export class RedisLink {
  readonly name: string
  readonly everybody: string
  /** Bytes and hints that are on their way and not confirmed yet. */
  readonly load = { bytes: 0, hints: 0 }
  readonly #deps: Deps
  readonly #commands: Redis
  readonly #inbox: Redis | null
  readonly #timer: NodeJS.Timeout
  #isUp = false
  #isKnown = false
  #isSubscribed = false
  #isBeating = false
  #isListening = false
  #trouble: string | null = null
  /** What has been complained of since all was well. */
  readonly #faults = new Set<string>()

  constructor(deps: Deps) {
    this.#deps = deps
    this.name = deps.name
    this.everybody = deps.everybody
    this.#commands = this.#connect()
    this.#commands.on('ready', () => {
      this.#isKnown = false
      void this.#beat()
    })
    this.#commands.on('close', () => (this.#isUp = false))
    this.#inbox = deps.inbox === null ? null : this.#connect()
    this.#inbox?.on('ready', () => void this.#listen())
    this.#inbox?.on('close', () => this.#goDeaf())
    this.#inbox?.on('messageBuffer', (_channel: Buffer, message: Buffer) => deps.onMessage(message))
    this.#timer = setInterval(() => {
      void this.#beat()
      void this.#listen()
    }, deps.heartbeatMs)
  }

  /** Whether it answers, so that it makes sense to send anything. */
  get isUp(): boolean {
    return this.#isUp
  }
  /** Whether the inbox is subscribed; false too where it lives on another instance. */
  get isSubscribed(): boolean {
    return this.#isSubscribed
  }
  get health(): BusHealth {
    const { label } = this.#deps
    if (!this.#isUp) return degraded(`${label} does not answer.`)
    if (this.#inbox && !this.#isSubscribed) return degraded(`${label} does not let this node listen.`)
    if (this.#trouble !== null) return degraded(`${label} takes no writes (${this.#trouble}).`)
    return { status: 'ok' }
  }

  /** The answers in the order of the commands; null when the connection was lost, or there is none. */
  async send(commands: readonly RedisCommand[]): Promise<readonly RedisReply[] | null> {
    if (!this.#isUp) return null
    return this.#send(commands)
  }
  /** What `work` publishes leaves in one write: with many nodes, the writes would cost more than what is written. */
  together(work: () => void): void {
    if (!this.#isUp) {
      work()
      return
    }
    const { stream } = this.#commands
    stream.cork()
    work()
    stream.uncork()
  }
  /** How many heard it. Rejects when the connection was lost. */
  publish(channel: string, text: string): Promise<number> {
    return this.#commands.publish(channel, text)
  }

  /** Resolves when all that was sent is answered, or after a short time. */
  async drain(): Promise<void> {
    let late: NodeJS.Timeout | undefined
    const waited = new Promise((resolve) => (late = setTimeout(resolve, DRAIN_MS)))
    await Promise.race([this.send([['ping']]), waited])
    clearTimeout(late)
  }
  close(): void {
    clearInterval(this.#timer)
    this.#isUp = false
    this.#commands.disconnect()
    this.#inbox?.disconnect()
  }

  #connect(): Redis {
    const client = createClient(this.#deps.address)
    client.on('error', (cause: unknown) => this.#complain(reasonOf(cause)))
    return client
  }
  /** Once per outage and reason, for the client repeats itself at every attempt. */
  #complain(reason: string): void {
    if (this.#faults.has(reason)) return
    this.#faults.add(reason)
    this.#deps.onFault(new Error(`${this.#deps.label} cannot be used by the bus: ${reason}`))
  }

  /** Says that this node lives, and learns whether Redis still knows it, and whether it takes writes. */
  async #beat(): Promise<void> {
    if (this.#isBeating || this.#commands.status !== 'ready') return
    this.#isBeating = true
    const command: RedisCommand = ['set', this.#deps.marker, '1', 'EX', MARKER_SECONDS, 'GET']
    const answers = await this.#send([command])
    this.#isBeating = false
    if (!answers || this.#isGone()) return
    this.#isUp = true
    const [before] = answers
    if (before instanceof RedisRefusal) return
    this.#faults.clear()
    const isNews = !this.#isKnown || before === null
    this.#isKnown = true
    if (isNews) this.#deps.onReady()
    this.#deps.onBeat()
  }
  // Asked again after a wait.
  #isGone(): boolean {
    return this.#commands.status !== 'ready'
  }
  async #send(commands: readonly RedisCommand[]): Promise<readonly RedisReply[] | null> {
    const pipeline = this.#commands.pipeline(commands.map((command) => [...command]))
    const answers = await pipeline.exec().catch(() => null)
    if (!answers || this.#isGone()) return null
    const replies = answers.map(([error, value]) => readReply(error, value))
    this.#judge(commands, replies)
    return replies
  }
  /** Full, read-only, loading, not allowed: said by health until a write goes through again. */
  #judge(commands: readonly RedisCommand[], replies: readonly RedisReply[]): void {
    for (const [i, reply] of replies.entries())
      if (reply instanceof RedisRefusal) {
        this.#trouble = reply.reason
        this.#complain(reply.reason)
      } else if (commands[i]?.[0] === 'set') this.#trouble = null
  }

  /** Subscribes, and asks from time to time whether that connection still answers. */
  async #listen(): Promise<void> {
    const inbox = this.#inbox
    const { inbox: own, everybody } = this.#deps
    if (!inbox || own === null || this.#isListening || inbox.status !== 'ready') return
    this.#isListening = true
    try {
      if (this.#isSubscribed) await inbox.ping()
      else {
        await inbox.subscribe(own, everybody)
        this.#isSubscribed = true
        this.#deps.onSubscribed()
      }
    } catch (cause) {
      this.#complain(reasonOf(cause))
    } finally {
      this.#isListening = false
    }
  }
  #goDeaf(): void {
    if (!this.#isSubscribed) return
    this.#isSubscribed = false
    this.#deps.onDeaf()
  }
}

const degraded = (sentence: string): BusHealth => ({ status: 'degraded', sentence })

/** Nothing is queued while there is no connection, nothing is sent twice, and the oldest protocol is spoken. */
function createClient(address: RedisAddress): Redis {
  const { username, password, database, tls } = address
  return new Redis({
    Connector: connectorTo(address, DISCONNECT_MS),
    username,
    password,
    db: database,
    // The connector has what it takes; the client waits for a greeting in TLS because of it.
    ...(tls && { tls: {} }),
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: (times) => Math.min(FIRST_RETRY_MS * 2 ** (times - 1), LAST_RETRY_MS) * (0.5 + Math.random() / 2),
  })
}
