// What every attendance store must do.
import type { ParticipantId } from '../../src/model/ids'
import { newConversationId } from '../../src/model/new-id'
import type { Attendee } from '../../src/store/attendance-store'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { tenant } from '../support/log-fixtures'

const GRACE = 60_000
const TIMES = { aliveMs: 10_000, graceMs: GRACE }
const CLAIM = { limit: 10, claimMs: 5_000 }
const someone = (name: string): Attendee => ({
  tenant,
  conversationId: newConversationId(),
  participantId: name as ParticipantId,
})

export function attendanceStoreContract(name: string, openDatabase: OpenDatabase): void {
  describe(`attendance store: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
      await store().beat('a', TIMES)
      await store().beat('b', TIMES)
    })
    afterEach(() => under.close())
    const store = () => under.database.attendance
    const gone = async () => (await store().claimGone(tenant, CLAIM)).map(({ participantId }) => participantId)

    it('gives whoever has been away for the grace, longest first, and nobody before', async () => {
      const [ann, bo] = [someone('ann'), someone('bo')]
      await store().arrive('a', [ann, bo])
      expect(await store().nextGoneIn(tenant)).toBeNull()
      await store().depart('a', [bo], GRACE)
      under.clock.forward(1_000)
      await store().depart('a', [ann], GRACE)
      expect(await store().nextGoneIn(tenant)).toBe(GRACE - 1_000)
      under.clock.forward(GRACE - 1_001)
      expect(await gone()).toEqual([])
      under.clock.forward(1_001)
      expect((await gone()).sort()).toEqual(['ann', 'bo'])
      expect(await store().nextGoneIn('other' as typeof tenant)).toBeNull()
    })
    it('leaves in peace who came back, to this node or another', async () => {
      const [ann, bo, cy] = [someone('ann'), someone('bo'), someone('cy')]
      await store().arrive('a', [ann, bo, cy])
      await store().depart('a', [ann, bo, cy], GRACE)
      await store().arrive('a', [ann])
      await store().arrive('b', [bo])
      under.clock.forward(GRACE)
      expect(await gone()).toEqual(['cy'])
      await store().depart('b', [bo], GRACE)
      under.clock.forward(GRACE)
      expect(await gone()).toContain('bo')
    })
    it('gives one to nobody else for the time of a claim, and again when it ran out', async () => {
      const ann = someone('ann')
      await store().depart('a', [ann], GRACE)
      under.clock.forward(GRACE)
      expect(await gone()).toEqual(['ann'])
      expect(await gone()).toEqual([])
      under.clock.forward(CLAIM.claimMs)
      expect(await gone()).toEqual(['ann'])
      await store().forget([ann])
      under.clock.forward(CLAIM.claimMs)
      expect(await gone()).toEqual([])
    })
    it('does not forget who is back', async () => {
      const ann = someone('ann')
      await store().depart('a', [ann], GRACE)
      under.clock.forward(GRACE)
      expect(await gone()).toEqual(['ann'])
      await store().arrive('b', [ann])
      await store().forget([ann])
      await store().depart('b', [ann], GRACE)
      under.clock.forward(GRACE)
      expect(await gone()).toEqual(['ann'])
    })
    it('gives those on a dead node the grace from when it was found dead, and tells a node that it was', async () => {
      const [ann, bo] = [someone('ann'), someone('bo')]
      await store().arrive('a', [ann])
      await store().arrive('b', [bo])
      under.clock.forward(TIMES.aliveMs)
      expect(await store().beat('b', TIMES)).toBe(true)
      under.clock.forward(GRACE - 1)
      await store().beat('b', TIMES)
      expect(await gone()).toEqual([])
      under.clock.forward(1)
      expect(await gone()).toEqual(['ann'])
      expect(await store().beat('a', TIMES)).toBe(false)
      expect(await store().beat('a', TIMES)).toBe(true)
    })
    it('gives those on a node that closes the grace at once', async () => {
      await store().arrive('a', [someone('ann')])
      await store().close('a', GRACE)
      under.clock.forward(GRACE)
      expect(await gone()).toEqual(['ann'])
    })
    it('finds who is gone behind however many came back elsewhere', async () => {
      const many = Array.from({ length: 250 }, (_, i) => someone(`p${i}`))
      await store().arrive('a', many)
      await store().close('a', GRACE)
      await store().arrive('b', many.slice(0, -1))
      under.clock.forward(GRACE)
      const claimed = await store().claimGone(tenant, { limit: 50, claimMs: 5_000 })
      expect(claimed).toEqual(many.slice(-1))
      expect(await store().claimGone(tenant, { limit: 50, claimMs: 5_000 })).toEqual([])
    })
    it('takes a thousand at once, and gives no more than were asked for', async () => {
      const many = Array.from({ length: 1_000 }, (_, i) => someone(`p${i}`))
      await store().arrive('a', many)
      await store().depart('a', many, GRACE)
      under.clock.forward(GRACE)
      const first = await store().claimGone(tenant, { limit: 600, claimMs: 5_000 })
      const rest = await store().claimGone(tenant, { limit: 600, claimMs: 5_000 })
      expect([first.length, rest.length]).toEqual([600, 400])
      await store().forget([...first, ...rest])
      expect(await store().nextGoneIn(tenant)).toBeNull()
    })
  })
}
