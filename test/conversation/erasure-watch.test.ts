// What is erased by itself: what was kept for long enough, and what somebody began and did not end.
import { MemoryBus } from '../../src/bus/memory-bus'
import { Erasure, type ErasureDeps } from '../../src/conversation/erasure'
import { GATEWAY } from '../../src/conversation/erasure-rules'
import { ErasureWatch } from '../../src/conversation/erasure-watch'
import { Retention } from '../../src/conversation/retention'
import { isErased } from '../../src/model/erased'
import { GatewayError } from '../../src/model/errors'
import type { ConversationId } from '../../src/model/ids'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { eventually } from '../support/eventually'
import { ended, open, said, tenant, write } from '../support/log-fixtures'

const DAY_MS = 86_400_000
const who = { channel: 'sms', account: null, refId: '+1' }

let under: TestDatabase
const buses: MemoryBus[] = []
const watches: ErasureWatch[] = []
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.close()))
  await Promise.all(buses.splice(0).map((bus) => bus.close()))
  await under.close()
})
const store = () => under.database.conversations
const at = (conversationId: ConversationId) => ({ tenant, conversationId })
const wholeLog = async (id: ConversationId) => JSON.stringify(await store().events(tenant, id, 0, 10_000))

function start(more: Partial<ErasureDeps> = {}): { erasure: Erasure } {
  const bus = new MemoryBus()
  buses.push(bus)
  const { custody, erasures } = under.database
  const retention = new Retention([{ channel: 'sms', days: 30 }])
  return { erasure: new Erasure({ store: store(), custody, erasures, bus, retention, now: under.clock.now, ...more }) }
}

describe('what is erased by itself', () => {
  beforeEach(async () => {
    under = await openTestMemory()
  })
  const watch = (erasure: Erasure, more: Partial<ConstructorParameters<typeof ErasureWatch>[0]> = {}) => {
    const { custody } = under.database
    const heard: ConversationId[] = []
    const faults: unknown[] = []
    const made = new ErasureWatch({
      ...{ erasure, custody, tenant, now: under.clock.now, firstMs: 5, intervalMs: 5 },
      onErased: (id) => heard.push(id),
      onFault: (cause) => faults.push(cause),
      ...more,
    })
    watches.push(made)
    return { heard, faults, watch: made }
  }

  it('is what ended longer ago than its channel keeps, and not what is held, lives, or is of another channel', async () => {
    const { erasure } = start()
    const over = await open(store(), '+1')
    const held = await open(store(), '+2')
    const alive = await open(store(), '+3')
    const web = await open(store(), '+4', { address: { channel: 'web', account: '', refId: 'w' }, carried: false })
    for (const id of [over, held, web]) await write(store(), id, ended)
    await erasure.hold(at(held), { reason: '' })
    under.clock.forward(30 * DAY_MS)
    const young = await open(store(), '+5')
    await write(store(), young, ended)
    under.clock.forward(1)
    expect(await erasure.due(tenant)).toEqual([{ channel: 'sms', due: 1, held: 1 }])
    watch(erasure)
    const erased = async () => {
      const all = await Promise.all([over, held, alive, web, young].map((id) => store().find(tenant, id)))
      return all.map((one) => isErased(one!))
    }
    await eventually(async () => (await erased())[0] === true)
    expect(await erased()).toEqual([true, false, false, false, false])
    expect((await store().events(tenant, over, 0, 10)).at(-1)).toMatchObject({ by: { role: 'system' } })
    await eventually(async () => (await erasure.due(tenant)).every(({ due }) => due === 0))
  })
  it('is finished that somebody began and died over, whatever step that was', async () => {
    const { erasures, custody } = under.database
    const steps = ['eraseEvents', 'eraseRest', 'scrub'] as const
    for (const step of steps) {
      const dies = {
        eraseEvents: (...wish: Parameters<typeof erasures.eraseEvents>) => erasures.eraseEvents(...wish),
        eraseRest: (...wish: Parameters<typeof erasures.eraseRest>) => erasures.eraseRest(...wish),
        eraseAddress: (...wish: Parameters<typeof erasures.eraseAddress>) => erasures.eraseAddress(...wish),
        scrub: () => erasures.scrub(),
        [step]: () => Promise.reject(new GatewayError('unavailable', 'Gone.')),
      }
      const id = await open(store(), '+1')
      await write(store(), id, said('secret'))
      const dying = start({ erasures: dies }).erasure.eraseCustomer(tenant, who, GATEWAY)
      await expect(dying).rejects.toMatchObject({ code: 'unavailable' })
      under.clock.forward(6 * 60_000)
      await start().erasure.catchUp(tenant, () => false)
      expect(await wholeLog(id)).not.toContain('secret')
      expect(await custody.find(at(id))).toMatchObject({ erasure: 'done' })
      under.clock.forward(1)
    }
  })
  it('is told to whoever has something at hand, also when the notice was lost, and not twice for ever', async () => {
    const { erasure } = start()
    const id = await open(store(), '+1')
    await erasure.eraseConversation(at(id), GATEWAY)
    const { heard, watch: here } = watch(erasure, { firstMs: DAY_MS })
    await here.check()
    expect(heard).toEqual([id])
    under.clock.forward(10 * 60_000)
    await here.check()
    await here.check()
    expect(heard.length).toBeLessThanOrEqual(2)
  })
  it('waits for a store that is down, and goes on', async () => {
    const { erasure } = start()
    let isDown = true
    const custody = {
      erasedSince: async (...asked: Parameters<TestDatabase['database']['custody']['erasedSince']>) => {
        if (isDown) throw new GatewayError('unavailable', 'Down.')
        return under.database.custody.erasedSince(...asked)
      },
    }
    const id = await open(store(), '+1')
    await write(store(), id, ended)
    under.clock.forward(31 * DAY_MS)
    const { faults } = watch(erasure, { custody })
    await eventually(() => faults.length > 0)
    isDown = false
    await eventually(async () => isErased((await store().find(tenant, id))!))
  })
})
