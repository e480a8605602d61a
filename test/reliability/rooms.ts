// Conversations under load: in each a customer and an agent who talk without pause, and two who only listen, one of each audience.
import { randomBytes } from 'node:crypto'
import { eventually } from '../support/eventually'
import { hire, init, login } from '../support/people'
import { check, summary, type Audience, type Body, type Finding } from './checker'
import { History } from './history'
import { Member, type Door, type Speech, type Ticket } from './member'

const IN_FLIGHT = 4
const PAUSE = 15
/** How long a reader may take to catch up before it counts as one who heard too little. */
const CATCHES_UP_WITHIN = 15_000

interface Seat {
  readonly name: string
  readonly audience: Audience
  readonly ticket: Ticket
  readonly token?: string
  readonly member: Member
}
interface Room {
  readonly conversation: string
  readonly talkers: readonly Seat[]
  readonly readers: readonly Seat[]
}
export interface Verdict {
  readonly findings: readonly Finding[]
  readonly acknowledged: number
  /** All of it in a line. */
  readonly line: string
}
export interface Load {
  /** Messages of one talker that are on their way at once. */
  readonly inFlight?: number
  /** Milliseconds between an acknowledgement and a talker's next message. */
  readonly pause?: number
}

export class Rooms {
  readonly history = new History()
  readonly #members: Member[] = []
  readonly #rooms: Room[] = []
  readonly #load: Required<Load>

  private constructor(
    private readonly doors: readonly Door[],
    load: Load,
  ) {
    this.#load = { inFlight: IN_FLIGHT, pause: PAUSE, ...load }
  }

  /**
   * Resolves when all sit; nobody speaks yet.
   * @param urls the doors of one gateway or of several nodes: the four of each conversation come in through different ones
   */
  static async open(urls: string | readonly string[], count: number, load: Load = {}): Promise<Rooms> {
    const list = typeof urls === 'string' ? [urls] : urls
    const rooms = new Rooms(
      list.map((url, i) => ({ url, node: String(i + 1) })),
      load,
    )
    const [url = ''] = list
    const supervisor = await login(url)
    // An account that was just made is known to the node that made it.
    const agent = list.length > 1 ? supervisor : (await hire(url, `bo-${randomBytes(4).toString('hex')}`)).token
    await Promise.all(Array.from({ length: count }, (_, number) => rooms.#furnish(number, { supervisor, agent })))
    await eventually(() => rooms.#members.every((member) => member.isSeated), 20_000)
    return rooms
  }

  get talkers(): readonly Member[] {
    return this.#rooms.flatMap(({ talkers }) => talkers.map(({ member }) => member))
  }
  /** Those who sit behind this door, as it stood in the list. */
  behind(index: number): readonly Member[] {
    return this.#members.filter(({ node }) => node === String(index + 1))
  }
  speak(): void {
    for (const member of this.talkers) member.speak()
  }
  /** Waits until every talker was acknowledged once more, as proof that all goes on. */
  async goesOn(within = 10_000): Promise<void> {
    const from = performance.now()
    await eventually(() => this.talkers.every(({ lastAcknowledged }) => lastAcknowledged > from), within)
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
   * are in their order; nobody has heard anything but the log. To be asked when all is hushed.
   */
  async check(): Promise<Verdict> {
    const findings = (await Promise.all(this.#rooms.map((room) => this.#check(room)))).flat()
    const acknowledged = this.talkers.reduce((sum, one) => sum + one.acknowledged.size, 0)
    const losses = this.#members.reduce((sum, one) => sum + one.losses, 0)
    const line = `${summary(this.history.entries, this.#members.length, findings)}; ${losses} connections lost`
    return { findings, acknowledged, line }
  }

  #enter(place: number, { ticket, token }: Pick<Seat, 'ticket' | 'token'>, speech?: Speech): Member {
    const door = this.doors[place % this.doors.length]!
    const { history } = this
    const member = new Member(door, ticket, { ...(token && { token }), ...(speech && { speech }), history })
    return member
  }
  async #furnish(number: number, tokens: { readonly supervisor: string; readonly agent: string }): Promise<void> {
    const { url } = this.doors[number % this.doors.length]!
    const { conversationId, participant, token } = await init(url, { refId: `r${number}` })
    const asCustomer = { audience: 'public' as const, ticket: { conversationId, id: participant.id, token } }
    const asAgent = { audience: 'staff' as const, ticket: { conversationId }, token: tokens.agent }
    const asSupervisor = { audience: 'staff' as const, ticket: { conversationId }, token: tokens.supervisor }
    const sit = (place: number, who: Omit<Seat, 'name' | 'member'>, name: string, speech?: Speech): Seat => {
      const member = this.#enter(number + place, who, speech)
      this.#members.push(member)
      return { ...who, name, member }
    }
    // Every fourth word of an agent is a whisper: the audiences count differently.
    const more = (said: number) => (said % 4 === 0 ? { tag: 'whisper' } : {})
    const customer = sit(0, asCustomer, 'customer', { ...this.#load, name: 'customer' })
    await eventually(() => customer.member.isSeated)
    const agent = sit(1, asAgent, 'agent', { ...this.#load, name: 'agent', more })
    const readers = [sit(2, asCustomer, 'the customer’s other tab'), sit(0, asSupervisor, 'the supervisor')]
    this.#rooms.push({ conversation: conversationId, talkers: [customer, agent], readers })
  }

  async #check({ conversation, talkers, readers }: Room): Promise<Finding[]> {
    const seats = [...talkers, ...readers]
    const logs = { public: await this.#readAll(seats, 'public'), staff: await this.#readAll(seats, 'staff') }
    const caughtUp = () => seats.every(({ audience, member }) => member.cursor >= logs[audience].length)
    // Whoever is late is found by the checker.
    await eventually(caughtUp, CATCHES_UP_WITHIN).catch(() => undefined)
    const findings = check({
      conversation,
      entries: this.history.of(conversation),
      audienceOf: { customer: 'public', agent: 'staff' },
      logs,
      readings: seats.map(({ name, audience, member: { stream, heard } }) => ({
        reader: name,
        audience,
        stream,
        heard,
      })),
    })
    const complaints = seats.flatMap(({ name, member }) => member.complaints.map((one) => `${name}: ${one}`))
    return [...findings, ...complaints.map((sentence) => ({ kind: 'refused' as const, sentence }))]
  }
  /** The whole log as this audience may know it, by a join that has never seen it. */
  async #readAll(seats: readonly Seat[], audience: Audience): Promise<readonly Body[]> {
    const own = seats.filter((seat) => seat.audience === audience)
    const end = Math.max(...own.map(({ member }) => member.cursor))
    const fresh = this.#enter(1, own.at(-1)!)
    await eventually(() => fresh.cursor >= end, CATCHES_UP_WITHIN).catch(() => undefined)
    fresh.close()
    return fresh.heard
  }
}
