// Bad networks between clients and the gateway: slow, in slices, broken in mid-frame, half open. Nothing is doubled, no acknowledgement is stuck.
import { eventually } from '../support/eventually'
import { FaultProxy } from '../support/fault-proxy'
import type { Weather } from '../support/fault-way'
import { newFolder, removeFolder } from '../support/gateway'
import { customer } from '../support/people'
import { fixedPort, gatewayProcess, QUICK } from '../support/process'
import { Rooms } from './rooms'

const GOES_ON_WITHIN = 20_000

let dataDir = ''
let metricsUrl = ''
let gateway: Awaited<ReturnType<typeof gatewayProcess>>
let proxy: FaultProxy
beforeAll(async () => {
  dataDir = await newFolder()
  const metricsPort = await fixedPort()
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`
  gateway = await gatewayProcess(dataDir, { METRICS_PORT: String(metricsPort), ...QUICK })
  await gateway.start()
})
beforeEach(async () => {
  proxy = await FaultProxy.start(gateway.url)
})
afterEach(() => proxy.close())
afterAll(async () => {
  await gateway.end()
  await removeFolder(dataDir)
})

async function judge(rooms: Rooms, row: string): Promise<void> {
  await rooms.hush(GOES_ON_WITHIN)
  const { findings, line } = await rooms.check()
  rooms.close()
  console.log(`${row}: ${line}`)
  expect(findings).toEqual([])
}

it.each<[string, Partial<Weather>]>([
  ['20 kB a second', { bytesPerSecond: 20_000 }],
  ['half a second late each way', { latency: 500 }],
  ['byte by byte', { slice: 1 }],
])(
  'row 11: a network that brings everything %s doubles nothing, and leaves no acknowledgement out',
  async (_name, weather) => {
    const rooms = await Rooms.open(proxy.url, 2, { pause: 50 })
    proxy.set(weather)
    rooms.speak()
    for (let round = 0; round < 3; round++) await rooms.goesOn(GOES_ON_WITHIN)
    await judge(rooms, 'row 11')
  },
  60_000,
)

it('row 11: connections that are reset in the middle of a frame, in both directions, again and again', async () => {
  const rooms = await Rooms.open(proxy.url, 3)
  rooms.speak()
  for (let round = 0; round < 12; round++) {
    await rooms.goesOn(GOES_ON_WITHIN)
    proxy.resetMidFrame(round % 2 === 0 ? 'up' : 'down')
  }
  await judge(rooms, 'row 11')
}, 60_000)

describe('row 12: connections that are half open', () => {
  const open = async () => Number(/^fairlead_sockets_open (\d+)$/m.exec(await (await fetch(metricsUrl)).text())?.[1])

  it('are noticed by the gateway when a client vanished without a word', async () => {
    await eventually(async () => expect(await open()).toBe(0))
    const vanished = await Promise.all(Array.from({ length: 5 }, () => customer(proxy.url)))
    expect(await open()).toBe(5)
    proxy.strand()
    for (const someone of vanished) someone.close()
    // After a ping and the wait for its answer.
    await eventually(async () => expect(await open()).toBe(0))
  })

  it.each(['up', 'down', 'both'] as const)(
    'are noticed by clients too (%s), who resume and miss nothing',
    async (direction) => {
      const rooms = await Rooms.open(proxy.url, 2)
      rooms.speak()
      await rooms.goesOn(GOES_ON_WITHIN)
      proxy.strand(direction)
      await rooms.goesOn(GOES_ON_WITHIN)
      await judge(rooms, 'row 12')
    },
    60_000,
  )
})
