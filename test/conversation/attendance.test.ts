// Members whose last connection is gone for the grace leave, wherever it was; those who come back in time never left.
import { Attendance } from '../../src/conversation/attendance'
import { Conversations } from '../../src/conversation/conversations'
import { Suppression } from '../../src/conversation/suppression'
import { MemoryBus } from '../../src/bus/memory-bus'
import type { ConversationId } from '../../src/model/ids'
import { newAccountId } from '../../src/model/new-id'
import type { AttendanceStore } from '../../src/store/attendance-store'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { bo, open, tenant } from '../support/log-fixtures'

const GRACE = 60_000
/** Longer than a node is believed to live without a word. */
const DEAD = 12_000

describe('attendance', () => {
  let under: TestDatabase
  let conversations: Conversations
  let here: Attendance
  let there: Attendance
  let id: ConversationId
  const faults: unknown[] = []
  beforeEach(async () => {
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'Date', 'setInterval'],
    })
    under = await openTestMemory()
    const store = under.database.conversations
    const suppression = new Suppression({ optOut: [], optIn: [] })
    conversations = new Conversations({ store, bus: new MemoryBus(), suppression, now: under.clock.now })
    here = nodeOf('here')
    there = nodeOf('there')
    await Promise.all([here.open(), there.open()])
    id = await open(store, '+1')
    await conversations.join(place(), { participant: bo, account: newAccountId(), presence: 'live', silent: false })
    faults.length = 0
  })
  afterEach(async () => {
    await Promise.all([here.close(), there.close()])
    await under.close()
    jest.useRealTimers()
  })
  const nodeOf = (node: string, store: AttendanceStore = under.database.attendance) =>
    new Attendance({
      ...{ conversations, store, tenant, node, graceMs: GRACE },
      onFault: (cause) => faults.push(cause),
    })
  const place = () => ({ tenant, conversationId: id })
  const turns = async () => {
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  }
  /** In small steps, for what happens in one sets the clock for the next. */
  const pass = async (ms: number) => {
    await turns()
    for (let rest = ms; rest > 0; rest -= 1_000) {
      under.clock.forward(Math.min(rest, 1_000))
      jest.advanceTimersByTime(Math.min(rest, 1_000))
      await turns()
    }
  }
  const isHere = async () => (await conversations.get(place())).memberships.some((m) => m.id === bo.id && !m.left)
  const events = () => under.database.conversations.events(tenant, id, 2, 10)

  it('takes a member out when the last connection has been gone for the grace, with the reason', async () => {
    const gone = await here.arrive(place(), bo.id)
    gone()
    await pass(GRACE - 1)
    expect(await isHere()).toBe(true)
    await pass(2)
    expect(await events()).toMatchObject([{ type: 'participantLeft', participant: bo, reason: 'disconnected' }])
  })
  it('leaves in peace who comes back in time, however often, and who has another connection', async () => {
    for (let i = 0; i < 5; i++) {
      const gone = await here.arrive(place(), bo.id)
      gone()
      await pass(GRACE - 1)
    }
    const tab = await here.arrive(place(), bo.id)
    const other = await here.arrive(place(), bo.id)
    other()
    await pass(3 * GRACE)
    expect(await isHere()).toBe(true)
    tab()
    tab()
    await pass(GRACE + 1)
    expect(await isHere()).toBe(false)
  })
  it('leaves in peace who came back on another node, or had a connection there all the time', async () => {
    const gone = await here.arrive(place(), bo.id)
    const back = await there.arrive(place(), bo.id)
    gone()
    await pass(2 * GRACE)
    expect(await isHere()).toBe(true)
    back()
    await pass(GRACE + 1)
    expect(await isHere()).toBe(false)
  })
  it('gives those on a node that died the grace, and takes out who does not come back', async () => {
    const store = under.database.attendance
    const third = nodeOf('third', { ...bound(store), close: () => Promise.reject(new Error('killed')) })
    await third.open()
    await third.arrive(place(), bo.id)
    await third.close() // without a word to the store, as if it had been killed
    await pass(DEAD + GRACE - 3_000)
    expect(await isHere()).toBe(true)
    await pass(5_000)
    expect(await isHere()).toBe(false)
  })
  it('takes nobody out of a node that closes before the grace', async () => {
    await here.arrive(place(), bo.id)
    await here.close()
    await pass(GRACE - 1)
    expect(await isHere()).toBe(true)
    await pass(2_001)
    expect(await isHere()).toBe(false)
  })
  it('says again who is on a node that was taken for dead', async () => {
    await here.arrive(place(), bo.id)
    await under.database.attendance.close('here', GRACE)
    await pass(3 * GRACE)
    expect(await isHere()).toBe(true)
  })
  it('refuses who cannot be written down, and does not count them', async () => {
    const store = { ...bound(under.database.attendance), arrive: () => Promise.reject(new Error('down')) }
    const third = nodeOf('third', store)
    await expect(third.arrive(place(), bo.id)).rejects.toMatchObject({ code: 'internal' })
    await third.close()
  })
  it('tries again when somebody could not be taken out', async () => {
    const leave = conversations.leave.bind(conversations)
    conversations.leave = () => Promise.reject(new Error('down'))
    const gone = await here.arrive(place(), bo.id)
    gone()
    await pass(GRACE + 1)
    expect(faults).not.toEqual([])
    conversations.leave = leave
    await pass(15_000)
    expect(await isHere()).toBe(false)
  })
  it('does nothing more once it is closed', async () => {
    const late = await here.arrive(place(), bo.id)
    await Promise.all([here.close(), there.close()])
    late()
    expect(jest.getTimerCount()).toBe(0)
  })
})

/** Its methods, to be replaced one by one. */
const bound = (store: AttendanceStore): AttendanceStore => ({
  beat: (...beat) => store.beat(...beat),
  close: (...closing) => store.close(...closing),
  arrive: (...arrival) => store.arrive(...arrival),
  depart: (...departure) => store.depart(...departure),
  claimGone: (...claim) => store.claimGone(...claim),
  forget: (...forgotten) => store.forget(...forgotten),
  nextGoneIn: (...asked) => store.nextGoneIn(...asked),
})
