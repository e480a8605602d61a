// A carrier in the hands of a test: what it was given, and how it answers.
import type { Answer, Carrier } from '../../src/conversation/outbox'
import type { DeliveryId } from '../../src/model/ids'
import type { Delivery } from '../../src/store/records'
import { tenant } from './log-fixtures'

export const OK: Answer = { type: 'accepted', providerIds: [] }
export const refused = (more: Partial<Extract<Answer, { type: 'refused' }>> = {}): Answer => ({
  type: 'refused',
  reason: 'busy',
  retryable: true,
  retryAfter: null,
  ...more,
})

export class Hand {
  readonly given: Delivery[] = []
  readonly #answers = new Map<DeliveryId, (answer: Answer) => void>()
  answer: ((delivery: Delivery) => Answer) | null = () => OK

  carrier(more: Partial<Carrier> = {}): Carrier {
    return {
      tenant,
      channel: 'sms',
      account: '',
      acknowledges: true,
      carry: (delivery) => {
        this.given.push(delivery)
        if (this.answer) return Promise.resolve(this.answer(delivery))
        return new Promise((resolve) => this.#answers.set(delivery.id, resolve))
      },
      ...more,
    }
  }
  get ids(): DeliveryId[] {
    return this.given.map(({ id }) => id)
  }
  say(id: DeliveryId, answer: Answer): void {
    this.#answers.get(id)?.(answer)
  }
}
