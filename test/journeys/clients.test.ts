// One journey with every stock client of the field: in this process, and in a browser from another origin.
import { createServer, type Server } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { startChromium } from '../support/chromium'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY, openGateway } from '../support/gateway'
import { init, login } from '../support/people'
import { openStock, STOCK_KINDS, type StockClient, type StockKind } from '../support/stock-clients'
import { withGateway } from '../support/with-gateway'

const nameOf = ({ version, transport }: StockKind) => `socket.io-client ${version} over ${transport}`
const words = ({ arrived }: StockClient) => arrived.map((body) => String(body['text'] ?? body['activityType']))

describe.each(STOCK_KINDS.map((kind) => [nameOf(kind), kind] as const))('%s', (_name, kind) => {
  const gateway = withGateway({ BASE_PATH: '/chat' })
  const join = kind.version === 2 ? 'joinConveration' : 'joinConversation'
  const open = (query = '', bearer?: string) =>
    openStock(kind, {
      url: `${new URL(gateway.url).origin}/${query}`,
      // What comes of a base URL that ends with a slash.
      path: '/chat//socket.io',
      ...(bearer !== undefined && { bearer }),
    })
  /** A customer who was given a token in the URL, and an agent, in one conversation. */
  async function chat() {
    const { conversationId, participant, token } = await init(gateway.url)
    const ann = await open(`?token=${token}`)
    expect(await ann.call(join, { sessionId: conversationId, id: participant.id })).toMatchObject({ code: 200 })
    const bo = await open('', await login(gateway.url))
    expect(await bo.call(join, { conversationId })).toMatchObject({ code: 200, role: 'supervisor' })
    await eventually(() => words(ann).length === 2 && words(bo).length === 2)
    return { conversationId, id: participant.id, ann, bo }
  }

  it('chats both ways, types, does not see whispers, comes back with `after`, and ends', async () => {
    const { conversationId, id, ann, bo } = await chat()
    const say = (text: string, more: object = {}) => ({ conversationId, type: 'ChatMessage', text, ...more })
    // As the public SDK does: without asking for an acknowledgement.
    ann.emit('sendMessage', { ...say('hello'), from: { id, name: 'Ann' }, to: [], tag: '', attachments: [] })
    await eventually(() => words(bo).includes('hello'))
    expect(await bo.call('sendMessage', say('psst', { tag: 'whisper' }))).toMatchObject({ code: 200, seq: 4 })
    expect(await bo.call('sendMessage', say('hi Ann ☺'))).toMatchObject({ code: 200, seq: 5 })
    await eventually(() => words(ann).includes('hi Ann ☺'))
    const typing = (state: string) => ({
      conversationId,
      type: 'ActivityMessage',
      activityType: 'typing',
      info: { state },
    })
    ann.emit('sendMessage', typing('started'))
    bo.emit('sendMessage', typing('stopped'))
    await eventually(() => words(ann).includes('typing') && words(bo).includes('typing'))
    expect(ann.arrived.at(-1)).toMatchObject({ from: { type: 'Agent' }, info: { state: 'stopped' } })

    const seq = ann.arrived.findLast((body) => body['seq'] !== undefined)!['seq']
    ann.close()
    await bo.call('sendMessage', say('while you were away'))
    const back = await open()
    expect(await back.call(join, { conversationId, id, after: seq })).toMatchObject({ code: 200, role: 'customer' })
    await eventually(() => words(back).length > 0)
    expect(back.arrived).toMatchObject([{ text: 'while you were away', seq: 5 }])
    expect(await back.call('sendMessage', say('thanks', { messageId: 'm' }))).toMatchObject({
      code: 200,
      messageId: 'm',
      seq: 6,
    })

    back.emit('endConversation', { conversationId })
    await eventually(() => words(back).includes('endOfConversation') && words(bo).includes('endOfConversation'))
    expect(await back.call('sendMessage', say('still there?'))).toMatchObject({ code: 410 })
    expect(JSON.stringify([ann.arrived, back.arrived])).not.toContain('psst')
    expect(
      words(bo)
        .filter((word) => word !== 'typing')
        .slice(2),
    ).toEqual(['hello', 'thanks', 'endOfConversation'])
    for (const client of [back, bo]) client.close()
  })

  it('carries for a channel, with its key in the query, and never acknowledges', async () => {
    const sms = await open(`?token=${CONNECTOR_KEY.sms}`)
    sms.emit('registerConnector', { id: 'sms', name: 'ExpertFlow SMS Connector', channel: 'sms' })
    const started = await init(gateway.url, { channel: 'sms', refId: '+923' }, CONNECTOR_KEY.sms)
    const { conversationId, participant } = started
    expect(await sms.call(join, { conversationId, id: participant.id })).toMatchObject({ code: 200, role: 'connector' })
    const bo = await open('', await login(gateway.url))
    await bo.call(join, { conversationId })
    sms.emit('sendMessage', { conversationId, messageType: 'ChatMessage', text: 'from afar', refId: '+923' })
    await eventually(() => words(bo).includes('from afar'))
    await bo.call('sendMessage', { conversationId, text: 'to afar' })
    await eventually(() => words(sms).includes('to afar'))
    expect(sms.arrived.find(({ text }) => text === 'to afar')).toMatchObject({ refId: '+923', channel: 'sms' })
    for (const client of [sms, bo]) client.close()
  })

  it('is told when its token is none', async () => {
    await expect(open('?token=none')).rejects.toThrow(/not valid/)
  })
})

/** What the page reports of one client in it. */
interface Report {
  readonly name: string
  readonly said: string
}
describe('in Chromium, on a page of another origin', () => {
  let browser: Browser
  let site: Server
  let origin: string
  beforeAll(async () => {
    site = await serveSite()
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
    browser = await startChromium()
  }, 120_000)
  afterAll(async () => {
    await browser.close()
    site.close()
  })
  /** Runs every client on the page, against a gateway that allows this origin. */
  async function visit(allowed: string): Promise<Report[]> {
    const gateway = await openGateway({ BASE_PATH: '/chat', ALLOWED_ORIGINS: allowed })
    try {
      const started = await init(gateway.url)
      const page = await browser.newPage()
      await page.goto(origin)
      await page.evaluate(`window.started = ${JSON.stringify({ ...started, gateway: gateway.url })}`)
      const reports = await page.evaluate<Report[]>('window.visit()')
      await page.close()
      return reports
    } finally {
      await gateway.close()
    }
  }
  const NAMES = ['fetch', ...STOCK_KINDS.map(nameOf)]

  it('works where ALLOWED_ORIGINS names it: init, join, and a message to the other client', async () => {
    const reports = await visit(origin)
    expect(reports.map(({ name }) => name)).toEqual(NAMES)
    for (const { name, said } of reports)
      expect([name, said]).toEqual([name, name === 'fetch' ? '200' : `heard ${name}`])
  })
  it('is refused where it does not, also for WebSocket', async () => {
    const reports = await visit('https://elsewhere.example')
    expect(reports.map(({ name }) => name)).toEqual(NAMES)
    for (const { name, said } of reports) expect([name, said]).toEqual([name, 'refused'])
  })
})

/** A shop's page with the stock bundles, from another port than the gateway's. */
async function serveSite(): Promise<Server> {
  const files: Readonly<Record<string, string>> = {
    '/4.js': await readFile(require.resolve('socket.io-client/dist/socket.io.js'), 'utf8'),
    '/2.js': await readFile(require.resolve('socket.io-client-v2/dist/socket.io.js'), 'utf8'),
    '/visit.js': VISIT,
    '/':
      '<!doctype html><title>A shop</title><script src="/4.js"></script><script>window.io4 = window.io</script>' +
      '<script src="/2.js"></script><script>window.io2 = window.io</script><script src="/visit.js"></script>',
  }
  const server = createServer((request, response) => {
    const { url = '/' } = request
    response.setHeader('content-type', url.endsWith('.js') ? 'text/javascript' : 'text/html')
    response.end(files[url] ?? '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Runs in the page: two sockets of each kind join as one customer, the first speaks, the second hears it. */
const VISIT = `
const open = (version, transport) => {
  const { gateway } = window.started
  return window['io' + version](new URL(gateway).origin, {
    path: '/chat//socket.io', transports: [transport], forceNew: true, reconnection: false,
  })
}
const join = (socket) => new Promise((resolve, reject) => {
  const { conversationId, participant } = window.started
  socket.on('connect_error', () => reject('refused'))
  socket.on('connect', () => socket.emit('joinConversation', { conversationId, id: participant.id }))
  socket.on('messageArrived', ({ activityType }) => activityType === 'greetings' && resolve())
})
const chat = async (version, transport) => {
  const name = 'socket.io-client ' + version + ' over ' + transport
  const sockets = [open(version, transport), open(version, transport)]
  try {
    await Promise.all(sockets.map(join))
    const heard = new Promise((resolve) => sockets[1].on('messageArrived', ({ text }) => text === name && resolve()))
    sockets[0].emit('sendMessage', { conversationId: window.started.conversationId, text: name })
    await heard
    return { name, said: 'heard ' + name }
  } catch (said) {
    return { name, said: String(said) }
  } finally {
    for (const socket of sockets) socket.close()
  }
}
const ask = () => fetch(window.started.gateway + '/api/customer/init', {
  method: 'POST',
  credentials: 'include',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ channel: 'web', refId: 'r' }),
}).then(({ status }) => String(status), () => 'refused')
window.visit = async () => {
  const reports = [{ name: 'fetch', said: await ask() }]
  for (const version of [4, 2]) for (const transport of ['websocket', 'polling']) reports.push(await chat(version, transport))
  return reports
}
`
