// A reader that never reads is dropped before it costs memory; everybody else hears everything, and it resumes without a gap.
import { eventually } from '../support/eventually'
import { agentIn, customer, hire, say } from '../support/people'
import { GatewayProcess } from './gateway-process'
import { RawSocket } from './raw-socket'
import { within } from './together'
import { jsonOf } from './verdict'

const MESSAGES = 3_600
/** More than fill the database's own cache: by then the process is as large as this traffic makes it. */
const WARM_UP = 2_300
const AT_ONCE = 10
/** About 47 KB each: all of them are more than the bound, for one reader alone. */
const LINK = `https://example.org/${'a'.repeat(1_900)}`
const ATTACHMENTS = Array.from({ length: 8 }, () => ({ name: 'a', contentUrl: LINK, thumbnailUrl: LINK }))
const TEXT = 'x'.repeat(16_000)
const MAX_GROWTH_MB = 50
const PATIENCE = 30_000

type Customer = Awaited<ReturnType<typeof customer>>
interface Message {
  readonly type: string
  readonly seq?: number
  readonly text?: string
}

/** Another connection of the customer. It counts what it hears, once it reads. */
async function open(url: string, { conversationId, participant, token }: Customer, after: number) {
  const raw = await RawSocket.open(url)
  const seqs: number[] = []
  const take = ({ seq }: Message) => {
    if (seq !== undefined) seqs.push(seq)
  }
  const joined = new Promise<void>((resolve) => {
    raw.heard = (packet) => {
      if (packet.startsWith('431[')) return
      const [event, body] = jsonOf(packet.slice(2)) as [string, Message & { messages: Message[] }]
      if (event === 'conversationInfo') {
        body.messages.forEach(take)
        resolve()
      } else take(body)
    }
  })
  raw.say(`421${JSON.stringify(['joinConversation', { conversationId, id: participant.id, token, after }])}`)
  await within(PATIENCE, joined, () => 'conversationInfo')
  return { raw, seqs }
}

describe('row 10: a reader that never reads', () => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start()
  })
  afterAll(() => gateway.close())

  it('is dropped before it costs memory, while others hear everything, and resumes without loss', async () => {
    const { url } = gateway
    const { token } = await hire(url, 'bo')
    const ann = await customer(url)
    const bo = await agentIn(url, ann.conversationId, token)
    const send = async (from: number, to: number) => {
      for (let i = from; i < to; i += AT_ONCE) {
        const batch = Array.from({ length: AT_ONCE }, (_, k) => `${i + k} ${TEXT}`)
        const replies = await Promise.all(
          batch.map((text) => bo.call('sendMessage', say(ann.conversationId, text, { attachments: ATTACHMENTS }))),
        )
        expect(replies.map(({ code }) => code)).toEqual(batch.map(() => 200))
      }
    }
    const heardBy = () => ann.words().flatMap((word) => (word.endsWith('x') ? [Number(word.split(' ')[0])] : []))
    await send(0, WARM_UP)
    await eventually(() => heardBy().length === WARM_UP)
    const before = await gateway.holdings()

    const slow = await open(url, ann, 1_000_000)
    slow.raw.socket.pause()
    await send(WARM_UP, MESSAGES)
    const stuck = await gateway.holdings()
    console.log(`heap ${before.heap.toFixed(1)} MB, ${stuck.heap.toFixed(1)} MB with a reader that does not read`)
    console.log(`rss ${before.rss.toFixed(0)} MB, ${stuck.rss.toFixed(0)} MB`)
    expect(stuck.heap - before.heap).toBeLessThan(MAX_GROWTH_MB)
    expect(stuck.rss - before.rss).toBeLessThan(MAX_GROWTH_MB)
    await eventually(() => {
      expect(heardBy()).toEqual(Array.from({ length: MESSAGES }, (_, i) => i))
    }, PATIENCE)

    slow.raw.socket.resume()
    await within(PATIENCE, slow.raw.closed, () => 'The end of the slow connection')
    const last = slow.seqs.at(-1) ?? 0
    const end = ann.arrived().at(-1)?.['seq'] as number
    expect(last).toBeLessThan(end)
    const again = await open(url, ann, last)
    await eventually(() => again.seqs.at(-1) === end, PATIENCE)
    const whole = [...slow.seqs, ...again.seqs]
    expect(whole).toEqual(Array.from({ length: whole.length }, (_, i) => (slow.seqs[0] ?? 0) + i))
    expect(gateway.complaints).toBe('')
    again.raw.close()
    ann.close()
    bo.close()
  }, 180_000)
})
