// 40 000 requests of every event, changed field by field: before joining and after, from everybody who may knock.
import { CONNECTOR_KEY } from '../support/gateway'
import { hire, init } from '../support/people'
import { chanceOf, seed } from './chance'
import { deliveryAnswer, eventCase, type EventCase, type Standing } from './events'
import { GatewayProcess } from './gateway-process'
import { frame, RawSocket } from './raw-socket'
import { together, within } from './together'
import { jsonOf, Verdicts } from './verdict'
import { watch } from './watch'

const CASES = 40_000
const WARM_UP = 8_000
const BATCH = 20
const BATCHES = 2
const WORKERS = 8
const PATIENCE = 20_000
/** Acknowledgement ids of ours. */
const JOIN = 900_000_000
const BARRIER = 900_000_001

const verdicts = new Verdicts()

/** One socket that says its cases and hears what comes of them. */
class Speaker {
  readonly #waiting = new Map<number, EventCase>()
  #idle: () => void = () => undefined
  #fenced = false
  #heardDeliveries = 0
  private constructor(private readonly raw: RawSocket) {
    raw.heard = (packet) => this.#hear(packet)
  }
  static async open(url: string, token: string | undefined): Promise<Speaker> {
    return new Speaker(await RawSocket.open(url, { token }))
  }

  /** False: another connector took its place, as the specification says. */
  async say(cases: readonly EventCase[]): Promise<boolean> {
    for (const one of cases) if (one.ack !== null) this.#waiting.set(one.ack, one)
    verdicts.count('without ack', cases.filter(({ ack }) => ack === null).length)
    await this.#ask(BARRIER, frame(`42${BARRIER}["endConversation",{}]`), cases)
    return !this.#fenced
  }
  async join({ conversationId, id, token }: Standing): Promise<void> {
    const request = JSON.stringify({ conversationId, id, token })
    await this.#ask(JOIN, frame(`42${JOIN}["joinConversation",${request}]`), [])
  }
  close(): void {
    this.raw.close()
  }

  async #ask(ack: number, request: Buffer, cases: readonly EventCase[]): Promise<void> {
    this.#waiting.set(ack, { name: 'of ours', bytes: request, ack })
    const idle = new Promise<void>((resolve) => (this.#idle = resolve))
    this.raw.write(Buffer.concat([...cases.map(({ bytes }) => bytes), request]))
    await within(PATIENCE, Promise.race([idle, this.raw.closed]), () => `Answers to ${this.#unanswered()}`)
    if (this.#waiting.size === 0) return
    if (this.#fenced) verdicts.count('fenced', cases.filter(({ ack }) => ack !== null && this.#waiting.has(ack)).length)
    else verdicts.wrong('closed', this.#unanswered())
    this.#waiting.clear()
    this.#fenced = true
  }
  #unanswered(): string {
    return [...this.#waiting.values()].map(({ name }) => name).join('; ')
  }
  #hear(packet: string): void {
    const acked = /^43(\d+)(\[.*)$/s.exec(packet)
    const delivery = /^42(\d+)\["messageArrived"/.exec(packet)
    if (acked) this.#acknowledged(Number(acked[1]), (jsonOf(acked[2] ?? '') as unknown[])[0])
    else if (delivery) this.raw.write(deliveryAnswer(delivery[1] ?? '', chanceOf(5, this.#heardDeliveries++)))
    else if (packet.startsWith('42["error",')) this.#failed((jsonOf(packet.slice(2)) as unknown[])[1])
    else if (!/^42\["(?:conversationInfo|messageArrived|initConversation)"|^41$/.test(packet))
      verdicts.wrong('an unexpected packet', packet)
  }
  #acknowledged(id: number, body: unknown): void {
    const one = this.#waiting.get(id)
    if (!one) {
      verdicts.wrong('an acknowledgement nobody asked for', JSON.stringify(body))
      return
    }
    this.#waiting.delete(id)
    if (id < JOIN) verdicts.socket(body, 'ack', one.name)
    if (this.#waiting.size === 0) this.#idle()
  }
  #failed(body: unknown): void {
    if (JSON.stringify(body).includes('Another connector registered')) this.#fenced = true
    verdicts.socket(body, 'error', 'an event without ack')
  }
}

interface Range {
  next: number
  readonly end: number
}
type Role = 'stranger' | 'customer' | 'agent' | 'connector'
const ROLES: readonly Role[] = ['stranger', 'customer', 'customer', 'agent', 'agent', 'connector', 'connector']

/** A conversation on the web and one on a channel, and everybody in turn. */
function sceneWorker(url: string, agent: string, range: Range) {
  return async (): Promise<boolean> => {
    if (range.next >= range.end) return false
    const scene = range.next
    const web = await init(url, { refId: `r${scene}`, requestId: `q${scene}` })
    const sms = await init(url, { channel: 'sms', refId: `+49${scene % 20}` }, CONNECTOR_KEY.sms)
    const instance = `i${scene}`
    const ofWeb = { conversationId: web.conversationId, id: web.participant.id, token: web.token }
    const ofSms = { conversationId: sms.conversationId, id: sms.participant.id, token: sms.token }
    const play = async (role: Role, token: string | undefined, standing: Standing) => {
      let speaker = await Speaker.open(url, token)
      for (let batch = 0; batch < BATCHES && range.next < range.end; batch++) {
        if (batch > 0 && role !== 'stranger') await speaker.join(standing)
        const first = range.next
        range.next = Math.min(range.end, first + BATCH)
        const cases = Array.from({ length: range.next - first }, (_, i) =>
          eventCase(standing, chanceOf(4, first + i), first + i),
        )
        if (await speaker.say(cases)) continue
        speaker.close()
        speaker = await Speaker.open(url, token)
      }
      return speaker
    }
    const common = { channel: 'sms', instance }
    const speakers = await Promise.all(
      ROLES.map((role, i) => {
        if (role === 'stranger') return play(role, undefined, { ...ofWeb, ...common, id: 'nobody', token: 'none' })
        if (role === 'customer') return play(role, i % 2 ? undefined : web.token, { ...ofWeb, ...common })
        if (role === 'agent') return play(role, agent, { ...(i % 2 ? ofWeb : ofSms), ...common })
        return play(role, CONNECTOR_KEY.sms, { ...ofSms, ...common })
      }),
    )
    for (const speaker of speakers) speaker.close()
    return true
  }
}

describe('requests of every event, changed field by field', () => {
  let gateway: GatewayProcess
  let watched: Awaited<ReturnType<typeof watch>> | undefined
  beforeAll(async () => {
    gateway = await GatewayProcess.start()
    watched = await watch(gateway)
  })
  afterAll(async () => {
    watched?.close()
    await gateway.close()
  })

  it('are all answered, in the documented shape and without a word of theirs, and harm nobody else', async () => {
    console.log(`FUZZ_SEED=${seed}`)
    const { url } = gateway
    const { token } = await hire(url, 'bo')
    const run = async (next: number, end: number) => {
      const range = { next, end }
      await together(WORKERS, sceneWorker(url, token, range))
    }
    await run(0, WARM_UP)
    await watched?.warmedUp()
    await run(WARM_UP, CASES)
    await watched?.over('Events', CASES, verdicts)
  }, 180_000)
})
