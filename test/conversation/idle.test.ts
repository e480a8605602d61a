// Silence is found, warned of and ended, however many are silent.
import { Conversations } from '../../src/conversation/conversations'
import { IdleWatch } from '../../src/conversation/idle'
import { Suppression } from '../../src/conversation/suppression'
import { MemoryBus } from '../../src/bus/memory-bus'
import { GatewayError } from '../../src/model/errors'
import type { ConversationId } from '../../src/model/ids'
import { newConversationId } from '../../src/model/new-id'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { addressOf, ann, open, openingAt, said, tenant, write } from '../support/log-fixtures'

const MINUTE = 60_000

describe('the watch over silence', () => {
  let under: TestDatabase
  let conversations: Conversations
  const faults: unknown[] = []
  const watches: IdleWatch[] = []
  beforeEach(async () => {
    under = await openTestMemory()
    const suppression = new Suppression({ optOut: [], optIn: [] })
    const store = under.database.conversations
    conversations = new Conversations({ store, bus: new MemoryBus(), suppression, now: under.clock.now })
    faults.length = 0
  })
  afterEach(async () => {
    await Promise.all(watches.splice(0).map((watch) => watch.close()))
    await under.close()
  })
  const store = () => under.database.conversations
  const watch = (warningMs: number, endMs: number) => {
    const onFault = (cause: unknown) => faults.push(cause)
    const made = new IdleWatch({ conversations, tenant, warningMs, endMs, now: under.clock.now, onFault })
    watches.push(made)
    return made
  }
  const typesOf = async (id: ConversationId) =>
    (await store().events(tenant, id, 0, 100)).map(({ type }) => type).slice(1)
  const openMany = (count: number, prefix: string) =>
    Promise.all(Array.from({ length: count }, (_, i) => open(store(), `+${prefix}${i}`)))

  it('warns once, with the time of the end, and ends what stays silent', async () => {
    const id = await open(store(), '+1')
    const { check } = bound(watch(5 * MINUTE, 8 * MINUTE))
    under.clock.forward(5 * MINUTE + 1)
    await check()
    await check()
    const [warned] = await store().events(tenant, id, 1, 10)
    expect(warned).toMatchObject({ type: 'idleWarned', endsAt: under.clock.in(3 * MINUTE - 1) })
    under.clock.forward(3 * MINUTE - 1)
    await check()
    expect(await typesOf(id)).toEqual(['idleWarned'])
    under.clock.forward(1)
    await check()
    expect(await typesOf(id)).toEqual(['idleWarned', 'conversationEnded'])
  })
  it('begins again when somebody speaks after the warning', async () => {
    const id = await open(store(), '+1')
    const { check } = bound(watch(5 * MINUTE, 8 * MINUTE))
    under.clock.forward(6 * MINUTE)
    await check()
    await write(store(), id, said('still here'))
    under.clock.forward(3 * MINUTE)
    await check()
    under.clock.forward(3 * MINUTE)
    await check()
    expect(await typesOf(id)).toEqual(['idleWarned', 'messageSent', 'idleWarned'])
  })
  it('ends nothing that somebody joined when no end is set, and what nobody joined all the same', async () => {
    const joined = await open(store(), '+1')
    const address = addressOf('+2')
    const opening = openingAt(address)
    const id = newConversationId()
    await store().update({ tenant, address }, () => ({ open: { id, opening }, events: [] }))
    under.clock.forward(16 * MINUTE)
    await watch(0, 0).check()
    expect(await typesOf(joined)).toEqual([])
    expect(await store().find(tenant, id)).toMatchObject({ status: 'ended' })
  })
  it('is not starved by more than a thousand who were warned already', async () => {
    const old = await openMany(1_100, '1')
    const { check } = bound(watch(5 * MINUTE, 60 * MINUTE))
    under.clock.forward(6 * MINUTE)
    await check()
    expect(await typesOf(old.at(-1)!)).toEqual(['idleWarned'])
    const fresh = await open(store(), '+9')
    under.clock.forward(6 * MINUTE)
    await check()
    expect(await typesOf(fresh)).toEqual(['idleWarned'])
    expect(await typesOf(old[0]!)).toEqual(['idleWarned'])
  })
  it('has nothing to do with more than a page of those that nobody has joined yet, and then ends them', async () => {
    const ids = Array.from({ length: 501 }, () => newConversationId())
    const openings = ids.map((id, i) => {
      const address = addressOf(`+${i}`)
      return store().update({ tenant, address }, () => ({ open: { id, opening: openingAt(address) }, events: [] }))
    })
    await Promise.all(openings)
    const { check } = bound(watch(MINUTE, 5 * MINUTE))
    under.clock.forward(10 * MINUTE)
    await check()
    expect(await store().find(tenant, ids[0]!)).toMatchObject({ status: 'open', position: 0 })
    under.clock.forward(6 * MINUTE)
    await check()
    expect(await store().list(tenant, 'open', '', 10)).toEqual([])
  })
  it('goes on when one conversation cannot be written, and stops when the store is down', async () => {
    const [first, second] = await openMany(2, '1')
    const { check } = bound(watch(0, MINUTE))
    under.clock.forward(2 * MINUTE)
    const poison = new GatewayError('internal', 'No.')
    const idle = conversations.idle.bind(conversations)
    let asked = 0
    conversations.idle = (place, idleness) => {
      asked += 1
      return place.conversationId === first ? Promise.reject(poison) : idle(place, idleness)
    }
    await check()
    expect(faults).toEqual([poison])
    expect(await typesOf(second!)).toEqual(['conversationEnded'])
    await openMany(3, '2')
    under.clock.forward(2 * MINUTE)
    asked = 0
    conversations.idle = () => {
      asked += 1
      return Promise.reject(new GatewayError('unavailable', 'Down.'))
    }
    await expect(check()).rejects.toThrow('Down.')
    expect(asked).toBe(1)
  })
  it('looks by itself, and no more once it is closed', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] })
    try {
      const id = await open(store(), '+1')
      const made = watch(0, MINUTE)
      under.clock.forward(2 * MINUTE)
      jest.advanceTimersByTime(MINUTE)
      for (let i = 0; i < 10; i++) await new Promise(setImmediate)
      await made.close()
      jest.advanceTimersByTime(10 * MINUTE)
      expect(jest.getTimerCount()).toBe(0)
      expect(await typesOf(id)).toHaveLength(1)
    } finally {
      jest.useRealTimers()
    }
  })
  it('counts silence from the opening for a customer who never spoke', async () => {
    const id = await open(store(), '+1')
    under.clock.forward(MINUTE + 1)
    await write(store(), id, {
      type: 'activity',
      clientMessageId: null,
      digest: '',
      to: [],
      name: 'nod',
      info: {},
      by: ann,
    })
    await watch(0, MINUTE).check()
    expect(await typesOf(id)).toEqual(['activity', 'conversationEnded'])
  })
})

const bound = (watch: IdleWatch) => ({ check: () => watch.check() })
