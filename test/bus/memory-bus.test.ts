// The bus of one node: whoever listens hears at once, and nobody stands in anybody's way.
import { MemoryBus } from '../../src/bus/memory-bus'
import type { BusListener } from '../../src/bus/bus'
import type { ConversationEvent, Ephemeral } from '../../src/model/events'
import { ann, said, whispered } from '../support/log-fixtures'
import { logOf } from '../support/picture'

const { events } = logOf([said('a'), whispered('b')])
const { tenant, id: conversationId } = logOf([]).conversation
const typing: Ephemeral = {
  tenant,
  conversationId,
  type: 'typing',
  by: ann,
  to: [],
  state: 'started',
  internal: false,
  at: '',
}

function listener(heard: unknown[], more: Partial<BusListener> = {}): Partial<BusListener> {
  return {
    hear: (said: readonly ConversationEvent[]) => void heard.push(said),
    hearEphemeral: (ephemeral) => void heard.push(ephemeral),
    wake: (channel, account) => void heard.push([channel, account]),
    missed: () => void heard.push('missed'),
    ...more,
  }
}

describe('the bus of one node', () => {
  it('tells every listener at once and in order', () => {
    const bus = new MemoryBus()
    const [one, two]: unknown[][] = [[], []]
    bus.subscribe(listener(one!))
    bus.subscribe(listener(two!))
    bus.publish(events)
    bus.publishEphemeral(typing)
    bus.wake('sms', '+1')
    expect(one).toEqual([events, typing, ['sms', '+1']])
    expect(two).toEqual(one)
  })
  it('tells nobody who has unsubscribed, or after it was closed', async () => {
    const bus = new MemoryBus()
    const [gone, here]: unknown[][] = [[], []]
    const stop = bus.subscribe(listener(gone!))
    bus.subscribe(listener(here!))
    stop()
    stop()
    bus.publish(events)
    await bus.close()
    bus.publish(events)
    expect([gone, here]).toEqual([[], [events]])
  })
  it('hears itself without asking, and forgets without being told', async () => {
    const bus = new MemoryBus()
    await expect(bus.join()).resolves.toBeUndefined()
    expect(() => bus.leave()).not.toThrow()
  })
  it('never throws, and a listener that does harms no other', () => {
    const faults: unknown[] = []
    const bus = new MemoryBus({ onFault: (cause) => faults.push(cause) })
    const fault = new Error('broken')
    const broken = () => {
      throw fault
    }
    const heard: unknown[] = []
    bus.subscribe(listener([], { hear: broken, hearEphemeral: broken, wake: broken }))
    bus.subscribe(listener(heard))
    bus.publish(events)
    bus.publishEphemeral(typing)
    bus.wake('sms', '')
    expect(heard).toHaveLength(3)
    expect(faults).toEqual([fault, fault, fault])
  })
})
