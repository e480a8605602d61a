// A connector that dies or freezes around the provider's answer: its delivery comes again with the same id, and is never lost.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { carrier } from '../support/carrier'
import { eventually } from '../support/eventually'
import { newFolder, openGateway, removeFolder } from '../support/gateway'
import { agentIn, login, request, say } from '../support/people'
import { connectorProcess, gatewayProcess, type Process } from '../support/process'
import { FaultProxy } from '../support/fault-proxy'
import { startSmsc, type Behaviour, type Smsc } from '../support/smsc/smsc'

const CUSTOMER = { from: '+491701234567', to: '12345' }
const ANSWER = 'It leaves today.'

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})
async function closed<T>(open: Promise<T>, close: (opened: T) => unknown): Promise<T> {
  const opened = await open
  closing.push(() => close(opened))
  return opened
}
const folder = () => closed(newFolder(), removeFolder)
const smscThat = (behaviour: Behaviour) => closed(startSmsc(behaviour), (smsc) => smsc.stop())

async function connectorTo(url: string, smsc: Smsc, dataDir?: string): Promise<Process> {
  const connector = connectorProcess('sms', { url, dataDir: dataDir ?? (await folder()), SMPP_URL: smsc.url() })
  closing.push(() => connector.end())
  await connector.start()
  return connector
}

/** A customer has written; an agent is there. */
async function chat(url: string, smsc: Smsc) {
  await smsc.accepted(await smsc.deliverSms({ ...CUSTOMER, text: 'Where is my parcel?' }))
  const token = await login(url)
  const { json } = await request(url, '/api/agent/conversations?state=active', {}, token)
  const [{ id }] = json['conversations'] as [{ id: string }]
  const bo = await closed(agentIn(url, id, token), (someone) => someone.close())
  const send = (text: string) => bo.call('sendMessage', say(id, text))
  const receipts = () => bo.words().filter((word) => ['accepted', 'sent', 'delivered', 'failed'].includes(word))
  return { bo, id, send, receipts, token }
}
const submits = (smsc: Smsc) => smsc.submitted().map(({ text }) => text)
/** The deliveries that it took on. */
const taken = ({ output }: Process) => [...output.matchAll(/"deliveryId":"([^"]+)".*"Delivering"/g)].map(([, id]) => id)

describe('row 15: a connector that is killed', () => {
  it('before the provider saw the message delivers it when it is back, once', async () => {
    const smsc = await smscThat({})
    const { url } = await closed(openGateway(), (gateway) => gateway.close())
    const connector = await connectorTo(url, smsc)
    const { send, receipts } = await chat(url, smsc)
    connector.signal('SIGSTOP')
    await send(ANSWER)
    await connector.restart('SIGKILL')
    await eventually(() => expect(receipts()).toEqual(['sent', 'delivered']))
    expect(submits(smsc)).toEqual([ANSWER])
  })

  it('while the provider’s answer is on its way repeats the same delivery: the one window in which a double may be', async () => {
    const smsc = await smscThat({ mute: 1 })
    const { url } = await closed(openGateway(), (gateway) => gateway.close())
    const connector = await connectorTo(url, smsc)
    const { send, receipts } = await chat(url, smsc)
    await send(ANSWER)
    await eventually(() => smsc.submitted().length === 1)
    await connector.restart('SIGKILL')
    await eventually(() => expect(receipts()).toEqual(['sent', 'delivered']))
    expect(submits(smsc)).toEqual([ANSWER, ANSWER])
    expect(taken(connector)).toHaveLength(2)
    expect(new Set(taken(connector)).size).toBe(1)
  })

  it('after the provider’s answer, before the gateway has it, knows by its journal: no double', async () => {
    const smsc = await smscThat({ receipts: 'none' })
    const { url } = await closed(openGateway(), (gateway) => gateway.close())
    const relay = await closed(FaultProxy.start(url), (one) => one.close())
    const dataDir = await folder()
    const connector = await connectorTo(relay.url, smsc, dataDir)
    const { send, receipts } = await chat(url, smsc)
    relay.stall('up')
    await send(ANSWER)
    await eventually(async () => expect(await journalOf(dataDir)).toContain('"sent"'))
    await connector.end('SIGKILL')
    relay.cut()
    relay.heal()
    expect(receipts()).toEqual([])
    await connector.start()
    await eventually(() => expect(receipts()).toEqual(['sent']))
    expect(submits(smsc)).toEqual([ANSWER])
    expect(new Set(taken(connector)).size).toBe(1)
    smsc.receipt(smsc.submitted()[0]!.id, 'DELIVRD')
    await eventually(() => expect(receipts()).toEqual(['sent', 'delivered']))
  })
})
async function journalOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'connectors', 'sms')
  const files = (await readdir(path)).filter((name) => name.endsWith('.jsonl'))
  return (await Promise.all(files.map((name) => readFile(join(path, name), 'utf8')))).join('')
}

it('row 15: a connector frozen beyond its lease loses it: another instance delivers, and its own late answer changes nothing', async () => {
  const smsc = await smscThat({ receipts: 'none' })
  const { url } = await closed(openGateway({}, { leaseMs: 500 }), (gateway) => gateway.close())
  const frozen = await connectorTo(url, smsc)
  const { bo, send, receipts } = await chat(url, smsc)
  frozen.signal('SIGSTOP')
  const { id } = await send(ANSWER)
  const other = await closed(carrier(url, { register: { instance: 'b' } }), (one) => one.close())
  await eventually(() => expect(receipts()).toEqual(['sent']))
  expect(other.deliveries).toMatchObject([{ text: ANSWER, id }])

  frozen.signal('SIGCONT')
  await eventually(() => smsc.submitted().length === 1)
  const late = smsc.submitted()[0]!.id
  smsc.receipt(late, 'UNDELIV')
  await eventually(() => smsc.receiptsAnswered().includes(late))
  const report = { activityType: 'delivered', info: { providerMessageId: `p ${String(id)}` } }
  expect(await other.call('sendMessage', { ...report, account: CUSTOMER.to })).toMatchObject({ code: 200 })
  await eventually(() => expect(receipts()).toContain('delivered'))
  expect(receipts()).toEqual(['sent', 'delivered'])
  expect(new Set(taken(frozen))).toEqual(new Set(other.deliveries.map(({ deliveryId }) => deliveryId)))
  expect(bo.words()).not.toContain('failed')
})

it('row 15: what a killed gateway had given to a connector is given again as soon as the gateway is back', async () => {
  const dataDir = await folder()
  const gateway = await gatewayProcess(dataDir)
  closing.push(() => gateway.end())
  await gateway.start()
  const smsc = await smscThat({ mute: 1 })
  const connector = await connectorTo(gateway.url, smsc)
  const { send, id } = await chat(gateway.url, smsc)
  await send(ANSWER)
  await eventually(() => smsc.submitted().length === 1)
  await connector.end()
  await gateway.restart('SIGKILL')
  await connector.start()
  const back = await closed(agentIn(gateway.url, id, await login(gateway.url)), (someone) => someone.close())
  // Long before the minute for which the dead gateway had leased it.
  await eventually(() => expect(back.words().slice(-2)).toEqual(['sent', 'delivered']))
  expect(submits(smsc)).toEqual([ANSWER, ANSWER])
  expect(new Set(taken(connector)).size).toBe(1)
})
