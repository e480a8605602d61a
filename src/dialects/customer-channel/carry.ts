// The way of deliveries to one registered connector: written to its socket, and answered or not.
import type { Socket } from 'socket.io'
import type { Answer } from '../../conversation/outbox'
import type { DeliveryBody } from '../../conversation/rules'
import type { Delivery } from '../../store/records'
import { encodeDelivery, type ShowFile } from './codec'
import { parse } from './tolerant'
import * as wire from './wire'

export type ConnectorSocket = Socket<wire.ClientToServerEvents, wire.ServerToClientEvents>

export class Line {
  /** Ends the wait of each delivery that is on its way. */
  readonly #waiting = new Set<() => void>()

  constructor(
    private readonly socket: ConnectorSocket,
    private readonly acknowledges: boolean,
    /** How long it may take to answer a delivery. */
    private readonly answerMs: number,
    private readonly show: ShowFile,
  ) {}

  carry(delivery: Delivery): Promise<Answer> {
    const { socket } = this
    const message = encodeDelivery(delivery, JSON.parse(delivery.body) as DeliveryBody, this.show)
    if (!socket.connected) return Promise.resolve({ type: 'gone' })
    if (!this.acknowledges) {
      socket.emit('messageArrived', message)
      return Promise.resolve({ type: 'accepted', providerIds: [] })
    }
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        clearTimeout(timer)
        this.#waiting.delete(gone)
        resolve(answer)
      }
      const gone = () => settle({ type: 'gone' })
      const timer = setTimeout(
        () => settle({ type: 'refused', reason: 'silence', retryable: true, retryAfter: null }),
        this.answerMs,
      )
      this.#waiting.add(gone)
      socket.emit('messageArrived', message, (reply: unknown) => settle(readAnswer(reply)))
    })
  }

  /** The connector is gone, or registered again: what is on its way counts as unanswered. */
  close(): void {
    for (const gone of [...this.#waiting]) gone()
  }
}

function readAnswer(raw: unknown): Answer {
  try {
    const {
      code,
      providerMessageId,
      providerMessageIds = [],
      retryable,
      retryAfter,
      reason,
    } = parse(wire.deliveryReply.schema, raw)
    if (code < 300) {
      const providerIds = [...(providerMessageId === undefined ? [] : [providerMessageId]), ...providerMessageIds]
      return { type: 'accepted', providerIds }
    }
    return {
      type: 'refused',
      reason: reason ?? String(code),
      retryable: retryable ?? (code >= 500 || code === 429),
      retryAfter: retryAfter ?? null,
    }
  } catch {
    return { type: 'refused', reason: 'unreadable answer', retryable: true, retryAfter: null }
  }
}
