// What the clock sets off on several nodes over one Postgres at once: shared out between them, and done once.
import { MemoryBus } from '../../src/bus/memory-bus'
import { Conversations } from '../../src/conversation/conversations'
import { IdleWatch } from '../../src/conversation/idle'
import { Suppression } from '../../src/conversation/suppression'
import type { Database } from '../../src/store/database'
import { openPostgres } from '../../src/store/open-database'
import { open, tenant } from '../support/log-fixtures'
import { ask, newDatabase } from '../support/postgres'

const DAY_MS = 24 * 3_600_000
const IDLE = 300

describe('two nodes on one Postgres', () => {
  let url: string
  let drop: () => Promise<void>
  let nodes: Database[]
  const faults: unknown[] = []
  const onFault = (cause: unknown) => faults.push(cause)
  beforeEach(async () => {
    ;({ url, drop } = await newDatabase())
    nodes = await Promise.all([1, 2].map(() => openPostgres({ url, size: 4, onFault })))
  })
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()))
    await drop()
    expect(faults).toEqual([])
  })

  it('end what is silent between them: each conversation was decided once, by one of them', async () => {
    const [first] = nodes
    await Promise.all(Array.from({ length: IDLE }, (_, i) => open(first!.conversations, `+${i}`)))
    const suppression = new Suppression({ optOut: [], optIn: [] })
    const watches = nodes.map(({ conversations: store }) => {
      const conversations = new Conversations({ store, bus: new MemoryBus(), suppression, now: () => new Date() })
      const decided: string[] = []
      const idle = conversations.idle.bind(conversations)
      conversations.idle = (place, idleness) => {
        decided.push(place.conversationId)
        return idle(place, idleness)
      }
      const later = () => new Date(Date.now() + 2 * DAY_MS)
      return {
        decided,
        watch: new IdleWatch({ conversations, tenant, warningMs: 0, endMs: DAY_MS, now: later, onFault }),
      }
    })
    await Promise.all(watches.map(({ watch }) => watch.check()))
    const [here, there] = watches.map(({ decided }) => decided)
    expect(here!.length).toBeGreaterThan(0)
    expect(there!.length).toBeGreaterThan(0)
    expect(here!.length + there!.length).toBe(IDLE)
    expect(new Set([...here!, ...there!]).size).toBe(IDLE)
    const ends = `select conversation_id from event where body like '%"conversationEnded"%'`
    expect(await ask(url, ends)).toHaveLength(IDLE)
    await Promise.all(watches.map(({ watch }) => watch.close()))
  })

  it('sweep at once what is old, and between them all of it, once', async () => {
    await ask(
      url,
      `insert into parked_receipt (tenant, channel, account, provider_id, state, reason, expires_at)
       select '${tenant}', 'sms', '', 'p' || n, 'sent', '', '2020-01-01T00:00:00.000Z' from generate_series(1, 3000) as n`,
    )
    const sweepAll = async ({ notifications }: Pick<Database, 'notifications'>): Promise<number> => {
      const swept = await notifications.sweep(tenant)
      return swept === 0 ? 0 : swept + (await sweepAll({ notifications }))
    }
    const [here, there] = await Promise.all(nodes.map(sweepAll))
    expect(here! + there!).toBe(3_000)
    expect(await ask(url, 'select * from parked_receipt')).toEqual([])
  })
})
