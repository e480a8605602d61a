// Whatever is said in whatever order: nothing internal reaches a customer or a connector by any outlet, and everybody counts 1…n.
import fc from 'fast-check'
import { openMemory } from '../../src/store/open-database'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY, openGateway } from '../support/gateway'
import { agentIn, connect, customer, hire, joining, login, post, request, say, type Someone } from '../support/people'
import { finish, openParty, perform, play, type Party, type Staff, type Table } from './party'

type Body = Record<string, unknown>
let gateway: Awaited<ReturnType<typeof openGateway>>
let staff: Staff
/** What names the silent supervisor. */
const BOSS = 'boss'
beforeAll(async () => {
  gateway = await openGateway({ CUSTOMER_AUTH: 'handle' }, { database: await openMemory() })
  const { url } = gateway
  const enter = async (name: string, role: string) => (await hire(url, name, role)).token
  const wish = { name: 'campaign', kind: 'thirdParty', channel: 'sms' }
  const made = await post(url, '/api/admin/keys', wish, await login(url))
  staff = {
    agent: await enter('agent', 'agent'),
    colleague: await enter('colleague', 'agent'),
    boss: await enter(BOSS, 'supervisor'),
    witness: await enter('witness', 'agent'),
    sms: CONNECTOR_KEY.sms,
    campaign: (made.json['key'] as { secret: string }).secret,
  }
})
afterAll(() => gateway.close())

/** What came from the log, in order: greetings, typing and deliveries have no place in it. */
const logOf = (someone: Someone): Body[] =>
  someone.arrived().filter(({ seq, deliveryId }) => seq !== undefined && deliveryId === undefined)
/** The places in the log that a socket knows of: what it heard, and its own words by their acknowledgement. */
function countOf(someone: Someone, conversationId: string): number[] {
  const own = someone.heard.filter(({ event, body }) => event === 'ack' && body['seq'] !== undefined)
  const all = [...logOf(someone), ...own.map(({ body }) => body)].filter(
    (body) => body['conversationId'] === conversationId,
  )
  return all.map(({ seq }) => Number(seq)).sort((a, b) => a - b)
}
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)
const isRising = (events: readonly Body[]): boolean =>
  events.every(({ seq }, i) => i === 0 || Number(seq) > Number(events[i - 1]?.['seq']))

async function transcriptsOf({ conversationId, guest }: Table): Promise<string[]> {
  const types = ['json', 'txt', 'html', 'csv']
  const bearer = guest.participant.id === '' ? await login(gateway.url) : guest.participant.id
  const path = (type: string) => `/api/customer/transcript/${conversationId}/${type}`
  const answers = await Promise.all(types.map((type) => request(gateway.url, path(type), {}, bearer)))
  for (const { status } of answers) expect(status).toBe(200)
  return answers.map(({ text }) => text)
}

/** Everybody again from the beginning, and once in the middle of it. */
async function replaysOf({ conversationId, guest, isCarried }: Table) {
  const open = async (auth: Body, after: number) => {
    const someone = await connect(gateway.url, { auth })
    const joined = await someone.call('joinConversation', { ...(!isCarried && joining(guest)), conversationId, after })
    expect(joined).toMatchObject({ code: 200 })
    await eventually(() => expect(someone.arrived().at(-1)).toMatchObject({ activityType: 'greetings' }))
    someone.close()
    return someone
  }
  const outside = isCarried ? { token: staff.sms } : {}
  return {
    outside: [await open(outside, 0), await open(outside, 3)] as const,
    inside: await open({ token: staff.witness }, 0),
  }
}

async function check(party: Party, table: Table): Promise<void> {
  const replays = await replaysOf(table)
  const outside = [table.people.first, table.people.second, party.connector, ...replays.outside]
  await checkBytes(party, table, outside)
  checkCounts(table, outside)
  checkReplay(table, replays)
  if (!table.isCarried) checkWeb(table, replays)
}

async function checkBytes({ notified }: Party, table: Table, outside: readonly Someone[]): Promise<void> {
  const { secrets, open } = table
  const transcripts = await transcriptsOf(table)
  const bytes = [...outside.flatMap((someone) => someone.bytes), ...transcripts, ...notified]
  for (const secret of [...secrets, `"${BOSS}"`, 'observer', '"silent"', '"whisper"', 'participantChanged'])
    expect(bytes.filter((text) => text.includes(secret))).toEqual([])
  for (const text of open) expect(transcripts.every((transcript) => transcript.includes(text))).toBe(true)
}

/** Nobody learns from a gap that others whisper. */
function checkCounts({ conversationId, people, witness }: Table, outside: readonly Someone[]): void {
  expect(countOf(witness, conversationId)).toEqual(upTo(logOf(witness).length))
  expect(countOf(people.agent, conversationId)).toEqual(countOf(witness, conversationId))
  for (const someone of [...outside, witness, people.agent])
    expect(isRising(logOf(someone).filter((event) => event['conversationId'] === conversationId))).toBe(true)
}

type Replays = Awaited<ReturnType<typeof replaysOf>>
/** Live and replay are the same bytes. */
function checkReplay({ people, witness, conversationId }: Table, { outside, inside }: Replays): void {
  const line = (event: Body) => JSON.stringify(event)
  expect(logOf(inside).map(line)).toEqual(logOf(witness).map(line))
  const replayed = logOf(outside[0]).map(line)
  for (const someone of [people.first, people.second])
    for (const event of logOf(someone))
      if (event['conversationId'] === conversationId) expect(replayed).toContain(line(event))
}

/** A customer's two sockets count all that is public and nothing else, and theirs alone is the handle. */
function checkWeb({ conversationId, people, witness, guest }: Table, { outside: [all, rest] }: Replays): void {
  const isInternal = ({ id }: Body) => String(id).startsWith(`${conversationId}.i`)
  const publicIds = logOf(witness).flatMap((event) => (isInternal(event) ? [] : [event['id']]))
  expect(logOf(all).map(({ id }) => id)).toEqual(publicIds)
  const counted = upTo(publicIds.length)
  for (const someone of [people.first, people.second]) expect(countOf(someone, conversationId)).toEqual(counted)
  expect(logOf(rest).map(({ seq }) => seq)).toEqual(counted.slice(3))
  for (const { bytes } of [people.agent, people.colleague, people.boss, witness])
    expect(bytes.filter((text) => text.includes(guest.participant.id))).toEqual([])
}

it('nothing internal gets out, whatever happens in whatever order', async () => {
  let whispers = 0
  await fc.assert(
    fc.asyncProperty(play, async (steps) => {
      const party = await openParty(gateway.url, staff)
      try {
        for (const step of steps) await perform(gateway.url, party, step, staff)
        for (const table of [party.web, party.sms]) {
          await finish(table)
          await check(party, table)
          whispers += table.secrets.length - 1
        }
      } finally {
        party.close()
      }
    }),
    { numRuns: 30, endOnFailure: false, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: false },
  )
  expect(whispers).toBeGreaterThan(50)
}, 180_000)

it('a silent supervisor is named to nobody outside, not even by who addresses them together with the customer', async () => {
  const { url } = gateway
  const ann = await customer(url)
  const { conversationId } = ann
  const agent = await agentIn(url, conversationId, staff.agent)
  const boss = await connect(url, { auth: { token: staff.boss } })
  const joined = await boss.call('joinConversation', { conversationId, silent: true })
  await eventually(() => expect(agent.words()).toHaveLength(3))
  const people = logOf(agent).map(({ info }) => (info as { participant: { id: string } }).participant.id)
  expect(people[2]).toBe((joined['participant'] as { id: string }).id)
  const to = [people[0], people[2]]
  await agent.call('sendMessage', { conversationId, activityType: 'typing', to })
  expect(await agent.call('sendMessage', say(conversationId, 'both of you', { to }))).toMatchObject({ code: 200 })
  await eventually(() => expect(boss.words()).toEqual(expect.arrayContaining(['typing', 'both of you'])))
  await eventually(() => expect(ann.words()).toContain('both of you'))
  expect(ann.words()).toContain('typing')
  for (const secret of [people[2] ?? '', `"${BOSS}"`])
    expect(ann.bytes.filter((text) => text.includes(secret))).toEqual([])
  for (const someone of [ann, agent, boss]) someone.close()
})

it('a socket that joins again and again at once hears everything once', async () => {
  const { url } = gateway
  const ann = await customer(url)
  const again = await Promise.all([1, 2, 3, 4].map(() => ann.call('joinConversation', joining(ann))))
  for (const reply of again) expect(reply).toMatchObject({ code: 200 })
  const second = await connect(url)
  await second.call('joinConversation', joining(ann))
  for (const text of ['one', 'two', 'three']) await second.call('sendMessage', say(ann.conversationId, text))
  await eventually(() => expect(ann.words()).toContain('three'))
  await ann.call('registerBot', {})
  expect(ann.words().filter((word) => word !== 'participantJoined')).toEqual(['one', 'two', 'three'])
  ann.close()
  second.close()
})
