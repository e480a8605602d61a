// Redis dies, is emptied, hangs, is cut off or full while three nodes are under load: every send is still acknowledged, and every reader hears all of it.
import { readlink, rm } from 'node:fs/promises'
import { Cluster } from '../support/cluster'
import { eventually } from '../support/eventually'
import type { Direction } from '../support/fault-proxy'
import { long } from './long'
import { Rooms } from './rooms'

const GOES_ON_WITHIN = 15_000

let cluster: Cluster
let rooms: Rooms
beforeAll(async () => {
  cluster = await Cluster.start()
}, 60_000)
afterAll(() => cluster.close())
beforeEach(async () => {
  rooms = await Rooms.open(cluster.doors, 3)
  rooms.speak()
  await rooms.goesOn()
})
afterEach(() => rooms.close())

/** All is healed: nobody was refused, and everybody heard everything. */
async function judge(row: string): Promise<void> {
  await rooms.goesOn(GOES_ON_WITHIN)
  await rooms.hush(GOES_ON_WITHIN)
  await cluster.isWell()
  const { findings, line } = await rooms.check()
  console.log(`${row}: ${line}`)
  expect(findings).toEqual([])
  expect(rooms.talkers.map(({ refusals }) => refusals)).toEqual(rooms.talkers.map(() => 0))
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** Ready for work, and saying that other nodes hear late. */
const degraded = () =>
  eventually(async () => {
    for (const said of await cluster.readiness()) expect(said).toEqual({ code: 200, status: 'degraded' })
  })

it.each(long([200, 1_000, 4_000], [200, 1_000, 4_000, 30_000]))(
  'row 4: Redis is killed and is back, empty, %i ms later',
  async (ms) => {
    await cluster.redis.signal('SIGKILL')
    await rooms.goesOn()
    await pause(ms)
    await rooms.goesOn()
    await cluster.redis.start()
    await judge('row 4')
  },
  120_000,
)

it('row 5: Redis is emptied under way, three times', async () => {
  for (let time = 0; time < 3; time++) {
    await cluster.redis.admin.flushall()
    await rooms.goesOn()
  }
  await judge('row 5')
  // The directory is there again by itself.
  await eventually(async () => (await cluster.redis.admin.dbsize()) >= cluster.nodes.length)
}, 60_000)

it('row 6: Redis hangs and does not close', async () => {
  await cluster.redis.signal('SIGSTOP')
  await degraded()
  await rooms.goesOn()
  await cluster.redis.signal('SIGCONT')
  await judge('row 6')
}, 60_000)

it.each<[string, Direction]>([
  ['what a node says', 'up'],
  ['what a node should hear', 'down'],
  ['both ways', 'both'],
])(
  'row 7: one node after the other is cut off from Redis: %s',
  async (_name, direction) => {
    for (const { toRedis, process } of cluster.nodes) {
      expect(process.isAlive).toBe(true)
      toRedis.stall(direction)
      await rooms.goesOn()
      // The others do not know what it missed.
      await pause(500)
      toRedis.heal()
    }
    await judge('row 7')
  },
  60_000,
)

it('row 7: connections to Redis that are half open, or reset in the middle of what they bring', async () => {
  for (const { toRedis } of cluster.nodes) {
    toRedis.strand()
    await rooms.goesOn()
    toRedis.resetMidFrame('down')
    toRedis.resetMidFrame('up')
    await rooms.goesOn()
  }
  await judge('row 7')
}, 60_000)

it('row 8: Redis is full', async () => {
  const { admin } = cluster.redis
  await admin.config('SET', 'maxmemory-policy', 'noeviction')
  await admin.config('SET', 'maxmemory', '1')
  await degraded()
  await rooms.goesOn()
  await admin.config('SET', 'maxmemory', '0')
  await judge('row 8')
}, 60_000)

it('row 8: Redis takes no writes because it cannot save', async () => {
  const { admin } = cluster.redis
  const pid = /process_id:(\d+)/.exec(await admin.info('server'))?.[1] ?? ''
  await rm(await readlink(`/proc/${pid}/cwd`), { recursive: true })
  await admin.config('SET', 'save', '3600 1')
  await admin.set('changed', '1')
  await admin.bgsave()
  await eventually(async () => (await admin.info('persistence')).includes('rdb_last_bgsave_status:err'))
  await degraded()
  await rooms.goesOn()
  await admin.config('SET', 'save', '')
  await judge('row 8')
}, 60_000)
