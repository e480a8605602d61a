// A rolling restart: three gateways over one Postgres and one Redis, behind a load balancer, and nobody who talks notices.
import { connect, type ChannelClient } from '../../src/client/channel-client'
import type { Conversation } from '../../src/client/conversation'
import { Balancer } from '../support/balancer'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { hire, init, post } from '../support/people'
import { newDatabase } from '../support/postgres'
import { gatewayProcess } from '../support/process'
import { RedisServer } from '../support/redis'
import { Rooms } from './rooms'

const NODES = 3
const ROOMS = 3
const TALKS = 4
const GOES_ON_WITHIN = 30_000
const PAUSE = 20

/** A customer and an agent with our own client, who talk without pause and write down every answer. */
class Talk {
  readonly errors: unknown[] = []
  readonly said = { customer: 0, agent: 0 }
  readonly #clients: ChannelClient[] = []
  readonly #sides: { readonly name: 'customer' | 'agent'; readonly conversation: Conversation }[] = []
  readonly #talking: Promise<void>[] = []
  #isTalking = true

  static async open(url: string, number: number): Promise<Talk> {
    const talk = new Talk()
    const { conversationId, participant, token } = await init(url, { refId: `t${number}` })
    const customer = talk.#join(url, undefined, { conversationId, id: participant.id, token })
    await customer.ready()
    const agent = talk.#join(url, (await hire(url, `cy${number}`)).token, { conversationId })
    await agent.ready()
    talk.#sides.push({ name: 'customer', conversation: customer }, { name: 'agent', conversation: agent })
    return talk
  }
  #join(url: string, token: string | undefined, wish: Parameters<ChannelClient['join']>[0]): Conversation {
    const client = connect({ url, ...(token !== undefined && { token }) })
    this.#clients.push(client)
    const conversation = client.join(wish)
    client.on('error', (error) => this.errors.push(error))
    conversation.on('error', (error) => this.errors.push(error))
    return conversation
  }
  speak(): void {
    for (const { name, conversation } of this.#sides) this.#talking.push(this.#speak(name, conversation))
  }
  async #speak(name: 'customer' | 'agent', conversation: Conversation): Promise<void> {
    while (this.#isTalking) {
      const number = this.said[name] + 1
      await conversation.send(`${name} ${number}`).catch((error: unknown) => this.errors.push(error))
      this.said[name] = number
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
  async hush(): Promise<void> {
    this.#isTalking = false
    await Promise.all(this.#talking)
  }
  /** Both have seen all that both said, once, in one order. */
  async check(): Promise<void> {
    const total = this.said.customer + this.said.agent
    for (const { conversation } of this.#sides) await eventually(() => textsOf(conversation).length >= total)
    const [mine, theirs] = this.#sides.map(({ conversation }) => textsOf(conversation))
    expect(mine).toEqual(theirs)
    for (const name of ['customer', 'agent'] as const)
      expect(mine!.filter((text) => text.startsWith(name))).toEqual(
        Array.from({ length: this.said[name] }, (_, i) => `${name} ${i + 1}`),
      )
    expect(this.errors).toEqual([])
  }
  close(): void {
    for (const client of this.#clients) client.close()
  }
}
const textsOf = ({ view }: Conversation): string[] =>
  view.messages.flatMap((message) => (message.type === 'ChatMessage' ? [message.text] : []))

/** Opens conversations without pause, as a website does that repeats what it is told to repeat. */
class Newcomers {
  readonly failures: unknown[] = []
  opened = 0
  #isOpen = true
  #coming: Promise<void> | null = null

  start(url: string): void {
    this.#coming = this.#come(url)
  }
  async stop(): Promise<void> {
    this.#isOpen = false
    await this.#coming
  }
  async #come(url: string): Promise<void> {
    while (this.#isOpen) {
      const wish = { channel: 'web', refId: `n${this.opened}`, requestId: `request ${this.opened}` }
      const answer = await post(url, '/api/customer/init', wish).catch(() => null)
      if (answer?.status === 200) this.opened += 1
      else if (answer && !(answer.status === 503 && answer.headers.get('retry-after') === '1'))
        this.failures.push(answer.text)
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}

describe('a load balancer before three gateways', () => {
  let dataDir = ''
  let server: RedisServer
  let dropDatabase: () => Promise<void>
  const nodes: Awaited<ReturnType<typeof gatewayProcess>>[] = []
  let balancer: Balancer
  const closing: { close(): void }[] = []
  beforeAll(async () => {
    dataDir = await newFolder()
    server = await RedisServer.start()
    const { url, drop } = await newDatabase()
    dropDatabase = drop
    const settings = {
      DATABASE_URL: url,
      DATABASE_POOL: '4',
      REDIS_URL: server.url,
      DRAIN: '2s',
    }
    for (let i = 0; i < NODES; i++) nodes.push(await gatewayProcess(dataDir, settings))
    await Promise.all(nodes.map((node) => node.start()))
    balancer = await Balancer.open(nodes.map(({ url }) => url))
  }, 60_000)
  afterAll(async () => {
    for (const one of closing) one.close()
    await balancer.close()
    await Promise.all(nodes.map((node) => node.end()))
    await server.close()
    await dropDatabase()
    await removeFolder(dataDir)
  }, 60_000)

  it('hides that each is restarted in turn under load: no error, nothing lost, doubled or out of order', async () => {
    const { url } = balancer
    const rooms = await Rooms.open(url, ROOMS)
    const talks = await Promise.all(Array.from({ length: TALKS }, (_, number) => Talk.open(url, number)))
    const newcomers = new Newcomers()
    closing.push(rooms, ...talks)
    rooms.speak()
    for (const talk of talks) talk.speak()
    newcomers.start(url)
    const allGoOn = async () => {
      const since = performance.now()
      const before = talks.map(({ said }) => ({ ...said }))
      const { opened } = newcomers
      await eventually(
        () =>
          rooms.talkers.every(({ lastAcknowledged }) => lastAcknowledged > since) &&
          talks.every(({ said }, i) => said.customer > before[i]!.customer && said.agent > before[i]!.agent) &&
          newcomers.opened > opened,
        GOES_ON_WITHIN,
      )
    }
    await allGoOn()
    for (const node of nodes) {
      expect(await node.end('SIGTERM')).toBe(0)
      await eventually(() => !balancer.sendsTo(node.url))
      await allGoOn()
      await node.start()
      await eventually(() => balancer.sendsTo(node.url), GOES_ON_WITHIN)
    }
    await allGoOn()
    await newcomers.stop()
    for (const talk of talks) await talk.hush()
    await rooms.hush(GOES_ON_WITHIN)
    const { findings, line } = await rooms.check()
    expect(findings).toEqual([])
    for (const talk of talks) await talk.check()
    expect(newcomers.failures).toEqual([])
    const said = talks.reduce((sum, talk) => sum + talk.said.customer + talk.said.agent, 0)
    console.log(`row 2: ${line}; ${said} of the typed client, ${newcomers.opened} conversations opened`)
    for (const node of nodes) expect(node.output).not.toMatch(/"level":"(error|fatal)"/)
  }, 240_000)
})
