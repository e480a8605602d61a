// Two conversations with everybody in them, and the commands of a random play: what insiders say among themselves is marked.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { eventually } from '../support/eventually'
import { agentIn, connect, customer, joining, post, request, say, type Someone } from '../support/people'

type Body = Record<string, unknown>
const MEMBERS = ['first', 'second', 'agent', 'colleague', 'boss'] as const
type Member = (typeof MEMBERS)[number]
const INTERNAL_TAGS = ['whisper', 'Whisper', ' WHISPER '] as const

/** One step of a play. `by` may be somebody who is not there at that time: then nothing but a refusal comes of it. */
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('say'), by: fc.constantFrom(...MEMBERS) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('whisper'),
      by: fc.constantFrom(...MEMBERS),
      tag: fc.constantFrom(...INTERNAL_TAGS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('address'),
      by: fc.constantFrom(...MEMBERS),
      to: fc.subarray([...MEMBERS], { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('typing'),
      by: fc.constantFrom(...MEMBERS),
      whispered: fc.boolean(),
      to: fc.subarray([...MEMBERS], { maxLength: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('receipt'),
      by: fc.constantFrom(...MEMBERS),
      which: fc.nat(30),
      state: fc.constantFrom('delivered', 'read'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('wave'), by: fc.constantFrom(...MEMBERS), whispered: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('bossComes') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('bossGoes', 'colleagueMoves') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('text', 'notify') }) },
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never
interface Step {
  readonly in: 'web' | 'sms'
  readonly do: Command
}
export const play = fc.array(fc.record({ in: fc.constantFrom('web', 'sms'), do: command }), {
  minLength: 4,
  maxLength: 24,
})

export interface Staff {
  readonly agent: string
  readonly colleague: string
  readonly boss: string
  readonly witness: string
  readonly sms: string
  readonly campaign: string
}
export type Party = Awaited<ReturnType<typeof openParty>>

/** Everybody takes a seat; the supervisor stays outside until the play says so. */
export async function openParty(url: string, staff: Staff) {
  const web = await openTable(url, staff, await customer(url))
  const connector = await connect(url, { auth: { token: staff.sms } })
  connector.socket.on('messageArrived', ({ deliveryId }: Body, answer?: (reply: object) => void) => {
    if (deliveryId !== undefined) answer?.({ code: 200 })
  })
  await connector.call('registerConnector', { id: 'sms', channel: 'sms', acknowledges: true })
  const refId = `+49${Math.trunc(Math.random() * 1e10)}`
  const texted = await connector.call('sendMessage', { refId, text: 'hello', externalMessageId: randomUUID() })
  const conversationId = String(texted['conversationId'])
  await connector.call('joinConversation', { conversationId })
  const sms = await openTable(url, staff, {
    ...connector,
    conversationId,
    participant: { id: '', name: '' },
    token: '',
    requestId: '',
  })
  return {
    web,
    sms,
    connector,
    refId,
    notified: [] as string[],
    close: () => [web, sms].forEach((table) => table.close()),
  }
}

type Guest = Awaited<ReturnType<typeof customer>>
async function openTable(url: string, staff: Staff, guest: Guest) {
  const { conversationId } = guest
  const isCarried = guest.participant.id === ''
  const second = isCarried ? guest : await connect(url)
  if (!isCarried) await second.call('joinConversation', joining(guest))
  const enter = (token: string) => agentIn(url, conversationId, token)
  const [agent, colleague, witness] = [
    await enter(staff.agent),
    await enter(staff.colleague),
    await enter(staff.witness),
  ]
  const boss = await connect(url, { auth: { token: staff.boss } })
  const people: Record<Member, Someone> = { first: guest, second, agent, colleague, boss }
  return {
    conversationId,
    guest,
    isCarried,
    people,
    /** Staff who only listen. */
    witness,
    /** What no outsider may ever read. */
    secrets: [`${conversationId}.i`] as string[],
    /** Texts that the customer must have read. */
    open: [] as string[],
    close: () => [...Object.values(people), witness].forEach((someone) => someone.close()),
  }
}
export type Table = Awaited<ReturnType<typeof openTable>>

const isInside = (by: Member): boolean => by !== 'first' && by !== 'second'
/** A text that is said once. */
const marker = (kind: string): string => `${kind}-${randomUUID()}`

/** The public id of a member, as staff know it; the latest, where there were several. */
function idOf({ witness }: Table, name: Member): string {
  const joins = witness.arrived().flatMap(({ activityType, info }) => {
    const { participant } = (info ?? {}) as { participant?: { id: string; name: string; type: string } }
    return activityType === 'participantJoined' && participant ? [participant] : []
  })
  const isMeant = isInside(name)
    ? (person: { name: string }) => person.name === name
    : (person: { type: string }) => person.type === 'Customer'
  return joins.findLast(isMeant)?.id ?? 'nobody'
}

interface Stage {
  readonly url: string
  readonly party: Party
  readonly table: Table
  readonly staff: Staff
}
export async function perform(url: string, party: Party, step: Step, staff: Staff): Promise<void> {
  const { do: it } = step
  const table = party[step.in]
  const stage = { url, party, table, staff }
  switch (it.type) {
    case 'say':
      return tell(table, it.by, { kind: 'said', isSecret: it.by === 'boss' })
    case 'whisper':
      return tell(table, it.by, {
        kind: 'whispered',
        isSecret: true,
        more: { tag: it.tag, messageId: marker('secret') },
      })
    case 'address': {
      const isSecret = isInside(it.by) && it.to.every(isInside)
      return tell(table, it.by, { kind: 'addressed', isSecret, more: { to: it.to.map((name) => idOf(table, name)) } })
    }
    case 'typing':
      return type(table, it)
    case 'receipt':
      return receipt(table, it)
    case 'wave':
      return wave(table, it)
    case 'text':
      return text(stage)
    case 'notify':
      return notify(stage)
    case 'bossComes':
    case 'bossGoes':
    case 'colleagueMoves':
      return move(table, it.type)
  }
}
type Wish<T extends Command['type']> = Extract<Command, { type: T }>

const speak = ({ conversationId, people }: Table, by: Member, body: Body) =>
  people[by].call('sendMessage', { conversationId, messageId: randomUUID(), ...body })

interface Words {
  readonly kind: string
  readonly isSecret: boolean
  readonly more?: Body
}
async function tell(table: Table, by: Member, { kind, isSecret, more }: Words): Promise<void> {
  const text = marker(kind)
  if (isSecret) table.secrets.push(text)
  const { code } = await speak(table, by, { type: 'ChatMessage', text, mood: isSecret ? text : 'fine', ...more })
  if (!isSecret && code === 200) table.open.push(text)
}
async function type(table: Table, { by, to, whispered }: Wish<'typing'>): Promise<void> {
  const people = to.map((name) => ({ id: idOf(table, name) }))
  const tag = whispered ? { tag: 'whisper' } : {}
  await speak(table, by, { activityType: 'typing', to: people, ...tag, info: { state: 'started' } })
}
async function wave(table: Table, { by, whispered }: Wish<'wave'>): Promise<void> {
  const name = marker('wave')
  if (whispered || by === 'boss') table.secrets.push(name)
  await speak(table, by, { activityType: name, info: { name }, ...(whispered && { tag: 'whisper' }) })
}
async function text({ party }: Stage): Promise<void> {
  const body = { refId: party.refId, text: marker('text'), externalMessageId: randomUUID() }
  await party.connector.call('sendMessage', body)
}
async function notify({ url, party, staff }: Stage): Promise<void> {
  const wish = { to: party.refId, text: marker('campaign') }
  const { json, text } = await post(url, '/api/channels/sms/messages', wish, staff.campaign)
  const found = await request(url, `/api/channels/sms/messages/${String(json['id'])}`, {}, staff.campaign)
  party.notified.push(text, found.text)
}
async function move({ conversationId, people }: Table, how: 'bossComes' | 'bossGoes' | 'colleagueMoves') {
  const { boss, colleague } = people
  if (how === 'bossComes') await boss.call('joinConversation', { conversationId, silent: true })
  if (how === 'bossGoes') await boss.call('leaveConversation', { conversationId })
  if (how !== 'colleagueMoves') return
  const left = await colleague.call('leaveConversation', { conversationId })
  if (left.code !== 200) await colleague.call('joinConversation', { conversationId })
}
/** Names any event that staff know of, by its id or by its place in the log. */
async function receipt(table: Table, { by, which, state }: Wish<'receipt'>): Promise<void> {
  const all = table.witness.arrived().filter(({ seq }) => seq !== undefined)
  const event = all[which % all.length]
  const messageId = which % 3 === 0 ? `${table.conversationId}.i${which + 1}` : String(event?.['id'])
  const reply = await speak(table, by, { activityType: state, info: { messageId } })
  // A connector's receipt for what it never carried is a success that changes nothing.
  if (!isInside(by) && !table.isCarried && messageId.includes('.i')) expect(reply.code).not.toBe(200)
}

/** The last word, then the end: when everybody has heard it, they have heard all that came before. */
export async function finish(table: Table): Promise<void> {
  const { conversationId, people, witness } = table
  const last = marker('last')
  expect(await people.agent.call('sendMessage', say(conversationId, last))).toMatchObject({ code: 200 })
  await eventually(() => expect(people.second.words()).toContain(last))
  if (table.isCarried)
    await eventually(() => expect(witness.words().slice(witness.words().indexOf(last))).toContain('sent'))
  await people.agent.call('endConversation', { conversationId })
  await eventually(() => {
    for (const someone of [people.first, people.second, people.agent, witness])
      expect(someone.words()).toContain('endOfConversation')
  })
}
