// What every custody store must do: find by customer, hold, mark for erasure, and give what is due to one at a time.
import type { ConversationId } from '../../src/model/ids'
import type { EndedBefore, Who } from '../../src/store/custody-store'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { addressOf, bo, ended, open, tenant, write } from '../support/log-fixtures'

const CLAIM = { limit: 10, claimMs: 1_000 }
const DAY_MS = 86_400_000
const other = 'other' as typeof tenant

export function custodyContract(name: string, openDatabase: OpenDatabase): void {
  describe(`custody: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.conversations
    const custody = () => under.database.custody
    const at = (conversationId: ConversationId) => ({ tenant, conversationId })
    const who: Who = { channel: 'sms', account: '+1000', refId: '+1' }
    const ids = (more: Partial<Who> = {}, after = '', limit = 10) =>
      custody().conversationsOf(tenant, { ...who, ...more }, after, limit)

    it('finds the conversations of a customer, living and ended, page by page', async () => {
      const first = await open(store(), '+1')
      await write(store(), first, ended)
      const second = await open(store(), '+1')
      await open(store(), '+2')
      const all = [first, second].sort()
      expect(await ids()).toEqual(all)
      expect(await ids({ account: null })).toEqual(all)
      expect(await ids({ account: '+2000' })).toEqual([])
      expect([await ids({}, '', 1), await ids({}, all[0], 1), await ids({}, all[1], 1)]).toEqual([
        ...[[all[0]], [all[1]], []],
      ])
      expect(await custody().conversationsOf(other, who, '', 10)).toEqual([])
    })
    it('knows when a conversation ended, and whose it is, until it is erased', async () => {
      const id = await open(store(), '+1')
      const free = { conversationId: id, hold: null, erasure: 'none' }
      expect(await custody().find(at(id))).toEqual({ ...free, address: addressOf('+1'), endedAt: '' })
      await write(store(), id, ended)
      expect(await custody().find(at(id))).toMatchObject({ endedAt: under.clock.in(0) })
      expect(await custody().begin(at(id), addressOf('+1'))).toBe('due')
      expect(await custody().begin(at(id), addressOf('+1'))).toBe('due')
      expect(await ids()).toEqual([id])
      await write(store(), id, { type: 'conversationErased', counts: { events: 0, deliveries: 0, files: 0 }, by: bo })
      await custody().erased(at(id))
      expect(await custody().begin(at(id), addressOf('+1'))).toBe('done')
      expect(await custody().find(at(id))).toMatchObject({ erasure: 'done', address: { refId: '' } })
      expect(await ids()).toEqual([])
      expect(await custody().find({ tenant: other, conversationId: id })).toBeNull()
    })
    it('does not begin to erase what is held, and does not hold what is being erased', async () => {
      const id = await open(store(), '+1')
      expect(await custody().hold(at(id), addressOf('+1'), { reason: 'case 7' })).toBe(true)
      const since = under.clock.in(0)
      under.clock.forward(1_000)
      expect(await custody().hold(at(id), addressOf('+1'), { reason: 'case 8' })).toBe(true)
      expect(await custody().find(at(id))).toMatchObject({ hold: { reason: 'case 8', since } })
      expect(await custody().begin(at(id), addressOf('+1'))).toBe('held')
      expect(await custody().hold(at(id), addressOf('+1'), null)).toBe(true)
      expect(await custody().find(at(id))).toMatchObject({ hold: null, erasure: 'none' })
      expect(await custody().begin(at(id), addressOf('+1'))).toBe('due')
      expect(await custody().hold(at(id), addressOf('+1'), { reason: 'late' })).toBe(false)
    })

    const afterDays =
      (days: Readonly<Record<string, number>>): EndedBefore =>
      (channel) => {
        const kept = days[channel] ?? days['*']
        return kept === undefined ? null : under.clock.in(-kept * DAY_MS)
      }
    const claim = async (days: Readonly<Record<string, number>>) =>
      (await custody().claim(tenant, afterDays(days), CLAIM)).conversations
    it('gives what has been kept for long enough, by channel, longest ended first, once for the time of a claim', async () => {
      const first = await open(store(), '+1')
      const web = await open(store(), '+9', { address: { channel: 'web', account: '', refId: 'w' }, carried: false })
      await open(store(), '+3')
      await write(store(), web, ended)
      await write(store(), first, ended)
      under.clock.forward(1_000)
      const second = await open(store(), '+2')
      await write(store(), second, ended)
      under.clock.forward(10 * DAY_MS)
      expect(await claim({})).toEqual([])
      expect(await claim({ sms: 11, web: 11 })).toEqual([])
      expect(await claim({ sms: 10 })).toEqual([first])
      under.clock.forward(1_000)
      expect([...(await claim({ sms: 10 }))].sort()).toEqual([first, second].sort())
      expect(await claim({ sms: 10, '*': 5 })).toEqual([web])
      expect(await claim({ sms: 1, '*': 1 })).toEqual([])
      expect(await custody().due(tenant, afterDays({ sms: 1, '*': 1 }))).toEqual([
        { channel: 'sms', due: 2, held: 0 },
        { channel: 'web', due: 1, held: 0 },
      ])
      expect(await custody().due(other, afterDays({ '*': 1 }))).toEqual([])
    })
    it('never gives what is held, and counts it', async () => {
      const id = await open(store(), '+1')
      await write(store(), id, ended)
      under.clock.forward(10 * DAY_MS)
      await custody().hold(at(id), addressOf('+1'), { reason: '' })
      expect(await claim({ '*': 1 })).toEqual([])
      expect(await custody().due(tenant, afterDays({ '*': 1 }))).toEqual([{ channel: 'sms', due: 0, held: 1 }])
    })
    it('gives what somebody began and left, whether or not anything is due', async () => {
      const id = await open(store(), '+1')
      await custody().begin(at(id), addressOf('+1'))
      const whole: Who = { ...who, account: null }
      await custody().intend(tenant, who, under.clock.in(-1))
      await custody().intend(tenant, whole, under.clock.in(0))
      const claimed = () => custody().claim(tenant, () => null, CLAIM)
      expect(await claimed()).toEqual({ conversations: [], customers: [] })
      under.clock.forward(5 * 60_000)
      const { conversations, customers } = await claimed()
      expect(conversations).toEqual([id])
      expect(customers).toHaveLength(2)
      expect(customers).toContainEqual({ ...whole, since: under.clock.in(-5 * 60_000) })
      expect(await claimed()).toEqual({ conversations: [], customers: [] })
      await custody().fulfilled(tenant, who)
      under.clock.forward(CLAIM.claimMs)
      expect((await claimed()).customers).toMatchObject([whole])
    })
    it('tells what was erased since', async () => {
      const [first, second] = [await open(store(), '+1'), await open(store(), '+2')]
      for (const id of [first, second]) {
        await custody().begin(at(id), addressOf('+1'))
        await custody().erased(at(id))
        under.clock.forward(1_000)
      }
      const since = async (ms: number, limit = 10) =>
        (await custody().erasedSince(tenant, under.clock.in(ms), limit)).map(({ id }) => id)
      expect(await since(-2_000)).toEqual([first, second])
      expect(await since(-2_000, 1)).toEqual([first])
      expect(await since(-1_000)).toEqual([second])
      expect(await since(0)).toEqual([])
    })
  })
}
