// Conversations under load: in each a customer and an agent who talk without pause, and two who only listen, one of each audience.
import { eventually } from '../support/eventually'
import { hire, init, login } from '../support/people'
import { Member, type Body, type Speech, type Ticket } from './member'

const IN_FLIGHT = 4
const PAUSE = 15

interface Told {
  readonly ticket: Ticket
  readonly token?: string
}
interface Talker {
  readonly name: string
  readonly told: Told
  readonly member: Member
}
interface Room {
  readonly customer: Talker
  readonly agent: Talker
  readonly readers: readonly Omit<Talker, 'name'>[]
}

export class Rooms {
  readonly #members: Member[] = []
  readonly #rooms: Room[] = []

  private constructor(private readonly url: string) {}

  /** Resolves when all sit; nobody speaks yet. */
  static async open(url: string, count: number): Promise<Rooms> {
    const rooms = new Rooms(url)
    const supervisor = await login(url)
    await Promise.all(Array.from({ length: count }, (_, number) => rooms.#furnish(number, supervisor)))
    await eventually(() => rooms.#members.every((member) => member.isSeated))
    return rooms
  }

  get talkers(): readonly Member[] {
    return this.#rooms.flatMap(({ customer, agent }) => [customer.member, agent.member])
  }
  speak(): void {
    for (const member of this.talkers) member.speak()
  }
  /** Resolves when everything that was said is acknowledged, to members who are there. */
  async hush(within: number): Promise<void> {
    for (const member of this.talkers) member.hush()
    await eventually(() => this.talkers.every((member) => member.isQuiet && member.isSeated), within)
  }
  close(): void {
    for (const member of this.#members) member.close()
  }

  /**
   * Whatever happened meanwhile: all that was acknowledged is in the log once, where the acknowledgement said; each sender's words
   * are in their order; nobody has heard anything but the log. Answers how many messages were acknowledged.
   */
  async check(): Promise<number> {
    const counts = await Promise.all(this.#rooms.map((room) => this.#check(room)))
    return counts.reduce((sum, one) => sum + one, 0)
  }

  #enter({ ticket, token }: Told, speech?: Speech): Member {
    const member = new Member(this.url, ticket, { ...(token && { token }), ...(speech && { speech }) })
    this.#members.push(member)
    return member
  }
  async #furnish(number: number, supervisorToken: string): Promise<void> {
    const { conversationId, participant, token } = await init(this.url, { refId: `r${number}` })
    const customer: Told = { ticket: { conversationId, id: participant.id, token } }
    const agent: Told = { ticket: { conversationId }, token: (await hire(this.url, `bo${number}`)).token }
    const supervisor: Told = { ticket: { conversationId }, token: supervisorToken }
    const manner = { inFlight: IN_FLIGHT, pause: PAUSE }
    const first = this.#enter(customer, { ...manner, name: 'customer' })
    await eventually(() => first.isSeated)
    // Every fourth word of an agent is a whisper: the audiences count differently.
    const more = (said: number) => (said % 4 === 0 ? { tag: 'whisper' } : {})
    this.#rooms.push({
      customer: { name: 'customer', told: customer, member: first },
      agent: { name: 'agent', told: agent, member: this.#enter(agent, { ...manner, name: 'agent', more }) },
      readers: [customer, supervisor].map((told) => ({ told, member: this.#enter(told) })),
    })
  }

  async #check({ customer, agent, readers }: Room): Promise<number> {
    const publicLog = await this.#readAll(customer)
    const staffLog = await this.#readAll({ ...agent, told: readers[1]!.told })
    for (const log of [publicLog, staffLog]) expect(log.map(({ seq }) => seq)).toEqual(count(log.length))
    expect(staffLog.length).toBeGreaterThan(publicLog.length)
    for (const { told, member } of readers) {
      const log = told === customer.told ? publicLog : staffLog
      await eventually(() => member.cursor >= log.length)
      expect(member.heard.map((body) => JSON.stringify(body))).toEqual(log.map((body) => JSON.stringify(body)))
      expect(member.complaints).toEqual([])
    }
    return checkTalker(publicLog, customer) + checkTalker(staffLog, agent)
  }
  /** The whole log as this reader may know it, by a join that has never seen it. */
  async #readAll({ told, member }: Talker): Promise<Body[]> {
    const fresh = this.#enter(told)
    await eventually(() => fresh.cursor >= member.cursor)
    fresh.close()
    expect(fresh.complaints).toEqual([])
    return fresh.heard
  }
}

const count = (length: number) => Array.from({ length }, (_, index) => index + 1)

function checkTalker(log: readonly Body[], { name, member }: Talker): number {
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
