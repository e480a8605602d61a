// What every bus must do, between nodes or within one.
import type { Bus, Notice } from '../../src/bus/bus'
import type { ConversationId } from '../../src/model/ids'
import { newAccountId, newConversationId } from '../../src/model/new-id'
import type { ConversationEvent, Ephemeral } from '../../src/model/events'
import { BusEars } from '../support/buses'
import { eventually } from '../support/eventually'
import { ann, said, tenant, whispered } from '../support/log-fixtures'
import { after, logOf } from '../support/picture'

export interface BusNetwork {
  /** Three nodes; where there is only one, three times the same. */
  readonly nodes: readonly [Bus, Bus, Bus]
  readonly faults: readonly unknown[]
  close(): Promise<void>
}

export function busContract(name: string, open: () => Promise<BusNetwork>): void {
  describe(`bus: ${name}`, () => {
    let network: BusNetwork
    beforeEach(async () => {
      network = await open()
    })
    afterEach(() => network.close())

    it('tells a node that follows what another node published, as it was and in order', async () => {
      const [here, there] = network.nodes
      const ears = new BusEars(there)
      const { place, events } = log(50)
      await there.join(place)
      here.publish(events.slice(0, 20))
      here.publish(
        events.slice(20),
        events.slice(20).map((event) => JSON.stringify(event)),
      )
      await eventually(() => ears.events.length === 50)
      expect(ears.events).toEqual(events)
    })
    it('tells its own node in the same tick, whether anybody asked or not', () => {
      const [here] = network.nodes
      const ears = new BusEars(here)
      const { place, events } = log(2)
      here.publish(events)
      here.publishEphemeral(typing(place))
      here.wake('sms', '+1')
      here.announce({ kind: 'begun', ...place })
      expect([ears.events, ears.ephemerals, ears.wakes]).toEqual([events, [typing(place)], ['sms/+1']])
      expect(ears.notices).toEqual([{ kind: 'begun', ...place }])
    })
    it('tells apart what another node published', async () => {
      const [here, there] = network.nodes
      const ears = new BusEars(there)
      const { place, events } = log(3)
      await there.join(place)
      there.publish([events[0]!])
      here.publish(events.slice(1))
      await eventually(() => ears.events.length === 3)
      expect(ears.ofOthers).toEqual(here === there ? [] : events.slice(1))
    })
    it('carries to every follower, be the publisher one of them or not', async () => {
      const [one, two, three] = network.nodes
      const [earsOne, earsTwo] = [new BusEars(one), new BusEars(two)]
      const { place, events } = log(3)
      await Promise.all([one.join(place), two.join(place)])
      three.publish([events[0]!])
      await eventually(() => earsOne.events.length === 1 && earsTwo.events.length === 1)
      one.publish([events[1]!])
      await eventually(() => earsTwo.events.length === 2)
      two.publish([events[2]!])
      await eventually(() => earsOne.events.length === 3)
      expect([earsOne.events, earsTwo.events]).toEqual([events, events])
    })
    it('carries typing, wakes where the channel is carried, and notices to every node', async () => {
      const [one, two, three] = network.nodes
      const ears = [new BusEars(one), new BusEars(two), new BusEars(three)]
      const { place } = log(0)
      await Promise.all([two.join(place), three.join({ channel: 'sms' })])
      one.publishEphemeral(typing(place))
      one.wake('sms', '+1')
      const notices: Notice[] = [
        { kind: 'changed', what: 'account', id: newAccountId() },
        { kind: 'changed', what: 'key', id: 'n1' },
        { kind: 'registered', tenant, channel: 'sms', account: '', instance: 'i1', fence: 7 },
        { kind: 'unregistered', tenant, channel: 'sms', account: '', instance: 'i1' },
        { kind: 'begun', ...place },
      ]
      for (const notice of notices) one.announce(notice)
      await eventually(() => ears[1]!.ephemerals.length === 1 && ears[2]!.wakes.length === 1)
      await eventually(() => ears.every(({ notices }) => notices.length === 5))
      for (const { notices: heard } of ears) expect(heard).toEqual(notices)
      expect([ears[1]!.ephemerals, ears[2]!.wakes]).toEqual([[typing(place)], ['sms/+1']])
    })
    it('misses nothing after a join that the joiner has not read itself or is not told to read', async () => {
      const [one, two, three] = network.nodes
      const ears = new BusEars(three)
      for (let round = 0; round < 30; round++) {
        const { place, next, at } = growing()
        await one.join(place)
        let isOver = false
        const storm = async (bus: Bus) => {
          while (!isOver) {
            bus.publish([next()])
            await new Promise(setImmediate)
          }
        }
        const storms = [storm(one), storm(two)]
        await new Promise(setImmediate)
        await three.join(place)
        const read = at()
        isOver = true
        await Promise.all(storms)
        const last = at()
        const heard = () => new Set(ears.events.flatMap((e) => (isOf(place, e) ? [e.position] : [])))
        const known = () =>
          Math.max(0, ...ears.positions.flatMap(([id, p]) => (id === place.conversationId ? [p] : [])))
        await eventually(() => {
          const [all, told] = [heard(), known()]
          for (let position = read + 1; position <= last; position++)
            if (!all.has(position) && told < position) return false
          return true
        })
      }
    })
    it('takes joining twice for once, and leaving what was not joined for nothing', async () => {
      const [here, there] = network.nodes
      const ears = new BusEars(there)
      const { place, events } = log(2)
      there.leave(place)
      await Promise.all([there.join(place), there.join(place)])
      there.leave(place)
      await there.join(place)
      here.publish(events)
      await eventually(() => ears.events.length === 2)
      expect(ears.events).toEqual(events)
    })
    it('harms nobody else when a listener throws, and tells of it', async () => {
      const [here, there] = network.nodes
      const fault = new Error('broken')
      there.subscribe({
        hear: () => {
          throw fault
        },
      })
      const ears = new BusEars(there)
      const { place, events } = log(1)
      await there.join(place)
      here.publish(events)
      await eventually(() => ears.events.length === 1)
      expect(network.faults).toContain(fault)
    })
    it('tells nobody who has unsubscribed, and is deaf and dumb after it was closed', async () => {
      const [here] = network.nodes
      const heard: unknown[] = []
      const stop = here.subscribe({ hear: (events) => heard.push(events) })
      stop()
      stop()
      const { place, events } = log(1)
      here.publish(events)
      const ears = new BusEars(here)
      await here.close()
      here.publish(events)
      here.publishEphemeral(typing(place))
      here.wake('sms', '')
      here.announce({ kind: 'changed', what: 'key', id: '' })
      here.leave(place)
      await here.join(place)
      expect([heard, ears.events, ears.notices]).toEqual([[], [], []])
    })
    it('is well', () => {
      expect(network.nodes.map((bus) => bus.health())).toEqual([{ status: 'ok' }, { status: 'ok' }, { status: 'ok' }])
    })
  })
}

const isOf = (place: { conversationId: ConversationId }, event: ConversationEvent): boolean =>
  event.conversationId === place.conversationId

function log(count: number) {
  const drafts = Array.from({ length: count }, (_, i) => (i % 3 === 2 ? whispered(`${i} ☎`) : said(`${i} 👋`)))
  const { conversation, events } = logOf(drafts)
  return { place: { tenant, conversationId: conversation.id }, events }
}
/** A log that grows under the hands of several nodes. */
function growing() {
  let { conversation } = logOf([])
  const next = (): ConversationEvent => {
    const grown = after(conversation, [said('x')])
    conversation = grown.conversation
    return grown.events[0]!
  }
  return { place: { tenant, conversationId: conversation.id }, next, at: () => conversation.position }
}
const typing = (place: { conversationId: ConversationId } = { conversationId: newConversationId() }): Ephemeral => ({
  tenant,
  conversationId: place.conversationId,
  type: 'typing',
  by: ann,
  to: [],
  state: 'started',
  internal: false,
  at: '',
})
