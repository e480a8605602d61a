// Postgres is killed, restarted, hangs, is cut off or full while three nodes are under load: refusals that may be repeated, and nothing acknowledged is lost.
import { Cluster } from '../support/cluster'
import { eventually } from '../support/eventually'
import { Rooms } from './rooms'

const GOES_ON_WITHIN = 20_000

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

/** While it is away: every talker is told so, and every node says that it takes no writes. */
async function refused(): Promise<void> {
  const before = rooms.talkers.map(({ refusals }) => refusals)
  await eventually(() => rooms.talkers.every(({ refusals }, i) => refusals > before[i]!))
  await eventually(async () => {
    for (const said of await cluster.readiness()) expect(said).toEqual({ code: 503, status: 'unavailable' })
  })
}
async function judge(): Promise<void> {
  await rooms.goesOn(GOES_ON_WITHIN)
  await rooms.hush(GOES_ON_WITHIN)
  await cluster.isWell()
  const { findings, line } = await rooms.check()
  console.log(`row 9: ${line}`)
  expect(findings).toEqual([])
}

it('row 9: Postgres is killed and started again', async () => {
  await cluster.postgres.kill('SIGKILL')
  await refused()
  await cluster.postgres.up()
  await judge()
}, 90_000)

it('row 9: Postgres is restarted in a hurry', async () => {
  await cluster.postgres.kill('SIGINT')
  await cluster.postgres.up()
  await judge()
}, 90_000)

it('row 9: Postgres hangs', async () => {
  cluster.postgres.signal('SIGSTOP')
  await refused()
  cluster.postgres.signal('SIGCONT')
  await judge()
}, 90_000)

it('row 9: one node after the other is cut off from Postgres, and its connections are lost without a word', async () => {
  for (const { toPostgres, url } of cluster.nodes) {
    toPostgres.strand()
    await rooms.goesOn(GOES_ON_WITHIN)
    toPostgres.stall()
    await eventually(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(503))
    toPostgres.heal()
    await rooms.goesOn(GOES_ON_WITHIN)
    toPostgres.resetMidFrame('down')
    await rooms.goesOn(GOES_ON_WITHIN)
  }
  await judge()
}, 120_000)
