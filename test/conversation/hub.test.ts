// Following a conversation: history, what is live and healed gaps are one stream.
import { Hub } from '../../src/conversation/hub'
import type { ConversationId } from '../../src/model/ids'
import type { Ephemeral } from '../../src/model/events'
import type { ConversationStore } from '../../src/store/conversation-store'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { eventually } from '../support/eventually'
import { Ears, HeldBus, hindered, range } from '../support/followers'
import { bo, open, said, tenant, whispered, write } from '../support/log-fixtures'

/** Holds up whoever comes until it is opened. */
class Gate {
  open = (): void => undefined
  readonly passed = new Promise<void>((resolve) => {
    this.open = resolve
  })
}

describe('following a conversation', () => {
  let under: TestDatabase
  let store: ConversationStore
  let bus: HeldBus
  let hub: Hub
  let id: ConversationId
  const faults: unknown[] = []
  beforeEach(async () => {
    under = await openTestMemory()
    store = under.database.conversations
    id = await open(store, '+1')
    bus = new HeldBus()
    bus.isOpen = true
    store.onCommitted((events) => bus.publish(events))
    faults.length = 0
    hub = new Hub({ store, bus, onFault: (cause) => faults.push(cause) })
  })
  afterEach(async () => {
    hub.close()
    await under.close()
  })
  const hubOn = (hindrance: Parameters<typeof hindered>[1]) => {
    hub.close()
    hub = new Hub({ store: hindered(store, hindrance), bus, onFault: (cause) => faults.push(cause) })
    return hub
  }
  const fill = (count: number) => write(store, id, ...range(1, count).map((n) => said(`${n}`)))

  it('gives staff everything and the public what is public, each by its own count', async () => {
    await write(store, id, said('a'), whispered('b'))
    const [staff, ann] = [new Ears('staff'), new Ears('public')]
    await Promise.all([staff.follow(hub, id).caughtUp, ann.follow(hub, id).caughtUp])
    await write(store, id, whispered('c'), said('d'))
    expect(staff.counts).toEqual([1, 2, 3, 4, 5])
    expect(ann.counts).toEqual([1, 2, 3])
    expect(ann.types).toEqual(['participantJoined', 'messageSent', 'messageSent'])
  })
  it('tells nothing that a hint brings too late, when it was erased meanwhile: only what the log still says', async () => {
    const heard: string[] = []
    const late = { history: async () => undefined, live: () => undefined, hearEphemeral: () => undefined }
    const following = hub.followAsStaff({ tenant, conversationId: id }, 1, {
      ...late,
      hear: (event) => void heard.push(event.type === 'messageSent' ? event.content.text : event.type),
    })
    await following.caughtUp
    bus.isOpen = false
    await write(store, id, said('secret'))
    await under.database.erasures.eraseEvents({ tenant, conversationId: id }, 0, 10)
    bus.announce({ kind: 'erased', tenant, conversationId: id })
    bus.releaseAll()
    await eventually(() => heard.length === 1)
    expect(heard).toEqual([''])
  })
  it('begins after what was heard, and at the end for who claims to have heard more than was said', async () => {
    await fill(9)
    const [some, all, more] = [new Ears('public'), new Ears('public'), new Ears('staff')]
    const followings = [some.follow(hub, id, 7), all.follow(hub, id, 10), more.follow(hub, id, 10_000)]
    await Promise.all(followings.map(({ caughtUp }) => caughtUp))
    expect([some.counts, all.counts, more.counts]).toEqual([[8, 9, 10], [], []])
    await fill(1)
    expect([some.last, all.counts, more.counts]).toEqual([11, [11], [11]])
  })
  it('turns the pages of a long history one by one, at the reader’s speed', async () => {
    await fill(1_200)
    let reads = 0
    const ears = new Ears('public')
    let turn = (): void => undefined
    ears.turning = () => new Promise((resolve) => (turn = resolve))
    const { caughtUp } = ears.follow(
      hubOn({
        before: (what) => {
          if (what === 'events') reads += 1
        },
      }),
      id,
    )
    await eventually(() => ears.pages.length === 1)
    await fill(700)
    expect([reads, ears.pages]).toEqual([1, [500]])
    for (const pages of [2, 3, 4]) {
      turn()
      await eventually(() => ears.pages.length === pages)
    }
    expect(ears.isLive).toBe(false)
    turn()
    await caughtUp
    expect(ears.counts).toEqual(range(1, 1_901))
  })
  it('loses nothing of a storm that is written while somebody joins', async () => {
    const storm = Promise.all(range(1, 300).map((n) => write(store, id, said(`${n}`), whispered('x'))))
    const joiners = range(1, 20).map((n) => new Ears(n % 2 ? 'staff' : 'public'))
    for (const ears of joiners) {
      await ears.follow(hub, id).caughtUp
      await new Promise(setImmediate)
    }
    await storm
    for (const ears of joiners) expect(ears.counts).toEqual(range(1, ears.audience === 'staff' ? 601 : 301))
  })
  it('hears what was said while it asked where the log stands, however much that was', async () => {
    const gate = new Gate()
    const slow = hubOn({ after: () => gate.passed })
    const ears = new Ears('public')
    const { caughtUp } = ears.follow(slow, id)
    await eventually(() => bus.isAskedFor(id))
    await new Promise(setImmediate)
    for (let i = 0; i < 15; i++) await fill(100)
    gate.open()
    await caughtUp
    await eventually(() => ears.last === 1_501)
    expect(ears.counts).toEqual(range(1, 1_501))
  })
  it('reads again when the bus was deaf, even while it asked where the log stands', async () => {
    const gate = new Gate()
    const slow = hubOn({ after: () => gate.passed })
    const ears = new Ears('public')
    const { caughtUp } = ears.follow(slow, id)
    await eventually(() => bus.isAskedFor(id))
    await new Promise(setImmediate)
    bus.isOpen = false
    await fill(3)
    bus.held.length = 0
    bus.missed()
    gate.open()
    await caughtUp
    await eventually(() => ears.last === 4)
    expect(ears.counts).toEqual([1, 2, 3, 4])
  })
  it('tells typing to whom it concerns, and not before history has ended', async () => {
    const [staff, ann, reading] = [new Ears('staff'), new Ears('public'), new Ears('public')]
    await Promise.all([staff.follow(hub, id).caughtUp, ann.follow(hub, id).caughtUp])
    reading.turning = () => new Promise(() => undefined)
    reading.follow(hub, id)
    await eventually(() => reading.pages.length === 1)
    const typing: Ephemeral = {
      tenant,
      conversationId: id,
      type: 'typing',
      by: bo,
      to: [],
      state: 'started',
      internal: false,
      at: '',
    }
    bus.publishEphemeral(typing)
    bus.publishEphemeral({ ...typing, internal: true })
    expect([staff.ephemeral.length, ann.ephemeral.length, reading.ephemeral.length]).toEqual([2, 1, 0])
  })
  it('harms nobody else when one follower fails', async () => {
    const [broken, fine] = [new Ears('public'), new Ears('staff')]
    await broken.follow(hub, id).caughtUp
    await fine.follow(hub, id).caughtUp
    broken.hear = () => {
      throw new Error('broken')
    }
    await fill(2)
    expect(fine.counts).toEqual([1, 2, 3])
    expect(faults).toHaveLength(2)
  })

  describe('and leaving', () => {
    it('is told nothing more, and the bus is left with the last one', async () => {
      const [one, two] = [new Ears('public'), new Ears('staff')]
      const first = one.follow(hub, id)
      const second = two.follow(hub, id)
      await Promise.all([first.caughtUp, second.caughtUp])
      first.leave()
      await fill(1)
      expect([one.last, two.last, bus.left]).toEqual([1, 2, []])
      second.leave()
      second.leave()
      expect(bus.left).toEqual([id])
    })
    it('during history, or before it began, leaves nothing behind', async () => {
      await fill(600)
      const reading = new Ears('public')
      let turn = (): void => undefined
      reading.turning = () => new Promise((resolve) => (turn = resolve))
      const following = reading.follow(hub, id)
      await eventually(() => reading.pages.length === 1)
      following.leave()
      turn()
      await following.caughtUp
      const never = new Ears('staff')
      const gone = never.follow(hub, id)
      gone.leave()
      await gone.caughtUp
      expect([reading.counts.length, reading.isLive, never.counts, never.isLive]).toEqual([500, false, [], false])
      await eventually(() => bus.left.length === 2)
      expect(bus.isAskedFor(id)).toBe(false)
    })
    it('and coming back in the same tick hears on', async () => {
      const ears = new Ears('public')
      const first = ears.follow(hub, id)
      await first.caughtUp
      first.leave()
      const again = new Ears('public')
      await again.follow(hub, id, ears.last).caughtUp
      await fill(2)
      expect([ears.counts, again.counts]).toEqual([[1], [2, 3]])
    })
  })

  describe('reaching a position', () => {
    it('is known when every live follower has heard it, and at once where nobody follows', async () => {
      const place = { tenant, conversationId: id }
      await hub.reached(place, 99)
      const ears = new Ears('staff')
      const following = ears.follow(hub, id)
      await following.caughtUp
      const order: string[] = []
      const reached = hub.reached(place, 3).then(() => order.push(`reached ${ears.last}`))
      await hub.reached(place, 1)
      await fill(2)
      await reached
      expect(order).toEqual(['reached 3'])
      const never = hub.reached(place, 99)
      following.leave()
      await never
    })
    it('is known though the hint was lost, and nothing was said since', async () => {
      const ears = new Ears('public')
      await ears.follow(hub, id).caughtUp
      bus.isOpen = false
      await fill(2)
      while (bus.held.length > 0) bus.drop(0)
      await hub.reached({ tenant, conversationId: id }, 3)
      expect(ears.counts).toEqual([1, 2, 3])
    })
  })
})
