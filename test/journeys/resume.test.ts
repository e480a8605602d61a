// Resuming: whoever was cut, however often, ends with exactly the log of their audience, in order.
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY } from '../support/gateway'
import { agentIn, hire, init, joining, login, say, type Reply, type Someone } from '../support/people'
import { Resumer } from '../support/resumer'
import { withGateway } from '../support/with-gateway'

const MESSAGES = 10_000
const IN_FLIGHT = 100
const CUTS = 35
const OWN_WORDS = 40
const SEED = 20_301

/** Mulberry32: the same moments in every run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Says a share of the messages, many at once, public and whispered; tells of each that is stored. */
async function pour(
  someone: Someone,
  conversationId: string,
  wish: { count: number; name: string; onStored: () => void },
) {
  let next = 0
  const refused: Reply[] = []
  const worker = async () => {
    while (next < wish.count) {
      const n = next++
      const messageId = `${wish.name} ${n}`
      const whisper = n % 10 < 3 && { tag: 'whisper' }
      const reply = (await someone.socket
        .timeout(20_000)
        .emitWithAck('sendMessage', say(conversationId, `${messageId} ✓`, { messageId, ...whisper }))) as Reply
      if (reply.code !== 200) refused.push(reply)
      wish.onStored()
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  expect(refused).toEqual([])
}

/**
 * An agent who reads what the customer says: receipts are public too, and all that a connector's seat hears besides
 * comings. Tells how many of them are stored.
 */
function acknowledgeAll({ socket }: Someone, conversationId: string): () => number {
  let stored = 0
  socket.on('messageArrived', ({ id, type, from }: { id: string; type: string; from: { type: string } }) => {
    if (type !== 'ChatMessage' || from.type !== 'Customer') return
    socket.emit('sendMessage', { conversationId, activityType: 'read', info: { messageId: id } }, () => (stored += 1))
  })
  return () => stored
}

describe('resuming', () => {
  const gateway = withGateway()

  it('gives every role exactly the gap and then what is live, cut at random while 10 000 messages are said', async () => {
    const { url } = gateway
    const started = await init(url, { channel: 'sms', refId: '+4915100001' }, CONNECTOR_KEY.sms)
    const { conversationId } = started
    const people = {
      customer: { url, join: joining(started) },
      agent: { url, join: { conversationId }, auth: { token: (await hire(url, 'zoe')).token } },
      supervisor: { url, join: { conversationId, silent: true }, auth: { token: await login(url) } },
      connector: { url, join: { conversationId }, auth: { token: CONNECTOR_KEY.sms } },
    }
    const readers = Object.entries(people).map(([role, wish]) => ({ role, reader: new Resumer(wish) }))
    for (const { reader } of readers) await reader.start()
    const senders = [
      await agentIn(url, conversationId, (await hire(url, 'bo')).token),
      await agentIn(url, conversationId, (await hire(url, 'mo')).token),
    ]
    const receipts = acknowledgeAll(senders[0]!, conversationId)

    const random = chance(SEED)
    const moments = readers.map(() =>
      Array.from({ length: CUTS }, () => Math.floor(random() * MESSAGES)).sort((a, b) => a - b),
    )
    let stored = 0
    const onStored = () => {
      stored += 1
      readers.forEach(({ reader, role }, i) => {
        while (moments[i]![0] !== undefined && moments[i]![0] < stored) {
          moments[i]!.shift()
          reader.cut(random() < 0.5)
        }
        if (stored % (MESSAGES / OWN_WORDS) !== 0) return
        const whisper = role === 'supervisor' && { tag: 'whisper' }
        reader.say(`${role} ${stored}`, say(conversationId, `${role} at ${stored}`, { ...whisper }))
      })
    }
    await Promise.all(
      senders.map((someone, i) => pour(someone, conversationId, { count: MESSAGES / 2, name: `s${i}`, onStored })),
    )
    await eventually(() => readers.every(({ reader }) => reader.unacknowledged === 0))
    // The customer's words came from two readers. What is read is told after the end, too, and then the end is not the last.
    await eventually(() => receipts() === 2 * OWN_WORDS)
    await senders[1]!.call('endConversation', { conversationId })
    await eventually(() => readers.every(({ reader }) => reader.hasEnded), 20_000)

    for (const { role, reader } of readers) {
      const fresh = new Resumer(people[role as keyof typeof people])
      await fresh.start()
      await eventually(() => fresh.hasEnded)
      expect({ role, cuts: reader.cuts, refusals: reader.refusals }).toEqual({ role, cuts: CUTS, refusals: [] })
      expectSameLog(role, reader, fresh)
      fresh.stop()
      reader.stop()
    }
    for (const sender of senders) sender.close()
  }, 120_000)
})

/** Byte for byte; an acknowledgement stands for the message that it acknowledges. */
function expectSameLog(role: string, reader: Resumer, fresh: Resumer): void {
  const seqs = reader.notes.map(({ seq }) => seq)
  expect(seqs.every((seq, i) => i === 0 || seq > seqs[i - 1]!)).toBe(true)
  if (role === 'connector') {
    // It hears no messages here, not even its own: those are deliveries.
    expect(reader.log).toEqual(fresh.log)
    return
  }
  expect(fresh.infos[0]).toBe(500)
  expect(seqs).toEqual(fresh.notes.map((_, i) => i + 1))
  const differing = reader.notes.filter(({ json, isAck, body }, i) => {
    const entry = fresh.notes[i]!
    if (!isAck) return json !== entry.json
    return Object.entries(body).some(([key, value]) => key !== 'code' && entry.body[key] !== value)
  })
  expect(differing).toEqual([])
  expect(reader.notes.length).toBeGreaterThan(role === 'customer' ? 7_000 : MESSAGES)
}
