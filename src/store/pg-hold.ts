// Rows held on Postgres while a batch is decided: what two nodes must not decide on at the same time.
import type { ConversationId, EventId, Place, Tenant } from '../model/ids'
import { parseEventId } from '../model/ids'
import type { Needs } from './conversation-store'
import type { Loaded } from './engine'
import { textArray } from './pg-array'
import type { PgSession, Statement } from './pg-pool'
import { readNeeds } from './pg-reading'

/**
 * Deliveries by any of their names, in order. A receipt, the parts of a message and a settling are all decided on the
 * delivery, whichever name they come under: so its row is what guards its parts, and the notification it carries.
 */
const LOCK_DELIVERIES: Statement = {
  name: 'lock-deliveries',
  text: `select tenant, conversation_id, message_id from delivery where seq in (
      select delivery.seq from unnest($1::text[], $2::text[]) as asked (a_tenant, a_id)
        join delivery on tenant = a_tenant and id = a_id
      union select delivery.seq from unnest($3::text[], $4::text[], $5::text[], $6::text[])
          as asked (a_tenant, a_channel, a_account, a_provider_id)
        join provider_part as part on part.tenant = a_tenant and part.channel = a_channel
          and part.account = a_account and part.provider_id = a_provider_id
        join delivery on delivery.tenant = part.tenant and delivery.id = part.delivery_id
      union select delivery.seq from unnest($7::text[], $8::text[], $9::text[], $10::text[])
          as asked (a_tenant, a_message, a_channel, a_account)
        join delivery on tenant = a_tenant and message_id = a_message and channel = a_channel and account = a_account
    ) order by seq for no key update`,
}
/** A quota that nobody has used yet has no row to lock: it gets one, which is taken back unless something is counted. */
const MAKE_QUOTAS: Statement = {
  name: 'make-quotas',
  text: `insert into quota (tenant, key_id, day, used)
    select distinct a collate "C", b collate "C", c collate "C", 0
      from unnest($1::text[], $2::text[], $3::text[]) as asked (a, b, c) order by 1, 2, 3
    on conflict do nothing`,
}
const LOCK_QUOTAS: Statement = {
  name: 'lock-quotas',
  text: `select from quota join unnest($1::text[], $2::text[], $3::text[]) as asked (a, b, c)
    on tenant = a and key_id = b and day = c order by tenant, key_id, day for no key update of quota`,
}
const LIVE: Statement = {
  name: 'live-conversations',
  text: `select tenant, conversation_id from live_address
    join unnest($1::text[], $2::text[], $3::text[], $4::text[]) as asked (a, b, c, d)
      on tenant = a and channel = b and account = c and ref_id = d`,
}
const LOCK_CONVERSATIONS: Statement = {
  name: 'lock-conversations',
  text: `select from conversation join unnest($1::text[], $2::text[]) as asked (a, b) on tenant = a and id = b
    order by tenant, id for no key update of conversation`,
}

/**
 * Within a transaction: locks what the needs lead to, then reads it. Deliveries come first, then quotas, then
 * conversations; the batch locks the rest in an order of its own, which begins with conversations. Idempotency keys,
 * addresses and parked receipts are not locked: the batch itself finds out when one was not as it was read.
 * The one row that a batch changes without having held it, the next delivery of a recipient, nobody decides on before
 * it is handed out; should it be held all the same, Postgres breaks the circle and the batch is decided again.
 */
export async function holdNeeds(
  session: PgSession,
  { needs, conversations, now }: { needs: readonly Needs[]; conversations: readonly Place[]; now: string | null },
): Promise<Loaded[]> {
  const places = [...conversations, ...needs.flatMap(placeOf)]
  const [carried, live] = await Promise.all([
    lockDeliveries(session, needs),
    findLive(session, needs),
    lockQuotas(session, needs),
  ])
  await lockConversations(session, [...places, ...carried, ...live])
  return readNeeds(needs, session, now)
}

function placeOf({ tenant, conversationId, eventId }: Needs): Place[] {
  if (conversationId) return [{ tenant, conversationId }]
  const place = eventId && parseEventId(eventId)
  return place ? [{ tenant, conversationId: place.conversationId }] : []
}

interface CarriedRow {
  tenant: Tenant
  conversation_id: ConversationId | null
  message_id: EventId | null
}
async function lockDeliveries(session: PgSession, needs: readonly Needs[]): Promise<Place[]> {
  const ids = needs.flatMap(({ tenant, deliveryId }) => (deliveryId ? [[tenant, deliveryId]] : []))
  const names = needs.flatMap(({ tenant, providerKeys = [] }) =>
    providerKeys.map(({ channel, account, providerId }) => [tenant, channel, account, providerId]),
  )
  const messages = needs.flatMap(({ tenant, eventId, carriedTo }) =>
    eventId && carriedTo ? [[tenant, eventId, carriedTo.channel, carriedTo.account]] : [],
  )
  if (ids.length + names.length + messages.length === 0) return []
  const parameters = [...columns(ids, 2), ...columns(names, 4), ...columns(messages, 4)]
  const rows = await session.ask<CarriedRow>(LOCK_DELIVERIES, parameters)
  return rows.flatMap(({ tenant, conversation_id: conversationId, message_id: messageId }) => {
    const place = messageId && parseEventId(messageId)
    const id = conversationId ?? (place && place.conversationId)
    return id ? [{ tenant, conversationId: id }] : []
  })
}

async function lockQuotas(session: PgSession, needs: readonly Needs[]): Promise<void> {
  const asked = needs.flatMap(({ tenant, quota }) => (quota ? [[tenant, quota.keyId, quota.day]] : []))
  if (asked.length === 0) return
  await Promise.all([MAKE_QUOTAS, LOCK_QUOTAS].map((statement) => session.ask(statement, columns(asked, 3))))
}

async function findLive(session: PgSession, needs: readonly Needs[]): Promise<Place[]> {
  const asked = needs.flatMap(({ tenant, address, conversationId }) =>
    address && !conversationId ? [[tenant, address.channel, address.account, address.refId]] : [],
  )
  if (asked.length === 0) return []
  const rows = await session.ask<{ tenant: Tenant; conversation_id: ConversationId }>(LIVE, columns(asked, 4))
  return rows.map(({ tenant, conversation_id: conversationId }) => ({ tenant, conversationId }))
}

async function lockConversations(session: PgSession, places: readonly Place[]): Promise<void> {
  if (places.length === 0) return
  const distinct = [...new Map(places.map((place) => [`${place.tenant}\n${place.conversationId}`, place])).values()]
  await session.ask(LOCK_CONVERSATIONS, [
    textArray(distinct.map(({ tenant }) => tenant)),
    textArray(distinct.map(({ conversationId }) => conversationId)),
  ])
}

const columns = (rows: readonly (readonly string[])[], width: number): Buffer[] =>
  Array.from({ length: width }, (_, i) => textArray(rows.map((row) => row[i] ?? '')))
