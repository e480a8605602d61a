// Several nodes on one Postgres: what two of them decide at the same time, and what one hears of the other.
import type { Database } from '../../src/store/database'
import { openPostgres } from '../../src/store/open-database'
import type { Decision, Needs, View } from '../../src/store/conversation-store'
import type { Write } from '../../src/store/writes'
import type { ConversationId, DeliveryId } from '../../src/model/ids'
import { newDeliveryId, newId } from '../../src/model/new-id'
import { acknowledge, report, settle } from '../../src/conversation/delivery-rules'
import {
  addressOf,
  ann,
  arrive,
  deliver,
  look,
  note,
  open,
  said,
  sayOnce,
  tenant,
  write,
} from '../support/log-fixtures'
import { ask, newDatabase } from '../support/postgres'

describe('nodes on one Postgres', () => {
  let url: string
  let drop: () => Promise<void>
  let nodes: Database[]
  const faults: unknown[] = []
  const stores = () => nodes.map(({ conversations }) => conversations)
  const openNode = () => openPostgres({ url, size: 4, onFault: (cause) => faults.push(cause) })

  beforeEach(async () => {
    ;({ url, drop } = await newDatabase())
    nodes = await Promise.all([openNode(), openNode()])
  })
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()))
    await drop()
    expect(faults).toEqual([])
  })
  /** Calls shared out over the nodes, all at once. */
  const shared = <T>(count: number, call: (node: Database, i: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => call(nodes[i % nodes.length]!, i)))
  /** What the server has counted; a connection reports at the latest when it ends. */
  const booked = async (what: 'deadlocks' | 'xact_rollback'): Promise<number> => {
    const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
    await ask(url, `select pg_terminate_backend(pid, 5000) ${others}`)
    const books = `select ${what} as count from pg_stat_database where datname = current_database()`
    const [row] = await ask<{ count: string }>(url, books)
    return Number(row!.count)
  }
  const key = (providerId: string) => ({ channel: 'sms', account: '+1000', providerId })
  const claim = (node: Database, lease: string, limit = 64) =>
    node.deliveries.claim(tenant, { channel: 'sms', account: '+1000', lease, limit, leaseMs: 30_000 })
  const deliveryOf = async (id: DeliveryId) => (await look(stores()[0]!, { tenant, deliveryId: id })).delivery!

  it('give one conversation to 50 arrivals from one address', async () => {
    const arrivals = await shared(50, ({ conversations }) => arrive(conversations, '+1'))
    expect(new Set(arrivals.map(({ conversation }) => conversation!.id)).size).toBe(1)
    expect(arrivals.filter(({ decision }) => decision.open)).toHaveLength(1)
  })

  it('write into one conversation at the same time: positions 1 to n, and all acknowledged', async () => {
    const id = await open(stores()[0]!, '+1')
    const rounds = 20
    const senders = await shared(10, async ({ conversations }, sender) => {
      const positions: number[] = []
      for (let i = 0; i < rounds; i++) {
        const { events } = await sayOnce(conversations, id, { key: `${sender} ${i}`, text: `${sender} ${i}` })
        positions.push(events[0]!.position)
      }
      expect(positions).toEqual(positions.toSorted((a, b) => a - b))
      return positions
    })
    const positions = senders.flat().sort((a, b) => a - b)
    expect(positions).toEqual(Array.from({ length: 10 * rounds }, (_, i) => i + 2))
    const log = await stores()[1]!.events(tenant, id, 0, 1_000)
    expect(log.map(({ position }) => position)).toEqual(Array.from({ length: 10 * rounds + 1 }, (_, i) => i + 1))
  })

  it('say it once when it is said to both of them', async () => {
    const id = await open(stores()[0]!, '+1')
    const said = await shared(20, ({ conversations }, i) => sayOnce(conversations, id, { key: `k${i % 5}` }))
    expect(said.filter(({ events }) => events.length > 0)).toHaveLength(5)
    expect(await stores()[0]!.events(tenant, id, 0, 100)).toHaveLength(6)
  })

  it('write many conversations in crossed order without ever waiting in a circle', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, (_, i) => open(stores()[0]!, `+${i}`)))
    const calls = await Promise.allSettled(
      nodes.flatMap(({ conversations }, node) =>
        Array.from({ length: 10 }, () => (node === 0 ? ids : ids.toReversed()))
          .flat()
          .map((id, i) =>
            i % 3 === 0
              ? deliver(conversations, id, { refId: `+${ids.indexOf(id)}` })
              : write(conversations, id, said(`${i}`)),
          ),
      ),
    )
    expect(calls.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(await booked('deadlocks')).toBe(0)
    const positions = await stores()[1]!.positions(tenant, ids)
    expect(new Set(positions.values())).toEqual(new Set([21]))
  })

  it('never overshoot a quota', async () => {
    for (let i = 0; i < 15; i++) {
      const quota = { keyId: `k${i}`, day: '2030-01-01' }
      const spent = await shared(12, ({ conversations }) =>
        conversations.update({ tenant, quota }, (view) => ({
          events: [],
          writes: view.quotaUsed < 3 ? [{ kind: 'countQuota', ...quota } as const] : [],
        })),
      )
      expect(spent.filter(({ decision }) => decision.writes.length > 0)).toHaveLength(3)
      expect((await look(stores()[0]!, { tenant, quota })).quotaUsed).toBe(3)
    }
  })

  describe('receipts', () => {
    const update = (node: Database, needs: Omit<Needs, 'tenant'>, decide: (view: View) => Decision) =>
      node.conversations.update({ tenant, ...needs }, decide)
    const tell = (node: Database, providerId: string, state: 'sent' | 'delivered' | 'failed') =>
      update(node, { providerKeys: [key(providerId)] }, (view) =>
        report(view, {
          key: key(providerId),
          state,
          reason: '',
          parkUntil: '2999-01-01T00:00:00.000Z',
          mayReport: () => true,
        }),
      )
    const accept = (node: Database, { id, lease }: { id: DeliveryId; lease: string }, names: readonly string[]) => {
      const keys = names.map(key)
      return update(node, { deliveryId: id, providerKeys: keys }, (view) =>
        settle(view, lease, { type: 'accepted', keys }),
      )
    }
    const statesOf = async (id: ConversationId) => {
      const log = await stores()[0]!.events(tenant, id, 0, 1_000)
      return log.flatMap((event) => (event.type === 'receiptAdvanced' ? [event.state] : []))
    }

    it('of parts that both nodes hear of make one delivered', async () => {
      for (let i = 0; i < 10; i++) {
        const id = await open(stores()[0]!, `+${i}`)
        const sent = await deliver(stores()[0]!, id, { refId: `+${i}` })
        await claim(nodes[0]!, 'l')
        const names = [1, 2, 3, 4].map((part) => `p${i}.${part}`)
        await accept(nodes[0]!, { id: sent.id, lease: 'l' }, names)
        await shared(4, (node, part) => tell(node, names[part]!, 'delivered'))
        expect(await statesOf(id)).toEqual(['sent', 'delivered'])
      }
    })
    it('find their delivery, or it finds them, when they come with the names they go by', async () => {
      for (let i = 0; i < 20; i++) {
        const id = await open(stores()[0]!, `+${i}`)
        const sent = await deliver(stores()[0]!, id, { refId: `+${i}` })
        await claim(nodes[0]!, 'l')
        await Promise.all([
          accept(nodes[0]!, { id: sent.id, lease: 'l' }, [`p${i}`]),
          tell(nodes[1]!, `p${i}`, 'delivered'),
        ])
        expect(await statesOf(id)).toEqual(['sent', 'delivered'])
      }
      expect(await ask(url, 'select from parked_receipt')).toEqual([])
    })
    it('only rise, whoever brings them', async () => {
      const id = await open(stores()[0]!, '+1')
      const sent = await deliver(stores()[0]!, id, { refId: '+1' })
      await claim(nodes[0]!, 'l')
      await accept(nodes[0]!, { id: sent.id, lease: 'l' }, ['p'])
      const needs = { conversationId: id, eventId: sent.messageId, recipient: ann.id }
      await shared(20, (node, i) =>
        i % 4 === 0
          ? tell(node, 'p', 'failed')
          : update(node, needs, (view) => acknowledge(view, ann.id, i % 4 === 1 ? 'read' : 'delivered')),
      )
      const rank = ['accepted', 'sent', 'delivered', 'read', 'failed']
      const ranks = (await statesOf(id)).map((state) => rank.indexOf(state))
      expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b))
      expect(ranks.includes(4) && ranks.includes(2)).toBe(false)
    })
  })

  describe('deliveries', () => {
    const notify = (node: Database, refId: string) => {
      const id = newDeliveryId()
      const delivery = { id, to: addressOf(refId), conversationId: null, messageId: null, recipient: null }
      const row: Write = {
        kind: 'deliver',
        delivery: { ...delivery, notificationId: newId(), body: '{}', expiresAt: null },
      }
      return note(node.conversations, row).then(() => id)
    }
    it('are handed to one of them each', async () => {
      const sent = await shared(60, (node, i) => notify(node, `+${i}`))
      const claims = await shared(12, (node, i) => claim(node, `l${i}`, 7))
      const ids = claims.flat().map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      const rest = await claim(nodes[0]!, 'rest')
      expect([...ids, ...rest.map(({ id }) => id)].sort()).toEqual(sent.sort())
    })
    it('for one recipient go one at a time and in order, though both put them there and settle them', async () => {
      const count = 40
      const seen: DeliveryId[] = []
      const put = shared(count, (node) => notify(node, '+1'))
      const carry = async (node: Database, lease: string) => {
        while (seen.length < count) {
          const claimed = await claim(node, lease)
          expect(claimed.length).toBeLessThanOrEqual(1)
          for (const { id } of claimed) {
            seen.push(id)
            const { writes } = (
              await node.conversations.update({ tenant, deliveryId: id }, (view) =>
                settle(view, lease, { type: 'handedOver' }),
              )
            ).decision
            expect(writes).toHaveLength(1)
          }
        }
      }
      await Promise.all([put, carry(nodes[0]!, 'a'), carry(nodes[1]!, 'b')])
      const order = await ask<{ id: string }>(url, 'select id from delivery order by seq')
      expect(seen).toEqual(order.map(({ id }) => id))
      expect(new Set(seen).size).toBe(count)
    })
    it('are settled by nobody whose lease is over', async () => {
      const id = await notify(nodes[0]!, '+1')
      await claim(nodes[0]!, 'old')
      await nodes[1]!.deliveries.release(tenant, 'old')
      await claim(nodes[1]!, 'new')
      const late = await nodes[0]!.conversations.update({ tenant, deliveryId: id }, (view) =>
        settle(view, 'old', { type: 'handedOver' }),
      )
      expect(late.decision.stale).toBe(true)
      expect(await deliveryOf(id)).toMatchObject({ state: 'leased', lease: 'new' })
    })
  })

  describe('hearing of each other', () => {
    it('follow what the other commits, so that taking turns costs no conflict', async () => {
      const id = await open(stores()[0]!, '+1')
      const [here, there] = stores()
      here!.onCommitted((events) => there!.heard(events))
      there!.onCommitted((events) => here!.heard(events))
      await write(there!, id, said('now both have it at hand'))
      const before = await booked('xact_rollback')
      for (let i = 0; i < 10; i++) await write(i % 2 ? here! : there!, id, said(`${i}`))
      // What a conflict leaves in the books is a transaction that was rolled back.
      expect((await booked('xact_rollback')) - before).toBe(0)
    })
    it('believe nothing that they hear: what is late, doubled, missing or made up costs a second look', async () => {
      const id = await open(stores()[0]!, '+1')
      const [here, there] = stores()
      await write(there!, id, said('at hand'))
      const { events: second } = await write(here!, id, said('b'))
      const { events: third } = await write(here!, id, said('c'))
      there!.heard(third)
      there!.heard(second)
      there!.heard(second)
      expect((await write(there!, id, said('d'))).events).toMatchObject([{ position: 5 }])
      there!.heard([{ ...third[0]!, position: 6 }])
      expect((await write(there!, id, said('e'))).events).toMatchObject([{ position: 6 }])
      const log = await here!.events(tenant, id, 0, 100)
      expect(log.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6])
    })
  })

  it('make no more than two keys for one scope between them, and give one of two accounts a name', async () => {
    const apiKey = () => ({
      ...({ id: newId(), tenant, kind: 'bot', name: 'n', channel: '', account: '', hash: newId() } as const),
      ...{ dailyQuota: null, prefixes: [], createdAt: '2030-01-01T00:00:00.000Z' },
    })
    const keys = await shared(12, ({ accounts }) => accounts.createKey(apiKey()))
    expect(keys.filter(Boolean)).toHaveLength(2)
  })
})
