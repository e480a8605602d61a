// Deliveries on their way: in order per recipient, side by side, tried again later and later, and given up for all to see.
import { Conversations } from '../../src/conversation/conversations'
import { Outbox } from '../../src/conversation/outbox'
import { Suppression } from '../../src/conversation/suppression'
import { MemoryBus } from '../../src/bus/memory-bus'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { Hand, OK, refused } from '../support/hand'
import { addressOf, deliver, open, tenant } from '../support/log-fixtures'

const LEASE = 60_000
describe('the outbox', () => {
  let under: TestDatabase
  let outbox: Outbox
  let random = 1
  const faults: unknown[] = []
  const settled: string[] = []
  beforeEach(async () => {
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date', 'setInterval'],
    })
    under = await openTestMemory()
    const { conversations: store, deliveries } = under.database
    const bus = new MemoryBus()
    const suppression = new Suppression({ optOut: [], optIn: [] })
    const { now } = under.clock
    const conversations = new Conversations({ store, bus, suppression, now })
    faults.length = settled.length = 0
    random = 1
    outbox = new Outbox({
      conversations,
      deliveries,
      bus,
      now,
      leaseMs: LEASE,
      random: () => random,
      onFault: (cause) => faults.push(cause),
      onSettled: (channel, outcome) => settled.push(`${channel} ${outcome}`),
    })
  })
  afterEach(async () => {
    await outbox.close()
    await under.close()
    expect(jest.getTimerCount()).toBe(0)
    jest.useRealTimers()
    expect(faults).toEqual([])
  })
  const store = () => under.database.conversations
  const turns = async (count = 60) => {
    for (let i = 0; i < count; i++) await new Promise(setImmediate)
  }
  const pass = async (ms: number) => {
    under.clock.forward(ms)
    jest.advanceTimersByTime(ms)
    await turns()
  }
  const send = async (refId: string, more: { account?: string; expiresAt?: string } = {}) => {
    const { account = '+1000', ...rest } = more
    return deliver(store(), await open(store(), refId), { refId, to: { ...addressOf(refId), account }, ...rest })
  }
  const receiptsAt = async (refId: string) => {
    const events = await store().events(tenant, await open(store(), refId), 0, 100)
    return events.flatMap((event) => (event.type === 'receiptAdvanced' ? [[event.state, event.reason]] : []))
  }

  it('gives one recipient one delivery at a time, in order, and recipients side by side', async () => {
    const hand = new Hand()
    hand.answer = null
    outbox.register(hand.carrier())
    const [a1, a2, b1] = [await send('+1'), await send('+1'), await send('+2')]
    await turns()
    expect(hand.ids).toEqual([a1.id, b1.id])
    hand.say(a1.id, OK)
    await turns()
    expect(hand.ids).toEqual([a1.id, b1.id, a2.id])
  })
  it('does not give back what was answered just before it is stopped', async () => {
    const [hand, next] = [new Hand(), new Hand()]
    hand.answer = null
    const stop = outbox.register(hand.carrier())
    const [answered, silent] = [await send('+1'), await send('+2')]
    await turns()
    hand.say(answered.id, OK)
    await new Promise<void>((resolve) => process.nextTick(resolve)) // heard, and not written yet
    await stop()
    outbox.register(next.carrier())
    await turns()
    expect(next.ids).toEqual([silent.id])
    expect(settled).toEqual(['sms done', 'sms done'])
  })
  it('gives up what loses its connection a hundred times, and lets the next one go', async () => {
    const hand = new Hand()
    const [breaking, next] = [await send('+1'), await send('+1')]
    hand.answer = ({ id }) => (id === breaking.id ? { type: 'gone' } : OK)
    for (let i = 0; i < 101; i += 1) {
      const stop = outbox.register(hand.carrier())
      await turns(10)
      await stop()
    }
    expect(hand.ids.filter((id) => id === breaking.id)).toHaveLength(100)
    expect(hand.ids.at(-1)).toBe(next.id)
    const dead = await outbox.deadLetters(tenant, { after: '', limit: 10 })
    expect(dead).toMatchObject([{ id: breaking.id, reason: 'unanswered' }])
    expect(await receiptsAt('+1')).toContainEqual(['failed', 'unanswered'])
  })
  it('tries later, and not without end, what cannot even be put on its way', async () => {
    const hand = new Hand()
    hand.answer = () => {
      throw new Error('broken')
    }
    outbox.register(hand.carrier())
    const { id } = await send('+1')
    await turns()
    for (let i = 0; i < 19; i += 1) await pass(10 * 60_000)
    expect(hand.ids).toEqual(Array.from({ length: 20 }, () => id))
    expect(faults.splice(0)).toHaveLength(20)
    expect(await receiptsAt('+1')).toEqual([['failed', 'fault']])
  })
  it('has no more than 64 in hand at once, and goes on when one is answered', async () => {
    const hand = new Hand()
    hand.answer = null
    await Promise.all(Array.from({ length: 70 }, (_, i) => send(`+${i}`)))
    outbox.register(hand.carrier())
    await turns(200)
    expect(hand.given).toHaveLength(64)
    hand.say(hand.ids[10]!, OK)
    await turns()
    expect(hand.given).toHaveLength(65)
    expect(new Set(hand.ids).size).toBe(65)
    for (const id of hand.ids) hand.say(id, OK)
    await turns(200)
    expect(hand.given).toHaveLength(70)
  })
  it('costs no attempt while nobody carries the channel, and is found when somebody does', async () => {
    const { id } = await send('+1')
    await pass(10 * LEASE)
    const hand = new Hand()
    outbox.register(hand.carrier())
    await turns()
    expect(hand.given).toMatchObject([{ id, attempts: 1 }])
    expect(settled).toEqual(['sms done'])
    expect(await receiptsAt('+1')).toEqual([['sent', undefined]])
  })
  it('gives a carrier its own account, and every account to who names none', async () => {
    const [one, all, other] = [new Hand(), new Hand(), new Hand()]
    one.answer = other.answer = null
    outbox.register(other.carrier({ channel: 'fax' }))
    const stop = outbox.register(one.carrier({ account: '+1000' }))
    const mine = await send('+1')
    const theirs = await send('+1', { account: '+2000' })
    await turns()
    expect([one.ids, other.ids]).toEqual([[mine.id], []])
    outbox.register(all.carrier())
    await turns()
    expect(all.ids).toEqual([theirs.id])
    await stop()
    await turns()
    expect(all.ids).toEqual([theirs.id, mine.id])
  })
  it('tries again later and later, and never before a provider says', async () => {
    const hand = new Hand()
    const asked: (number | null)[] = [null, null, null, 30]
    hand.answer = () => (asked.length > 0 ? refused({ retryAfter: asked.shift()! }) : OK)
    const { id } = await send('+1')
    outbox.register(hand.carrier())
    await turns()
    for (const ms of [1_000, 2_000, 4_000, 31_000]) {
      const before = hand.given.length
      await pass(ms - 1)
      expect(hand.given).toHaveLength(before)
      await pass(20)
      expect(hand.given).toHaveLength(before + 1)
    }
    expect(new Set(hand.ids)).toEqual(new Set([id]))
    expect(settled).toEqual(['sms retried', 'sms retried', 'sms retried', 'sms retried', 'sms done'])
  })
  it('gives up after twenty attempts: a dead letter, and a failure that everybody sees', async () => {
    const hand = new Hand()
    hand.answer = () => refused()
    const { id } = await send('+1')
    outbox.register(hand.carrier())
    for (let i = 0; i < 400 && settled.at(-1) !== 'sms dead'; i++) await pass(LEASE)
    expect(hand.given.map(({ attempts }) => attempts)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(await receiptsAt('+1')).toEqual([['failed', 'busy']])
    expect(await outbox.deadLetters(tenant, { after: '', limit: 9 })).toMatchObject([{ id, reason: 'busy' }])
  })
  it('gives up at once what will never work, lets the next one go, and replays it from the beginning', async () => {
    const hand = new Hand()
    hand.answer = ({ attempts, id }) =>
      attempts === 1 && id === first && !replayed ? refused({ retryable: false, reason: '' }) : OK
    let replayed = false
    const bad = await send('+1')
    const first = bad.id
    const next = await send('+1')
    outbox.register(hand.carrier())
    await turns()
    expect(hand.ids).toEqual([bad.id, next.id])
    expect(await receiptsAt('+1')).toEqual([
      ['failed', 'refused'],
      ['sent', undefined],
    ])
    replayed = true
    expect(await outbox.replay(tenant, bad.id)).toBe(true)
    await turns()
    expect(hand.given.at(-1)).toMatchObject({ id: bad.id, attempts: 1 })
    // Whoever replays it opens its receipt again: it arrived after all.
    expect((await receiptsAt('+1')).at(-1)).toEqual(['sent', undefined])
    expect(await receiptsAt('+1')).toHaveLength(3)
    expect(await outbox.replay(tenant, bad.id)).toBe(false)
  })
  it('tells everybody that a delivery expired instead of sending it, and sends it when it is replayed', async () => {
    const hand = new Hand()
    const expiresAt = under.clock.in(1_000)
    const [late, next] = [await send('+1', { expiresAt }), await send('+1')]
    const old = new Hand()
    await send('+2', { account: '+2000', expiresAt })
    under.clock.forward(1_000)
    outbox.register(hand.carrier({ account: '+1000' }))
    outbox.register(old.carrier({ account: '+2000', acknowledges: false }))
    await turns()
    expect([hand.ids, old.ids]).toEqual([[next.id], []])
    expect(await receiptsAt('+1')).toEqual([
      ['failed', 'expired'],
      ['sent', undefined],
    ])
    expect(await receiptsAt('+2')).toEqual([['failed', 'expired']])
    expect(settled.sort()).toEqual(['sms done', 'sms expired', 'sms expired'])
    expect(await outbox.replay(tenant, late.id)).toBe(true)
    await turns()
    expect(hand.ids).toEqual([next.id, late.id])
  })
  it('is due at once, under the same id, when the connection is lost', async () => {
    const [first, second] = [new Hand(), new Hand()]
    first.answer = null
    const stop = outbox.register(first.carrier())
    const { id } = await send('+1')
    await turns()
    outbox.register(second.carrier())
    first.say(id, { type: 'gone' })
    await stop()
    await turns()
    expect([first.ids, second.given]).toMatchObject([[id], [{ id, attempts: 2 }]])
  })
  it('is leased to another when a carrier stays silent, and the late answer changes nothing', async () => {
    const [silent, other] = [new Hand(), new Hand()]
    silent.answer = other.answer = null
    outbox.register(silent.carrier())
    const { id } = await send('+1')
    await turns()
    outbox.register(other.carrier())
    await pass(LEASE)
    const holder = other.given.length > 0 ? other : silent
    expect(holder.given.at(-1)).toMatchObject({ id, attempts: 2 })
    if (holder === other) silent.say(id, OK)
    await turns()
    if (holder === other) expect(settled).toEqual([])
    holder.say(id, OK)
    await turns()
    expect(settled).toEqual(['sms done'])
  })
  it('is found at once when it is put in while the outbox asks what is due next', async () => {
    const hand = new Hand()
    hand.answer = null
    await send('+1')
    const { deliveries } = under.database
    const nextDueIn = deliveries.nextDueIn.bind(deliveries)
    let asking = (): void => undefined
    const asked = new Promise<void>((resolve) => (asking = resolve))
    let goOn = (): void => undefined
    const going = new Promise<void>((resolve) => (goOn = resolve))
    deliveries.nextDueIn = async (...at) => {
      const wait = await nextDueIn(...at)
      asking()
      await going
      return wait
    }
    outbox.register(hand.carrier())
    await asked
    const { id } = await send('+2')
    goOn()
    await turns()
    expect(hand.ids.at(-1)).toBe(id)
  })
  it('counts what an old connector never answers as handed over before it is written, once', async () => {
    const hand = new Hand()
    const states: unknown[] = []
    const carrier = hand.carrier({ acknowledges: false })
    outbox.register({
      ...carrier,
      carry: async (delivery) => {
        states.push(...(await receiptsAt('+1')))
        return carrier.carry(delivery)
      },
    })
    await send('+1')
    await pass(10 * LEASE)
    expect(hand.given).toHaveLength(1)
    expect(states).toEqual([['accepted', undefined]])
  })
})
