// Several nodes on one Postgres, and an erasure on one of them: no row of any table knows the customer, and no node does.
import { MemoryBus } from '../../src/bus/memory-bus'
import { Erasure } from '../../src/conversation/erasure'
import { GATEWAY } from '../../src/conversation/erasure-rules'
import { Retention } from '../../src/conversation/retention'
import type { ConversationId } from '../../src/model/ids'
import { newDeliveryId, newId } from '../../src/model/new-id'
import type { Database } from '../../src/store/database'
import { openPostgres } from '../../src/store/open-database'
import { eventually } from '../support/eventually'
import {
  arrive,
  deliver,
  ended,
  look,
  note,
  open,
  said,
  sayOnce,
  tenant,
  whispered,
  write,
} from '../support/log-fixtures'
import { ask, newDatabase } from '../support/postgres'

describe('nodes on one Postgres, when one of them erases', () => {
  let url: string
  let drop: () => Promise<void>
  let one: Database
  let other: Database
  const faults: unknown[] = []
  const buses: MemoryBus[] = []

  beforeEach(async () => {
    ;({ url, drop } = await newDatabase())
    const openNode = () => openPostgres({ url, size: 4, onFault: (cause) => faults.push(cause) })
    ;[one, other] = await Promise.all([openNode(), openNode()])
  })
  afterEach(async () => {
    await Promise.all([one.close(), other.close()])
    await Promise.all(buses.splice(0).map((bus) => bus.close()))
    await drop()
    expect(faults.splice(0)).toEqual([])
  })
  const erasureOn = ({ conversations: store, custody, erasures }: Database) => {
    const bus = new MemoryBus()
    buses.push(bus)
    return new Erasure({ store, custody, erasures, bus, retention: new Retention([]) })
  }
  const phone = '+4915112312399'
  const who = { channel: 'sms', account: null, refId: phone }
  const opening = {
    at: '2026-01-01T00:00:00.000Z',
    comment: 'okapi',
    channelData: { nul: 'okapi \u0000', half: '\ud83d' },
  }
  const tables = async () => {
    const names = await ask<{ name: string }>(
      url,
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    )
    const rows = names.map(async ({ name }) => ask<{ row: string }>(url, `select t::text as row from "${name}" as t`))
    return (await Promise.all(rows)).flat().map(({ row }) => row)
  }
  const known = async () => (await tables()).filter((row) => row.includes(phone) || /okapi|Ann/.test(row))

  it('leave nothing of a customer in any table, of whatever node it came', async () => {
    const first = await open(one.conversations, phone, opening)
    await sayOnce(one.conversations, first, { key: 'k', text: 'okapi' })
    await deliver(other.conversations, first, { refId: phone, text: 'okapi' })
    await write(one.conversations, first, ended)
    const second = await open(other.conversations, phone, opening)
    await write(other.conversations, second, said('okapi \u0000'), whispered('okapi'))
    await deliver(one.conversations, second, { refId: phone, text: 'okapi' })
    const to = { channel: 'sms', account: '+1000', refId: phone }
    const notificationId = newId()
    const times = { createdAt: '2026-01-01T00:00:00.000Z', expiresAt: null }
    const notification = {
      id: notificationId,
      tenant,
      keyId: 'k',
      to,
      state: 'waiting',
      reason: 'okapi',
      ...times,
    } as const
    const about = { conversationId: null, messageId: null, recipient: null, notificationId, body: 'okapi' }
    const delivery = { id: newDeliveryId(), to, expiresAt: null, ...about }
    await note(one.conversations, { kind: 'notification', notification }, { kind: 'deliver', delivery })
    await note(one.conversations, { kind: 'suppress', address: { channel: 'sms', account: '', refId: phone } })
    expect((await known()).length).toBeGreaterThan(8)
    const receipt = await erasureOn(other).eraseCustomer(tenant, who, GATEWAY)
    expect(receipt).toMatchObject({ conversations: 2, deliveries: 3, notifications: 1, suppression: 'keptAsHash' })
    expect(receipt.storage).toBe('freed')
    expect(await known()).toEqual([])
  })

  it('bring nothing back by what the other has at hand and heard nothing of', async () => {
    const id = await open(one.conversations, phone, opening)
    await write(other.conversations, id, said('okapi'))
    await look(other.conversations, { tenant, conversationId: id })
    await erasureOn(one).eraseConversation({ tenant, conversationId: id }, GATEWAY)
    const { conversation } = await other.conversations.update(
      { tenant, conversationId: id },
      ({ conversation: seen }) => ({
        events: [
          {
            type: 'receiptAdvanced',
            participant: { id: seen!.memberships[0]!.id, role: 'customer', name: seen!.memberships[0]!.name },
            ...{ state: 'read', messageId: `${id}.2` as never, by: { id: 'system', role: 'system', name: 'System' } },
          },
        ],
      }),
    )
    expect(JSON.stringify(conversation)).not.toMatch(/\bAnn\b|okapi/)
    expect(await known()).toEqual([])
    other.conversations.forget(id)
    const again = await look(other.conversations, { tenant, conversationId: id })
    expect(JSON.stringify(again.conversation)).not.toMatch(/\bAnn\b|okapi/)
  })

  it('share one erasure that both begin, and both of them end it', async () => {
    const ids: ConversationId[] = []
    for (let i = 0; i < 3; i++) {
      const id = await open(one.conversations, phone, opening)
      await write(one.conversations, id, ...Array.from({ length: 150 }, () => said('okapi')))
      await deliver(one.conversations, id, { refId: phone, text: 'okapi' })
      await write(one.conversations, id, ended)
      ids.push(id)
    }
    const receipts = await Promise.all([one, other].map((node) => erasureOn(node).eraseCustomer(tenant, who, GATEWAY)))
    const events = receipts.reduce((sum, receipt) => sum + receipt.events, 0)
    expect(events).toBeGreaterThanOrEqual(3 * 153)
    expect(await known()).toEqual([])
    for (const id of ids) {
      const types = (await one.conversations.events(tenant, id, 0, 1_000)).map(({ type }) => type)
      expect(types.filter((type) => type === 'conversationErased')).toHaveLength(1)
    }
  })

  it('go on sending to the same recipient while an erasure takes the lane away', async () => {
    const old = await open(one.conversations, phone, opening)
    await deliver(one.conversations, old, { refId: phone })
    await write(one.conversations, old, ended)
    const fresh = (await arrive(other.conversations, phone)).conversation!.id
    const sending = Promise.all(
      Array.from({ length: 30 }, () => deliver(other.conversations, fresh, { refId: phone, text: 'new' })),
    )
    await erasureOn(one).eraseConversation({ tenant, conversationId: old }, GATEWAY)
    const sent = (await sending).map(({ id }) => id)
    const claim = { channel: 'sms', account: '', lease: 'l', limit: 64, leaseMs: 60_000 }
    const carried: string[] = []
    await eventually(async () => {
      const taken = await other.deliveries.claim(tenant, claim)
      expect(taken.length).toBeLessThanOrEqual(1)
      for (const { id: deliveryId } of taken) {
        carried.push(deliveryId)
        await note(other.conversations, { kind: 'settle', deliveryId, lease: 'l', outcome: { state: 'done' } })
      }
      return carried.length >= sent.length
    }, 10_000)
    expect(carried).toEqual(sent)
  })
})
