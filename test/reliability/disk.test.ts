// A disk that is full, and a database that somebody else holds: a refusal in time that may be repeated, and everything goes on when there is room.
import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite from 'better-sqlite3'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { gatewayProcess, readinessOf } from '../support/process'
import { Rooms } from './rooms'

const GOES_ON_WITHIN = 20_000
/** With room for a database, and little more. */
const SIZE = '24m'

let dataDir = ''
let gateway: Awaited<ReturnType<typeof gatewayProcess>>
let rooms: Rooms
beforeAll(async () => {
  if (process.getuid?.() !== 0) throw new Error('A disk of its own can only be made by root: run this test as root.')
  dataDir = await newFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'fairlead-test', dataDir])
  gateway = await gatewayProcess(dataDir)
  await gateway.start()
})
beforeEach(async () => {
  rooms = await Rooms.open(gateway.url, 2)
  rooms.speak()
  await rooms.goesOn()
})
afterEach(() => rooms.close())
afterAll(async () => {
  await gateway.end()
  execFileSync('umount', [dataDir])
  await removeFolder(dataDir)
})

/** Takes all the room there is. */
async function fill(file: string): Promise<void> {
  const { bavail, bsize } = statfsSync(dataDir)
  // The gateway may be faster with the last of it.
  await writeFile(file, Buffer.alloc(bavail * bsize)).catch((cause: unknown) => expect(String(cause)).toMatch('ENOSPC'))
}
async function refused(): Promise<void> {
  const before = rooms.talkers.map(({ refusals }) => refusals)
  await eventually(() => rooms.talkers.every(({ refusals }, i) => refusals > before[i]!), GOES_ON_WITHIN)
  await eventually(async () => expect(await readinessOf(gateway.url)).toEqual({ code: 503, status: 'unavailable' }))
}
async function judge(row: string): Promise<void> {
  await rooms.goesOn(GOES_ON_WITHIN)
  await rooms.hush(GOES_ON_WITHIN)
  expect(await readinessOf(gateway.url)).toEqual({ code: 200, status: 'ready' })
  const { findings, line } = await rooms.check()
  console.log(`${row}: ${line}`)
  expect(findings).toEqual([])
}

it('row 9: while somebody else holds the database every send is refused for now, and goes through afterwards', async () => {
  const other = new BetterSqlite(join(dataDir, 'fairlead.db'))
  other.exec('begin immediate')
  await refused()
  other.exec('rollback')
  other.close()
  await judge('row 9')
}, 60_000)

it('row 20: on a full disk every send is refused for now, nothing acknowledged is lost, and it goes on when there is room', async () => {
  const filler = join(dataDir, 'filler')
  await fill(filler)
  await refused()
  await rm(filler)
  await judge('row 20')
}, 60_000)

it('row 20: killed on a full disk it starts again when there is room, with all that was acknowledged', async () => {
  const filler = join(dataDir, 'filler')
  await fill(filler)
  await refused()
  await gateway.end('SIGKILL')
  await rm(filler)
  await gateway.start()
  await judge('row 20')
}, 60_000)
