// `kill -9` of the gateway at random moments under load: what was acknowledged is in the log once, in order.
import { chanceOf, seed } from '../malformed/chance'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { gatewayProcess } from '../support/process'
import { long } from './long'
import { Rooms } from './rooms'

const KILLS = long(10, 50)
const CONVERSATIONS = 6
/** Milliseconds that a gateway lives at most, once it is ready, or once the conversations go on. */
const LONGEST_LIFE = 700
const RESUMES_WITHIN = 5_000

let dataDir = ''
let gateway: Awaited<ReturnType<typeof gatewayProcess>>
let rooms: Rooms | null = null
beforeAll(async () => {
  dataDir = await newFolder()
  gateway = await gatewayProcess(dataDir)
  await gateway.start()
})
afterAll(async () => {
  rooms?.close()
  await gateway.end()
  await removeFolder(dataDir)
})

it('row 1: every acknowledged message is in the log once, in order, and readers who resume hear exactly the log', async () => {
  console.log(`FUZZ_SEED=${seed}`)
  const chance = chanceOf(1, 0)
  rooms = await Rooms.open(gateway.url, CONVERSATIONS)
  const { talkers } = rooms
  rooms.speak()
  const resumed: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((resolve) => setTimeout(resolve, chance.below(LONGEST_LIFE)))
    await gateway.restart('SIGKILL')
    const ready = performance.now()
    // Some are killed again before anybody is back; every other time the conversations go on first.
    if (kill % 2 === 0) continue
    await eventually(() => {
      expect(talkers.flatMap(({ complaints }) => complaints)).toEqual([])
      return talkers.every((member) => member.lastAcknowledged > ready)
    }, RESUMES_WITHIN)
    resumed.push(performance.now() - ready)
  }
  await rooms.hush(RESUMES_WITHIN)
  const { findings, acknowledged, line } = await rooms.check()
  expect(findings).toEqual([])
  expect(acknowledged).toBeGreaterThan(500)
  console.log(
    `row 1: ${KILLS} kills, ${line}; ` +
      `everybody went on within ${Math.round(Math.max(...resumed))} ms of the gateway being ready`,
  )
}, 600_000)
