// What one socket said in a conversation: acknowledged in its place of the stream, or refused for now and waited for.
import { GatewayError } from '../../model/errors'
import type { Utterance } from '../../model/events'
import { FewByKey } from '../../model/few'

/** So long what was said behind a refused message is refused, too, in milliseconds: until the refusal has been read. */
const REFUSAL_MS = 500

type Acknowledge = (event: Utterance) => void
interface Expected {
  readonly acknowledge: Acknowledge
  /** Stored, and not heard here yet. */
  stored: Utterance | null
}
/** A message that was refused for now. */
interface Refused {
  readonly key: string
  /** By the monotonic clock, in milliseconds. */
  readonly until: number
}

export class Said {
  /** What has not been acknowledged, by key and digest. */
  readonly #expected = new FewByKey<string, Expected>()
  #refused: Refused | null = null

  /**
   * False for what was said behind a refused message, by who cannot have known: they may have lost the connection, say
   * all of it again, and would find it in another order. What was refused may come again at any time.
   */
  isInTurn(key: string): boolean {
    return this.#refused === null || this.#refused.key === key || performance.now() >= this.#refused.until
  }
  /** Before something is said: its acknowledgement will be given in its place. False when it is being said already. */
  expect(key: string, acknowledge: Acknowledge): boolean {
    if (this.#refused?.key === key) this.#refused = null
    if (this.#expected.get(key)) return false
    this.#expected.set(key, { acknowledge, stored: null })
    return true
  }
  expects(key: string): boolean {
    return this.#expected.get(key) !== undefined
  }
  /** What is expected is stored. */
  stored(key: string, event: Utterance): void {
    const expected = this.#expected.get(key)
    if (expected) expected.stored = event
  }
  forget(key: string): void {
    this.#expected.delete(key)
  }
  /** What was expected is not stored. Refused for now, it may come again under its key. */
  failed(saying: Pick<Utterance, 'clientMessageId' | 'digest'>, cause: unknown): void {
    const key = sayingKey(saying)
    this.forget(key)
    const isForNow = cause instanceof GatewayError && cause.code === 'unavailable'
    // Of several the first one holds back the others.
    if (isForNow && saying.clientMessageId !== null && this.isInTurn(key))
      this.#refused = { key, until: performance.now() + REFUSAL_MS }
  }

  /** This is its place. False when it is not expected here. */
  acknowledge(event: Utterance): boolean {
    if (this.#expected.size === 0) return false
    const key = sayingKey(event)
    const expected = this.#expected.get(key)
    if (!expected) return false
    this.#expected.delete(key)
    expected.acknowledge(event)
    return true
  }
  /** Nothing will be heard here any more: what is stored is acknowledged all the same. */
  acknowledgeStored(): void {
    for (const key of this.#expected.keys()) {
      const stored = this.#expected.get(key)?.stored
      if (stored) this.acknowledge(stored)
    }
  }
}

/** Tells one saying from another: without a key of the sender's, the digest is random. */
export const sayingKey = ({ clientMessageId, digest }: Pick<Utterance, 'clientMessageId' | 'digest'>): string =>
  `${clientMessageId ?? ''}\n${digest}`
