// Reliability row 28: no URL, redirect or name leads behind our walls; what gets past the guard would land in a trap.
import { type IncomingMessage } from 'node:http'
import { guardedFetch, type FetchLimits } from '../../src/files/guarded-fetch'
import { eventually } from '../support/eventually'
import { World } from '../support/world'

const WEB = '93.184.215.14'
const forbidden = expect.objectContaining({
  code: 'invalidRequest',
  message: 'Nothing can be fetched from this URL. Give one of a public web server.',
  details: [],
}) as Error

let world: World
let limits: FetchLimits
beforeEach(async () => {
  world = await World.open()
  limits = { maxBytes: 10_000, timeoutMs: 5_000, ports: [world.trapPort] }
})
afterEach(async () => {
  await world.close()
})
async function expectRefused(url: string): Promise<void> {
  await expect(guardedFetch(url, limits, world)).rejects.toEqual(forbidden)
  expect(world.trapped).toEqual([])
}

/** All that leads to a cloud's metadata or to the machine itself. */
const HOSTS = [
  '169.254.169.254',
  '169.254.169.254.',
  '2852039166',
  '0xa9fea9fe',
  '0xA9.0xFE.0xA9.0xFE',
  '0251.0376.0251.0376',
  '0251.254.0xa9.254',
  '169.254.43518',
  '169.16689662',
  '１６９.２５４.１６９.２５４',
  '①⑥⑨.②⑤④.①⑥⑨.②⑤④',
  '169。254。169。254',
  '%31%36%39.254.169.254',
  '[::ffff:169.254.169.254]',
  '[::ffff:a9fe:a9fe]',
  '[0:0:0:0:0:FFFF:A9FE:A9FE]',
  '[::169.254.169.254]',
  '[64:ff9b::169.254.169.254]',
  '[64:ff9b:1::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]',
  '[2001:0:a9fe:a9fe::1]',
  '[2001:0:4136:e378:8000:63bf:5601:5601]',
  '[fd00:ec2::254]',
  '[fe80::a9fe:a9fe]',
  '[fe80::1%25eth0]',
  '[::1%25lo]',
  '127.0.0.1',
  '127.1',
  '127.255.255.254',
  '0',
  '0.0.0.0',
  '[::]',
  '[::1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '017700000001',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[ff02::1]',
  '[2001:db8::1]',
]
it.each(HOSTS)('row 28: http://%s is not connected to', async (host) => {
  for (const port of ['', `:${world.trapPort}`])
    for (const scheme of ['http', 'https', 'HTTP']) await expectRefused(`${scheme}://${host}${port}/latest/meta-data`)
  expect(world.peers).toEqual([])
})
it.each([
  'file:///etc/passwd',
  'gopher://169.254.169.254/_GET%20/',
  'ftp://web.example.org/',
  'dict://127.0.0.1:11211/',
  'data:text/plain,x',
  'blob:http://web.example.org/x',
  'javascript:alert(1)',
  'unix:/var/run/docker.sock',
  'http+unix://%2Fvar%2Frun%2Fdocker.sock/info',
  'ws://web.example.org/',
  '//web.example.org/',
  '/etc/passwd',
  'web.example.org',
  '',
  'http://',
  'http:///',
  'http://user@web.example.org/',
  'http://user:password@web.example.org/',
  'http://web.example.org@169.254.169.254/',
  'http://169.254.169.254\\@web.example.org/',
  'http://169.254.169.254#@web.example.org/',
  'http://169.254.169.254?@web.example.org/',
  'http://web.example.org:22/',
  'http://web.example.org:443/',
  'https://web.example.org:80/',
  'http://web.example.org:99999/',
  'http://web.exam\r\nple.org/',
  'ht\ntp://web.example.org/',
  ' http://web.example.org/',
  'http://web.example.org/ HTTP/1.1\r\nHost: x',
  'http://web.example.org\0.evil.example/',
  `http://web.example.org/${'a'.repeat(3_000)}`,
  'http://unknown.example.org/',
])('row 28: %j is one sentence, as is what does not exist', async (url) => {
  world.name('web.example.org', [WEB])
  await expectRefused(url)
  expect(world.peers).toEqual([])
})
it.each([
  [['127.0.0.1']],
  [['169.254.169.254']],
  [['::1']],
  [['::ffff:10.0.0.1']],
  [['fe80::1%eth0']],
  [['127.1']],
  [['2130706433']],
  [['']],
  [['web.example.org']],
  [[WEB, '127.0.0.1']],
  [['127.0.0.1', WEB]],
  [[WEB, WEB, WEB, WEB, '10.0.0.1']],
  [[]],
  [Array<string>(65).fill(WEB)],
])('row 28: a name that is looked up as %j is not connected to, at none of its addresses', async (addresses) => {
  world.name('sly.example.org', addresses)
  for (const host of ['sly.example.org', 'SLY.example.org', 'sly.example.org.', `sly.example.org:${world.trapPort}`])
    await expectRefused(`http://${host}/`)
  expect(world.peers).toEqual([])
})
it('row 28: a name that is public when it is looked at, and loopback when it is used, is looked up once', async () => {
  await world.host(WEB, (_request, response) => response.end('public'))
  world.name('rebinding.example.org', [WEB], ['127.0.0.1'])
  expect(String((await guardedFetch('http://rebinding.example.org/', limits, world)).body)).toBe('public')
  expect(world.lookedUp).toEqual(['rebinding.example.org'])
  await expectRefused('http://rebinding.example.org/')
})
it('row 28: a name that turns round at a redirect is looked up and judged again', async () => {
  const asked = await world.host(WEB, (_request, response) => response.writeHead(302, { location: '/again' }).end())
  world.name('rebinding.example.org', [WEB], ['169.254.169.254'])
  await expectRefused('http://rebinding.example.org/')
  expect([asked.length, world.peers.length]).toEqual([1, 1])
})
describe('row 28: a redirect', () => {
  let asked: IncomingMessage[]
  let location: string
  beforeEach(async () => {
    asked = await world.host(WEB, (_request, response) => response.writeHead(302, { location }).end())
    world.name('web.example.org', [WEB])
    world.name('sly.example.org', ['10.0.0.1'])
  })
  it.each([
    ...HOSTS.filter((host) => /^[\x20-\x7e]+$/.test(host)).map((host) => `http://${host}/`),
    'http://sly.example.org/',
    '//169.254.169.254/',
    '\\\\169.254.169.254\\',
    'file:///etc/passwd',
    'gopher://web.example.org/',
    'http://user:password@web.example.org/',
    'http://web.example.org:22/',
    'http://',
  ])('to %s is not followed', async (to) => {
    location = to
    for (const port of ['', `:${world.trapPort}`]) await expectRefused(`http://web.example.org${port}/`)
    expect([asked.length, world.peers.length]).toEqual([2, 2])
  })
})
it('row 28: a connection that ends up elsewhere is closed before a word is said', async () => {
  const asked = await world.host(WEB, (_request, response) => response.end('secret'))
  world.name('web.example.org', [WEB])
  for (const elsewhere of ['127.0.0.1', '10.0.0.1', '93.184.215.15', '']) {
    world.remoteOf = () => elsewhere
    await expect(guardedFetch('http://web.example.org/', limits, world)).rejects.toEqual(forbidden)
  }
  expect(asked).toEqual([])
})
it('row 28: the guard holds without a stub, too: with the system’s own look-up and connections', async () => {
  const port = world.trapPort
  for (const host of [
    'localhost',
    'localhost.',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0',
    '[::1]',
    '[::ffff:7f00:1]',
  ])
    await expect(guardedFetch(`http://${host}:${port}/`, limits)).rejects.toEqual(forbidden)
  expect(world.trapped).toEqual([])
})
it('the trap snaps: without the guard, each of these would have arrived', async () => {
  const body = await (await fetch(`http://127.1:${world.trapPort}/latest`)).text()
  expect(body).toMatch(/^The secret/)
  expect(world.trapped).toContain('/latest')
  world
    .connect({ address: '169.254.169.254', family: 4, port: 80 })
    .on('error', () => undefined)
    .end()
  await eventually(() => world.trapped.filter((what) => what === 'a connection').length === 2)
})
