// `kill -9` of the gateway at random moments under load: what was acknowledged is in the log once, in order.
import { chanceOf, seed } from '../malformed/chance'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { hire, init, login } from '../support/people'
import { gatewayProcess } from '../support/process'
import { Member, type Body, type Speech, type Ticket } from './member'

const KILLS = 20
const CONVERSATIONS = 6
/** Milliseconds that a gateway lives at most, once it is ready. */
const LONGEST_LIFE = 700
const RESUMES_WITHIN = 5_000

interface Told {
  readonly ticket: Ticket
  readonly token?: string
}
interface Room {
  readonly customer: Told
  readonly agent: Told
  readonly supervisor: Told
  readonly talkers: readonly { readonly name: string; readonly member: Member }[]
  readonly readers: readonly { readonly told: Told; readonly member: Member }[]
}

let dataDir = ''
let gateway: Awaited<ReturnType<typeof gatewayProcess>>
const members: Member[] = []
beforeAll(async () => {
  dataDir = await newFolder()
  gateway = await gatewayProcess(dataDir)
  await gateway.start()
})
afterAll(async () => {
  members.forEach((member) => member.close())
  await gateway.end()
  await removeFolder(dataDir)
})

function enter({ ticket, token }: Told, speech?: Speech): Member {
  const member = new Member(gateway.url, ticket, { ...(token && { token }), ...(speech && { speech }) })
  members.push(member)
  return member
}

async function furnish(number: number, supervisorToken: string): Promise<Room> {
  const { conversationId, participant, token } = await init(gateway.url, { refId: `r${number}` })
  const customer: Told = { ticket: { conversationId, id: participant.id, token } }
  const agent: Told = { ticket: { conversationId }, token: (await hire(gateway.url, `bo${number}`)).token }
  const supervisor: Told = { ticket: { conversationId }, token: supervisorToken }
  const first = enter(customer, { name: 'customer', inFlight: 4, pause: 15 })
  await eventually(() => first.isSeated)
  // Every fourth word of an agent is a whisper: the audiences count differently.
  const more = (said: number) => (said % 4 === 0 ? { tag: 'whisper' } : {})
  return {
    ...{ customer, agent, supervisor },
    talkers: [
      { name: 'customer', member: first },
      { name: 'agent', member: enter(agent, { name: 'agent', inFlight: 4, pause: 15, more }) },
    ],
    readers: [
      { told: customer, member: enter(customer) },
      { told: supervisor, member: enter(supervisor) },
    ],
  }
}

/** Kills it after so long and starts it again; answers when it was ready. */
async function killOnce(life: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, life))
  await gateway.end('SIGKILL')
  await gateway.start()
  return performance.now()
}

/** The whole log as this reader may know it, by a join that has never seen it. */
async function readAll(told: Told, length: number): Promise<Body[]> {
  const fresh = enter(told)
  await eventually(() => fresh.cursor >= length)
  fresh.close()
  expect(fresh.complaints).toEqual([])
  return fresh.heard
}

const count = (length: number) => Array.from({ length }, (_, index) => index + 1)

function checkTalker(log: readonly Body[], { name, member }: Room['talkers'][number]): number {
  const { acknowledged, stream, complaints } = member
  const places = new Map<string, number[]>()
  for (const { text, seq = 0 } of log) places.set(String(text), [...(places.get(String(text)) ?? []), seq])
  for (const [number, seq] of acknowledged) expect([number, places.get(`${name} ${number}`)]).toEqual([number, [seq]])
  // In the order in which they were said, all that were acknowledged, which is all.
  const mine = log.flatMap(({ text, seq }) => (String(text).startsWith(`${name} `) ? [seq] : []))
  expect(mine).toEqual([...acknowledged].sort(([a], [b]) => a - b).map(([, seq]) => seq))
  expect(stream).toEqual(count(log.length))
  expect(complaints).toEqual([])
  return acknowledged.size
}

/** Answers how many messages were acknowledged. */
async function checkRoom({ customer, supervisor, talkers, readers }: Room): Promise<number> {
  const [speaker, agent] = talkers
  const publicLog = await readAll(customer, speaker!.member.cursor)
  const staffLog = await readAll(supervisor, agent!.member.cursor)
  for (const log of [publicLog, staffLog]) expect(log.map(({ seq }) => seq)).toEqual(count(log.length))
  for (const { told, member } of readers) {
    const log = told === customer ? publicLog : staffLog
    await eventually(() => member.cursor >= log.length)
    expect(member.heard.map((body) => JSON.stringify(body))).toEqual(log.map((body) => JSON.stringify(body)))
    expect(member.complaints).toEqual([])
  }
  expect(staffLog.length).toBeGreaterThan(publicLog.length)
  return checkTalker(publicLog, speaker!) + checkTalker(staffLog, agent!)
}

it('every acknowledged message is in the log once, in order, and readers who resume hear exactly the log', async () => {
  const chance = chanceOf(1, 0)
  console.log(`FUZZ_SEED=${seed}`)
  const supervisorToken = await login(gateway.url)
  const rooms = await Promise.all(count(CONVERSATIONS).map((number) => furnish(number, supervisorToken)))
  const talkers = rooms.flatMap((room) => room.talkers)
  const readers = rooms.flatMap((room) => room.readers)
  await eventually(() => members.every((member) => member.isSeated))
  for (const { member } of talkers) member.speak()
  const resumed: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    const ready = await killOnce(chance.below(LONGEST_LIFE))
    // Some are killed again before anybody is back; every other time the conversation goes on first.
    if (kill % 2 === 0) continue
    await eventually(() => talkers.every(({ member }) => member.lastAcknowledged > ready), RESUMES_WITHIN)
    resumed.push(performance.now() - ready)
  }
  for (const { member } of talkers) member.hush()
  await eventually(() => talkers.every(({ member }) => member.isQuiet && member.isSeated), RESUMES_WITHIN)

  const counts = await Promise.all(rooms.map(checkRoom))
  const messages = counts.reduce((sum, one) => sum + one, 0)
  expect(messages).toBeGreaterThan(1_000)
  const slowest = Math.round(Math.max(...resumed))
  console.log(
    `${KILLS} kills, ${messages} messages acknowledged in ${CONVERSATIONS} conversations, ${readers.length} readers; ` +
      `all talkers resumed within ${slowest} ms of the gateway being ready`,
  )
}, 180_000)
