// Instances of one connector on two nodes: they divide the recipients, take over from the dead, and a node that slept has lost what was its own.
import { sliceOf, SLICES } from '../../src/model/slice'
import type { DeliveryId } from '../../src/model/ids'
import { openPostgres } from '../../src/store/open-database'
import { openTestMemory, TestClock } from '../support/databases'
import { eventually } from '../support/eventually'
import { type Hand, OK } from '../support/hand'
import { addressOf, deliver, open, tenant } from '../support/log-fixtures'
import { LEASE_MS, TestNode, TIMES } from '../support/nodes'
import { newDatabase } from '../support/postgres'

interface Pair {
  readonly nodes: readonly [TestNode, TestNode]
  readonly clock: TestClock
  close(): Promise<void>
}
const PAIRS: Readonly<Record<string, () => Promise<Pair>>> = {
  'one store in memory': async () => {
    const under = await openTestMemory()
    const { database, clock } = under
    return { nodes: [new TestNode(database, clock), new TestNode(database, clock)], clock, close: () => under.close() }
  },
  'one Postgres': async () => {
    const clock = new TestClock()
    const { url, drop } = await newDatabase()
    const [one, other] = await Promise.all([1, 2].map(() => openPostgres({ url, size: 4, now: clock.now })))
    const close = async () => {
      await Promise.all([one!.close(), other!.close()])
      await drop()
    }
    return { nodes: [new TestNode(one!, clock), new TestNode(other!, clock)], clock, close }
  },
}

describe.each(Object.keys(PAIRS))('instances on two nodes over %s', (name) => {
  let pair: Pair
  let [here, there]: readonly TestNode[] = []
  beforeEach(async () => {
    pair = await PAIRS[name]!()
    ;[here, there] = pair.nodes
  })
  afterEach(async () => {
    await Promise.all(pair.nodes.map((node) => node.close()))
    await pair.close()
    for (const node of pair.nodes) expect(node.faults).toEqual([])
  })
  const store = () => here!.database.conversations
  const refIds = Array.from({ length: 16 }, (_, i) => `+${i}`)
  const send = async (refId: string): Promise<DeliveryId> =>
    (await deliver(store(), await open(store(), refId), { refId })).id
  const sendToAll = () => Promise.all(refIds.map(send))
  const recipientsOf = ({ given }: Hand) => new Set(given.map(({ to }) => to.refId))
  const receiptsOf = async (refId: string) => {
    const events = await store().events(tenant, await open(store(), refId), 0, 100)
    return events.flatMap((event) => (event.type === 'receiptAdvanced' ? [event.state] : []))
  }
  const register = async () => {
    const pair = [await here!.register('a'), await there!.register('b')] as const
    await eventually(() => isDivided(pair))
    return pair
  }
  type Registered = Awaited<ReturnType<TestNode['register']>>
  const isDivided = async (registered: readonly Registered[]) => {
    const shares = await Promise.all(registered.map(({ held }) => held.share()))
    const owners = Array.from(
      { length: SLICES },
      (_, slice) => shares.filter((one) => one?.slices[slice] === '1').length,
    )
    return owners.every((count) => count === 1)
  }
  const isAlone = async ({ held }: Registered) => (await held.share()) === undefined

  it('give each recipient to one of them, in order, for as long as both live', async () => {
    const [a, b] = await register()
    const sent: DeliveryId[] = []
    for (let round = 0; round < 5; round += 1) sent.push(...(await sendToAll()))
    await eventually(() => a.hand.given.length + b.hand.given.length === sent.length)
    const [left, right] = [recipientsOf(a.hand), recipientsOf(b.hand)]
    expect(left.size + right.size).toBe(refIds.length)
    expect(left.size * right.size).toBeGreaterThan(0)
    for (const { given } of [a.hand, b.hand])
      for (const refId of refIds) {
        const ids = given.filter(({ to }) => to.refId === refId).map(({ id }) => id)
        expect(ids).toEqual(sent.filter((id) => ids.includes(id)))
      }
  })
  it('hand everything to the other at once when one leaves', async () => {
    const [a, b] = await register()
    await a.leave()
    await eventually(() => isAlone(b))
    const sent = await sendToAll()
    await eventually(() => expect(b.hand.ids.toSorted()).toEqual(sent.toSorted()))
    expect(a.hand.given).toEqual([])
  })
  it('take over, in order, from a node that died, under the same ids', async () => {
    const [a, b] = await register()
    a.hand.answer = null
    const sent = [...(await sendToAll()), ...(await sendToAll())]
    await eventually(() => a.hand.given.length > 0 && b.hand.given.length === 2 * recipientsOf(b.hand).size)
    here!.gate.close()
    pair.clock.forward(TIMES.aliveMs)
    await eventually(() => isAlone(b))
    pair.clock.forward(LEASE_MS)
    await eventually(() => expect(b.hand.ids.toSorted()).toEqual(sent.toSorted()))
    for (const refId of refIds) {
      const ids = b.hand.given.filter(({ to }) => to.refId === refId).map(({ id }) => id)
      expect(ids).toEqual(sent.filter((id) => ids.includes(id)))
    }
  })
  it('take what is due for another that lives and takes nothing', async () => {
    const place = { tenant, channel: 'sms', account: '', instance: 'a' }
    await here!.carriers.register(place, () => undefined)
    const b = await there!.register('b')
    const share = (await b.held.share())!
    const sent = await sendToAll()
    const own = refIds.filter((refId) => share.slices[sliceOf(addressOf(refId))] === '1')
    await eventually(() => expect(b.hand.given).toHaveLength(own.length))
    expect([...recipientsOf(b.hand)].toSorted()).toEqual(own.toSorted())
    pair.clock.forward(TIMES.patienceMs)
    await eventually(() => expect(b.hand.ids.toSorted()).toEqual(sent.toSorted()))
  })
  it('settle nothing with the late answer of a node that slept: the other has delivered it, and it was sent once', async () => {
    const [a, b] = await register()
    a.hand.answer = null
    const sent = await sendToAll()
    await eventually(() => a.hand.given.length + b.hand.given.length === sent.length)
    const slept = a.hand.given.map(({ id, to }) => ({ id, refId: to.refId }))
    here!.gate.close()
    pair.clock.forward(LEASE_MS)
    await eventually(() => slept.every(({ id }) => b.hand.ids.includes(id)))
    for (const { refId } of slept) await eventually(async () => (await receiptsOf(refId)).length === 1)
    for (const { id } of slept) a.hand.say(id, { type: 'accepted', providerIds: [`late ${id}`] })
    here!.gate.open()
    await here!.outbox.close()
    for (const { refId } of slept) expect(await receiptsOf(refId)).toEqual(['sent'])
    expect(b.hand.given.filter(({ id }) => slept.some((one) => one.id === id))).toHaveLength(slept.length)
  })
  it('carry nothing that was given to a node while it slept until the lease had run out', async () => {
    const id = await send('+1')
    const { deliveries } = here!.database
    const claim = deliveries.claim.bind(deliveries)
    let others: readonly DeliveryId[] = []
    deliveries.claim = async (...asked) => {
      deliveries.claim = claim
      const claimed = await claim(...asked)
      // Asleep between the question and its answer, while the lease ran out and another one took it.
      pair.clock.forward(LEASE_MS)
      here!.slept = LEASE_MS
      const { hand } = await there!.register('b')
      await eventually(() => hand.ids.length > 0)
      others = hand.ids
      expect(claimed.map((one) => one.id)).toEqual([id])
      return claimed
    }
    const a = await here!.register('a')
    await eventually(async () => expect(await receiptsOf('+1')).toEqual(['sent']))
    await here!.outbox.close()
    expect([a.hand.ids, others]).toEqual([[], [id]])
  })
  it('fence the older of two with one name, wherever it is, and it takes nothing more', async () => {
    const older = await here!.register('a')
    const newer = await there!.register('a')
    await eventually(() => older.fences() === 1)
    const sent = await sendToAll()
    await eventually(() => expect(newer.hand.ids.toSorted()).toEqual(sent.toSorted()))
    expect([older.hand.given, newer.fences()]).toEqual([[], 0])
    await older.leave()
    expect(await isAlone(newer)).toBe(true)
    expect(await newer.held.share()).toBeUndefined()
  })
  it('ask, after a sleep, whether the place is still theirs, before anything else is taken', async () => {
    const older = await here!.register('a')
    here!.gate.close()
    const newer = await there!.register('a')
    newer.hand.answer = older.hand.answer = () => OK
    here!.slept = TIMES.aliveMs
    const share = older.held.share()
    here!.gate.open()
    await share
    expect(older.fences()).toBe(1)
    const sent = await sendToAll()
    await eventually(() => expect(newer.hand.ids.toSorted()).toEqual(sent.toSorted()))
    expect(older.hand.given).toEqual([])
  })
})
