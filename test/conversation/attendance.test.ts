// Members whose last connection is gone for the grace leave; those who come back in time never left.
import { Attendance } from '../../src/conversation/attendance'
import { Conversations } from '../../src/conversation/conversations'
import { Suppression } from '../../src/conversation/suppression'
import { MemoryBus } from '../../src/bus/memory-bus'
import type { ConversationId } from '../../src/model/ids'
import { newAccountId } from '../../src/model/new-id'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { ann, bo, ended, open, tenant, write } from '../support/log-fixtures'

const GRACE = 60_000

describe('attendance', () => {
  let under: TestDatabase
  let conversations: Conversations
  let attendance: Attendance
  let id: ConversationId
  const faults: unknown[] = []
  beforeEach(async () => {
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date', 'setInterval'],
    })
    under = await openTestMemory()
    const store = under.database.conversations
    const suppression = new Suppression({ optOut: [], optIn: [] })
    conversations = new Conversations({ store, bus: new MemoryBus(), suppression, now: under.clock.now })
    attendance = newAttendance()
    id = await open(store, '+1')
    await conversations.join(place(), { participant: bo, account: newAccountId(), presence: 'live', silent: false })
    faults.length = 0
  })
  afterEach(async () => {
    attendance.close()
    await under.close()
    jest.useRealTimers()
  })
  const newAttendance = () => new Attendance({ conversations, graceMs: GRACE, onFault: (cause) => faults.push(cause) })
  const place = () => ({ tenant, conversationId: id })
  const pass = async (ms: number) => {
    jest.advanceTimersByTime(ms)
    for (let i = 0; i < 10; i++) await new Promise(setImmediate)
  }
  const isHere = async () => (await conversations.get(place())).memberships.some((m) => m.id === bo.id && !m.left)
  const events = () => under.database.conversations.events(tenant, id, 2, 10)

  it('takes a member out when the last connection has been gone for the grace, with the reason', async () => {
    const gone = attendance.arrive(place(), bo.id)
    gone()
    await pass(GRACE - 1)
    expect(await isHere()).toBe(true)
    await pass(1)
    expect(await events()).toMatchObject([{ type: 'participantLeft', participant: bo, reason: 'disconnected' }])
  })
  it('leaves in peace who comes back in time, however often, and who has another connection', async () => {
    for (let i = 0; i < 5; i++) {
      attendance.arrive(place(), bo.id)()
      await pass(GRACE - 1)
    }
    const tab = attendance.arrive(place(), bo.id)
    attendance.arrive(place(), bo.id)()
    await pass(10 * GRACE)
    expect(await isHere()).toBe(true)
    tab()
    tab()
    await pass(GRACE)
    expect(await isHere()).toBe(false)
  })
  it('forgets who has left for good', async () => {
    const gone = attendance.arrive(place(), bo.id)
    await conversations.leave(place(), bo.id, 'left')
    gone()
    attendance.forget(place(), bo.id)
    expect(jest.getTimerCount()).toBe(0)
  })
  it('does not forget who has left and is back already', async () => {
    const gone = attendance.arrive(place(), bo.id)
    await conversations.leave(place(), bo.id, 'left')
    const back = attendance.arrive(place(), bo.id)
    gone()
    attendance.forget(place(), bo.id)
    await conversations.join(place(), { participant: bo, presence: 'live', silent: false })
    back()
    await pass(GRACE)
    expect(await isHere()).toBe(false)
  })
  it('tries again when the store could not be written', async () => {
    const leave = conversations.leave.bind(conversations)
    conversations.leave = () => Promise.reject(new Error('down'))
    attendance.arrive(place(), bo.id)()
    await pass(GRACE)
    expect(faults).toHaveLength(1)
    conversations.leave = leave
    await pass(GRACE)
    expect(await isHere()).toBe(false)
    expect(jest.getTimerCount()).toBe(0)
  })
  it('takes out whom an earlier process left behind and who does not come back, on every page', async () => {
    const rest = await Promise.all(Array.from({ length: 450 }, (_, i) => open(under.database.conversations, `+2${i}`)))
    const live = { type: 'presenceChanged', participant: ann, presence: 'live', by: ann } as const
    await Promise.all(rest.map((one) => write(under.database.conversations, one, live)))
    await write(under.database.conversations, rest[0]!, ended)
    await attendance.recover(tenant)
    const back = attendance.arrive({ tenant, conversationId: rest[1]! }, ann.id)
    expect(await isHere()).toBe(true)
    await pass(GRACE)
    expect(await isHere()).toBe(false)
    const found = await Promise.all(rest.map((one) => conversations.find(tenant, one)))
    const stillLive = found.filter((one) => one!.memberships[0]!.presence === 'live').map((one) => one!.id)
    expect(stillLive.sort()).toEqual([rest[0]!, rest[1]!].sort())
    back()
  })
  it('does nothing more once it is closed', async () => {
    attendance.arrive(place(), bo.id)()
    const late = attendance.arrive(place(), ann.id)
    attendance.close()
    late()
    expect(jest.getTimerCount()).toBe(0)
  })
})
