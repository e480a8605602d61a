// Outbound notifications: what third parties send to addresses, without a conversation.
import { GatewayError, notYours } from '../model/errors'
import type { Tenant } from '../model/ids'
import { newDeliveryId, newId } from '../model/new-id'
import type { Content } from '../model/content'
import type { Address } from '../model/participant'
import type { ConversationStore, Decision, Needs, View } from '../store/conversation-store'
import type { NotificationStore } from '../store/notification-store'
import type { Notification } from '../store/records'
import type { DeliveryBody } from './rules'
import { suppressedAs } from './suppression'

/** How long an idempotency key repeats its answer. */
const REPEAT_MS = 24 * 3_600_000

export interface NotificationRequest {
  readonly tenant: Tenant
  readonly sender: {
    readonly keyId: string
    /** Notifications a day (UTC); null: no limit of its own. */
    readonly dailyQuota: number | null
    /** E.164 prefixes it may send to; empty: any. */
    readonly prefixes: readonly string[]
  }
  readonly to: Address
  readonly content: Content
  /** Short hash of what is sent: a repeated key must send the same. */
  readonly digest: string
  readonly idempotencyKey: string | null
  /** ISO 8601; null: never. */
  readonly expiresAt: string | null
}
interface Sent extends Decision {
  readonly id: string
  readonly state: Notification['state']
}

export class Notifications {
  readonly #store: ConversationStore
  readonly #notifications: NotificationStore
  readonly #now: () => Date

  constructor(deps: { store: ConversationStore; notifications: NotificationStore; now?: () => Date }) {
    this.#store = deps.store
    this.#notifications = deps.notifications
    this.#now = deps.now ?? (() => new Date())
  }

  /**
   * Puts a notification in the outbox, once for each idempotency key.
   * @throws GatewayError `forbidden` when the address opted out or is beyond the key's prefixes, `tooManyRequests` when
   *   the day's quota is used up, `conflict` when the key was used for something else
   */
  async send(request: NotificationRequest): Promise<Pick<Notification, 'id' | 'state'>> {
    const { tenant, sender, to, idempotencyKey } = request
    const day = this.#now().toISOString().slice(0, 10)
    const needs: Needs = {
      tenant,
      suppressed: suppressedAs(to.channel, to.refId),
      // Only who has a quota waits for what was counted before: the others share commits.
      ...(sender.dailyQuota !== null && { quota: { keyId: sender.keyId, day } }),
      ...(idempotencyKey !== null && { once: { scope: `notification:${sender.keyId}`, key: idempotencyKey } }),
    }
    const { decision } = await this.#store.update(needs, (view) => decide(view, request, day))
    return { id: decision.id, state: decision.state }
  }
  /** What became of it; only the channel and account it was sent through may ask. */
  async find(tenant: Tenant, id: string, isMine: (to: Address) => boolean): Promise<Notification> {
    const found = await this.#notifications.find(tenant, id)
    if (!found || !isMine(found.to)) throw notYours()
    return found
  }
}

function decide(view: View, request: NotificationRequest, day: string): Sent {
  const { tenant, sender, to, digest, expiresAt, idempotencyKey } = request
  const { keyId, dailyQuota, prefixes } = sender
  if (view.once) return repeat(view.once.note, digest)
  if (view.suppressed) throw new GatewayError('forbidden', 'This address has opted out. It must opt in again first.')
  if (prefixes.length > 0 && !prefixes.some((prefix) => to.refId.startsWith(prefix)))
    throw new GatewayError('forbidden', 'This key may not send to this country or prefix.')
  if (dailyQuota !== null && view.quotaUsed >= dailyQuota)
    throw new GatewayError('tooManyRequests', 'The daily quota of this key is used up. Go on tomorrow (UTC).')
  const id = newId()
  const notification: Notification = {
    id,
    tenant,
    keyId,
    to,
    state: 'waiting',
    reason: '',
    createdAt: view.now,
    expiresAt,
  }
  return {
    id,
    state: 'waiting',
    events: [],
    ...(idempotencyKey !== null && { once: { note: `${id} ${digest}`, expiresAt: later(view.now) } }),
    writes: [
      { kind: 'notification', notification },
      { kind: 'countQuota', keyId, day },
      {
        kind: 'deliver',
        delivery: {
          id: newDeliveryId(),
          to,
          conversationId: null,
          messageId: null,
          recipient: null,
          notificationId: id,
          body: JSON.stringify(bodyOf(request.content, view.now)),
          expiresAt,
        },
      },
    ],
  }
}

function repeat(note: string, digest: string): Sent {
  const [id = '', first] = note.split(' ')
  if (first !== digest)
    throw new GatewayError('conflict', 'This idempotencyKey was used for another notification. Use a new one.')
  return { id, state: 'waiting', events: [] }
}
const bodyOf = (content: Content, at: string): DeliveryBody => ({ messageId: null, from: null, seq: null, at, content })
const later = (now: string): string => new Date(Date.parse(now) + REPEAT_MS).toISOString()
