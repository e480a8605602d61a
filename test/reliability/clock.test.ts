// Clocks that are wrong, and that are set while the gateway runs: order is by position, credentials are judged within a minute, and nothing stops.
import { existsSync, readdirSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { foundOrInstalled } from '../support/debian'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { customer, login, request, say } from '../support/people'
import { gatewayProcess, QUICK } from '../support/process'
import { Rooms } from './rooms'

const GOES_ON_WITHIN = 15_000
const HOUR = 3_600

/** The library that lies to a process about the time of day, and about nothing else. */
function libfaketime(): string {
  const found = () =>
    existsSync('/usr/lib')
      ? readdirSync('/usr/lib')
          .map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketime.so.1'))
          .find((path) => existsSync(path))
      : undefined
  const need = 'Tests of wrong clocks need libfaketime: install the Debian package of that name.'
  return foundOrInstalled(found, 'libfaketime', need)
}

let folder = ''
let clock = ''
let gateway: Awaited<ReturnType<typeof gatewayProcess>>
beforeAll(async () => {
  folder = await newFolder()
  clock = join(folder, 'clock')
  await set(0)
  gateway = await gatewayProcess(folder, {
    ...QUICK,
    LD_PRELOAD: libfaketime(),
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
  await gateway.start()
})
afterAll(async () => {
  await gateway.end()
  await removeFolder(folder)
})
/** The gateway's clock is so many seconds off from now on. */
async function set(seconds: number): Promise<void> {
  // Never half written for whoever reads it.
  await writeFile(`${clock}.new`, `${seconds < 0 ? '' : '+'}${seconds}s\n`)
  await rename(`${clock}.new`, clock)
}
it('row 19: a clock that is set forth and back under load misplaces nothing, and holds up nothing', async () => {
  const rooms = await Rooms.open(gateway.url, 3)
  rooms.speak()
  for (const seconds of [HOUR, -HOUR, -2 * 24 * HOUR, 30, 0]) {
    await set(seconds)
    await rooms.goesOn(GOES_ON_WITHIN)
  }
  await rooms.hush(GOES_ON_WITHIN)
  const { findings, line } = await rooms.check()
  rooms.close()
  console.log(`row 19: ${line}`)
  expect(findings).toEqual([])
})

it('row 19: a token of a clock that is half a minute off is good, one that has run out is not, and a new one is', async () => {
  const list = (token: string) => request(gateway.url, '/api/agent/conversations?state=active', {}, token)
  await set(30)
  const early = await login(gateway.url)
  await set(0)
  expect((await list(early)).status).toBe(200)
  // A token of staff is good for twelve hours.
  await set(12 * HOUR + 90)
  await eventually(async () => expect((await list(early)).status).toBe(401))
  expect((await list(await login(gateway.url))).status).toBe(200)
  await set(12 * HOUR + 30)
  expect((await list(early)).status).toBe(200)
  await set(0)
})

it('row 19: what is said is stamped by the clock as it is, and stands where it was said', async () => {
  const ann = await customer(gateway.url)
  const said = async (text: string) => {
    const { seq, timestamp } = await ann.call('sendMessage', say(ann.conversationId, text))
    return { seq: Number(seq), hours: Math.round((Date.parse(String(timestamp)) - Date.now()) / HOUR / 1_000) }
  }
  await set(-48 * HOUR)
  await eventually(async () => expect((await said('two days ago')).hours).toBe(-48))
  const before = await said('two days ago')
  await set(HOUR)
  expect((await said('in an hour')).seq).toBe(before.seq + 1)
  await set(0)
  ann.close()
})
