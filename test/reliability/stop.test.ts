// SIGTERM under load: the gateway drains and ends well, and everybody goes on with the next one.
import { inbound } from '../support/carrier'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { agentIn, login, say } from '../support/people'
import { gatewayProcess } from '../support/process'
import { accept, provider } from './provider'
import { Rooms } from './rooms'

const STOPS = 3
const GOES_ON_WITHIN = 5_000

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

it('row 2: a stopped gateway ends with 0, loses nothing acknowledged, and its clients go on with the next one', async () => {
  rooms = await Rooms.open(gateway.url, 4)
  const { talkers } = rooms
  rooms.speak()
  const took: number[] = []
  let from = 0
  for (let stop = 0; stop < STOPS; stop++) {
    const enough = (stop + 1) * 20
    await eventually(
      () => talkers.every((one) => one.acknowledged.size > enough && one.lastAcknowledged > from),
      GOES_ON_WITHIN,
    )
    const asked = performance.now()
    expect(await gateway.end('SIGTERM')).toBe(0)
    took.push(performance.now() - asked)
    await gateway.start()
    from = performance.now()
  }
  await rooms.hush(GOES_ON_WITHIN)
  const { findings, line } = await rooms.check()
  expect(findings).toEqual([])
  console.log(`row 2: ${STOPS} stops of at most ${Math.round(Math.max(...took))} ms, ${line}`)
  expect(gateway.output).not.toMatch(/"level":"(error|fatal)"/)
}, 120_000)

it('row 2: it does not wait for a connector that does not answer: what that had in hand is given again', async () => {
  const before = await provider(gateway.url)
  const { conversationId } = await before.call('sendMessage', inbound('+1', 'hello'))
  const bo = await agentIn(gateway.url, String(conversationId), await login(gateway.url))
  await bo.call('sendMessage', say(String(conversationId), 'hi'))
  await eventually(() => before.inHand.length === 1)
  const asked = performance.now()
  expect(await gateway.end('SIGTERM')).toBe(0)
  expect(performance.now() - asked).toBeLessThan(GOES_ON_WITHIN)
  await gateway.start()
  const after = await provider(gateway.url, {}, accept)
  await eventually(() => after.inHand.length === 1)
  expect(after.inHand[0]).toMatchObject({ deliveryId: before.inHand[0]!.deliveryId, text: 'hi' })
  for (const someone of [before, bo, after]) someone.close()
})
