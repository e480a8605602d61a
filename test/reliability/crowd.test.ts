// Many connections that say nothing cost little, and all of them coming back at once is served with no more than each has missed.
import { GatewayProcess } from '../malformed/gateway-process'
import { RawSocket } from '../malformed/raw-socket'
import { together } from '../malformed/together'
import { jsonOf } from '../malformed/verdict'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { agentIn, init, login, say } from '../support/people'
import { gatewayProcess } from '../support/process'
import { long } from './long'

const CROWD = long(1_000, 10_000)
const AT_ONCE = 50
const MAX_BYTES = 40_000
/** For each of the crowd, in milliseconds, and a little for all. */
const PATIENCE = 60_000 + CROWD * 20
/** Every so manyth was told something while it was away. */
const TOLD = 20
const A_SECOND = 50

type Started = Awaited<ReturnType<typeof init>>
interface Guest {
  readonly started: Started
  raw: RawSocket | null
  /** The `seq` of all that it heard since it came. */
  heard: number[]
  /** The `seq` of the last thing that it heard in all. */
  last: number
}

async function invite(url: string): Promise<Guest[]> {
  const guests: Guest[] = []
  let asked = 0
  await together(AT_ONCE, async () => {
    if (asked++ >= CROWD) return false
    guests.push({ started: await init(url), raw: null, heard: [], last: 0 })
    return true
  })
  return guests
}
interface Message {
  readonly seq?: number
  readonly messages?: readonly Message[]
  readonly activityType?: string
}
/** Resolves when the greeting says that history has ended. */
async function enter(url: string, guest: Guest): Promise<void> {
  const { conversationId, participant, token } = guest.started
  const raw = await RawSocket.open(url)
  guest.raw = raw
  guest.heard = []
  await new Promise<void>((resolve, reject) => {
    void raw.closed.then(() => reject(new Error('The connection was closed')))
    const take = ({ seq }: Message) => {
      if (seq === undefined) return
      guest.heard.push(seq)
      guest.last = seq
    }
    raw.heard = (packet) => {
      if (!packet.startsWith('42')) return
      const [, body] = jsonOf(packet.slice(2)) as [string, Message]
      body.messages?.forEach(take)
      take(body)
      if (body.activityType === 'greetings') resolve()
    }
    const join = { conversationId, id: participant.id, token, after: guest.last }
    raw.say(`421${JSON.stringify(['joinConversation', join])}`)
  })
}
async function enterAll(url: string, guests: readonly Guest[], atOnce: number): Promise<void> {
  const waiting = [...guests]
  await together(atOnce, async () => {
    const guest = waiting.pop()
    if (guest) await enter(url, guest)
    return guest !== undefined
  })
}
const leave = (guests: readonly Guest[]) => guests.forEach(({ raw }) => raw?.close())

it(
  'row 21: idle connections take less than 40 kB each, and a conversation among them goes on',
  async () => {
    const gateway = await GatewayProcess.start()
    const guests = await invite(gateway.url)
    const before = await gateway.holdings()
    await enterAll(gateway.url, guests, AT_ONCE)
    const crowded = await gateway.holdings()
    const bytes = ((crowded.heap - before.heap) * 1024 * 1024) / CROWD

    const { conversationId } = guests[0]!.started
    const bo = await agentIn(gateway.url, conversationId, await login(gateway.url))
    const took: number[] = []
    for (let i = 0; i < 2 * A_SECOND; i++) {
      const began = performance.now()
      const pause = new Promise((resolve) => setTimeout(resolve, 1_000 / A_SECOND))
      expect(await bo.call('sendMessage', say(conversationId, String(i)))).toMatchObject({ code: 200 })
      took.push(performance.now() - began)
      await pause
    }
    await eventually(() => expect(guests[0]!.heard.length).toBeGreaterThanOrEqual(2 * A_SECOND))
    took.sort((a, b) => a - b)
    console.log(
      `row 21: ${CROWD} idle connections, ${Math.round(bytes)} B of heap each (RSS ${crowded.rss.toFixed(0)} MB); ` +
        `${A_SECOND} messages a second: p50 ${took[took.length >> 1]!.toFixed(1)} ms, p99 ${took.at(-2)!.toFixed(1)} ms`,
    )
    expect(bytes).toBeLessThan(MAX_BYTES)
    leave(guests)
    bo.close()
    await gateway.close()
  },
  PATIENCE,
)

it(
  'row 22: a crowd that comes back at once after a restart gets what each has missed, and nothing more',
  async () => {
    const folder = await newFolder()
    const gateway = await gatewayProcess(folder)
    await gateway.start()
    const guests = await invite(gateway.url)
    await enterAll(gateway.url, guests, AT_ONCE)
    const gone = guests.map(({ raw }) => raw!.closed)
    await gateway.restart('SIGKILL')
    await Promise.all(gone)
    const token = await login(gateway.url)
    const told = guests.filter((_, i) => i % TOLD === 0)
    for (const { started } of told) {
      const bo = await agentIn(gateway.url, started.conversationId, token)
      await bo.call('sendMessage', say(started.conversationId, 'while you were away'))
      bo.close()
    }
    const began = performance.now()
    await enterAll(gateway.url, guests, CROWD)
    console.log(`row 22: ${CROWD} came back in ${Math.round(performance.now() - began)} ms`)
    const missed = guests.map(({ heard }) => heard.length)
    // The agent came and spoke, in that conversation; whether it has left by now is its own affair.
    guests.forEach((guest, i) => {
      if (i % TOLD === 0) expect(missed[i]).toBeGreaterThanOrEqual(2)
      expect(missed[i]).toBeLessThanOrEqual(i % TOLD === 0 ? 3 : 1)
      expect(guest.heard).toEqual(guest.heard.map((_, n) => guest.heard[0]! + n))
    })
    leave(guests)
    await gateway.end()
    await removeFolder(folder)
  },
  PATIENCE,
)
