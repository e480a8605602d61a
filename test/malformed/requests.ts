// HTTP requests to every route of the catalog: bodies, queries, parameters, headers and the writing itself changed.
import { deflateSync, gzipSync, brotliCompressSync } from 'node:zlib'
import { ROUTES, type RouteEntry, type RouteName } from '../../src/dialects/customer-channel/catalog'
import type { Chance } from './chance'
import { EVIL_NAMES, garbled, MARK, mutated, write, type Fields } from './junk'

export interface Credentials {
  readonly supervisor: string
  readonly agent: string
  readonly customer: string
  readonly connector: string
  readonly thirdParty: string
  readonly conversationId: string
  readonly handle: string
}
export interface RequestCase {
  readonly name: string
  readonly bytes: Buffer
  /** It waits for more: we end the connection behind it. */
  readonly isCut: boolean
  /** What follows it on the connection would be misunderstood. */
  readonly isLast: boolean
  readonly headless: boolean
}

/** What each route could truly be sent. Passwords are too short: hashing thousands of them is nobody's test. */
const BODIES: Partial<Record<RouteName, (held: Credentials, chance: Chance) => Fields>> = {
  init: (_held, chance) => ({
    channel: chance.pick(['web', 'web', 'sms', 'nowhere']),
    refId: MARK,
    firstName: MARK,
    email: `${MARK}@example.org`,
    phone: 49170,
    subject: MARK,
    url: `https://example.org/${MARK}`,
    requestId: `q${chance.below(1e9)}`,
    timestamp: '2026-11-20 10:15:30',
  }),
  token: ({ conversationId, handle, customer }) => ({ conversationId, id: handle, token: customer }),
  login: () => ({ username: MARK, password: '' }),
  createAgent: () => ({ username: MARK, password: MARK, name: MARK, role: 'agent' }),
  changeAgent: () => ({ name: MARK, role: 'agent', password: MARK, disabled: false }),
  createKey: (_held, chance) => ({
    name: MARK,
    kind: chance.pick(['connector', 'thirdParty', 'bot']),
    channel: chance.pick(['sms', 'echo', MARK]),
    account: '',
    dailyQuota: 5,
    prefixes: ['+49'],
  }),
  sendNotification: (_held, chance) => ({
    to: '+491701234567',
    account: '',
    text: MARK,
    attachments: [{ type: 'image/png', name: MARK, contentUrl: `https://example.org/${MARK}` }],
    idempotencyKey: chance.pick(['i1', 'i2', `i${chance.below(1e9)}`]),
    expiresAt: '2099-01-01T00:00:00Z',
  }),
}
const QUERIES: Partial<Record<RouteName, Fields>> = {
  conversations: { state: 'active', after: MARK, limit: 5 },
  deadLetters: { after: MARK, limit: 5 },
}

/** A segment that a path cannot be without. */
const SEGMENTS = [
  'x',
  MARK,
  '%00',
  '%',
  '%e0%a4%a',
  '%2e%2e',
  '..',
  '__proto__',
  'a'.repeat(5_000),
  '%F0%9F%98%80',
  '1e999',
]
function pathOf(route: RouteEntry, { conversationId }: Credentials, chance: Chance): string {
  const valid: Readonly<Record<string, string>> = {
    conversationId,
    type: chance.pick(['json', 'txt', 'pdf', 'email', 'JSON', 'exe']),
    channel: 'sms',
    id: MARK,
  }
  const path = route.path.replace(/\{(\w+)\}/g, (_all, name: string) =>
    chance.oneIn(3) ? chance.pick(SEGMENTS) : (valid[name] ?? 'x'),
  )
  if (!chance.oneIn(15)) return path
  return chance.pick([
    `/${path}`,
    path.toUpperCase(),
    `${path}/`,
    `${path}/${chance.pick(SEGMENTS)}`,
    `${path};a=b`,
    `${path}%2f`,
  ])
}
function queryOf(name: RouteName, chance: Chance): string {
  const fields = QUERIES[name]
  if (!fields && !chance.oneIn(10)) return ''
  const changed = fields ? mutated(fields, Object.keys(fields), chance) : { [chance.pick(EVIL_NAMES)]: MARK }
  const entries = typeof changed === 'object' && changed !== null ? Object.entries(changed) : [['limit', 'x']]
  const text = entries
    .flatMap(([key, value]) => (Array.isArray(value) ? value.map((one: unknown) => [key, one]) : [[key, value]]))
    .slice(0, 50)
    .map(([key, value]) => `${escaped(key)}=${escaped(typeof value === 'object' ? write(value) : value)}`)
    .join('&')
  return `?${chance.oneIn(20) ? `%zz&${text}&&=` : text}`.slice(0, 9_000)
}
const escaped = (value: unknown): string => encodeURIComponent(Buffer.from(String(value)).toString())

function bearer(route: RouteEntry, held: Credentials, chance: Chance): string[] {
  const { supervisor, agent, customer, connector, thirdParty, handle } = held
  const own = { supervisor, staff: agent, customer, connector, thirdParty, bot: connector, anyone: '' }[
    route.who[0] ?? 'anyone'
  ]
  const strange = ['', ' ', 'null', MARK, 'a.b.c', `${agent}x`, agent.replace('.', '..'), 'x'.repeat(5_000), handle]
  const token = chance.oneIn(4) ? chance.pick([...strange, agent, customer, connector, thirdParty]) : own
  if (token === '' && chance.oneIn(2)) return []
  const lines = [
    `Authorization: ${chance.oneIn(12) ? chance.pick(['Basic', 'bearer', 'Bearer ', '', 'Bearer Bearer']) : 'Bearer'} ${token}`,
  ]
  return chance.oneIn(30) ? [...lines, `Authorization: Bearer ${MARK}`] : lines
}

interface Written {
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly isCut?: boolean
  readonly isLast?: boolean
}
const JSON_TYPE = 'Content-Type: application/json'
const sized = (body: Buffer, ...headers: string[]): Written => ({
  headers: [...headers, `Content-Length: ${body.length}`],
  body,
})
const chunk = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')])
const END = Buffer.from('0\r\n\r\n')
const CHUNKED = 'Transfer-Encoding: chunked'
/** Ten megabytes of nothing, and a JSON text of them, in ten kilobytes. */
const BOMBS = [gzipSync(Buffer.alloc(10_000_000)), gzipSync(Buffer.from(`{"channel":"${'a'.repeat(10_000_000)}"}`))]

/** How a body may be written. */
const WRITINGS: readonly ((body: Buffer, chance: Chance) => Written)[] = [
  (body, chance) =>
    sized(
      body,
      `Content-Type: ${chance.pick(['text/plain', 'application/xml', 'application/json; charset=utf-7', 'application/json; charset=utf-16', 'application/json;charset', 'multipart/form-data; boundary=x', `application/${MARK}`, 'application/x-www-form-urlencoded', '', '/', 'application/problem+json'])}`,
    ),
  (body) => sized(gzipSync(body), JSON_TYPE, 'Content-Encoding: gzip'),
  (body) => sized(deflateSync(body), JSON_TYPE, 'Content-Encoding: deflate'),
  (body) => sized(brotliCompressSync(body), JSON_TYPE, 'Content-Encoding: br'),
  (body, chance) =>
    sized(body, JSON_TYPE, `Content-Encoding: ${chance.pick(['gzip', 'deflate', 'br', 'zstd', MARK, 'gzip, gzip'])}`),
  (_body, chance) => sized(chance.pick(BOMBS), JSON_TYPE, 'Content-Encoding: gzip'),
  (_body, chance) => sized(chance.pick(BOMBS).subarray(0, 500), JSON_TYPE, 'Content-Encoding: gzip'),
  (body) => ({ headers: [JSON_TYPE, CHUNKED], body: Buffer.concat([chunk(body), END]) }),
  // Never without a byte: an empty chunk is the end.
  (body) => ({ headers: [JSON_TYPE, CHUNKED], body: chunk(Buffer.concat([body, Buffer.from(' ')])), isCut: true }),
  (body) => ({ headers: [JSON_TYPE, CHUNKED], body: Buffer.concat([Buffer.from('zz\r\n'), body]), isLast: true }),
  (body) => ({
    headers: [JSON_TYPE, CHUNKED],
    body: Buffer.from(`fffffff\r\n${body.toString()}`),
    isCut: true,
  }),
  (body) => ({ headers: [JSON_TYPE, `Content-Length: ${body.length + 10}`], body, isCut: true }),
  (body) => ({ headers: [JSON_TYPE, `Content-Length: ${Math.max(0, body.length - 1)}`], body, isLast: true }),
  (body, chance) => ({
    headers: [JSON_TYPE, `Content-Length: ${chance.pick(['-1', 'x', '1e3', '99999999999999999999', '0x10'])}`],
    body,
    isLast: true,
  }),
  (body) => ({ headers: [JSON_TYPE, 'Content-Length: 3', 'Content-Length: 4'], body, isLast: true }),
  (body) => ({
    headers: [JSON_TYPE, CHUNKED, 'Content-Length: 4'],
    body: Buffer.concat([chunk(body), END]),
    isLast: true,
  }),
  (body) => sized(body, JSON_TYPE, JSON_TYPE, 'Content-Type: text/plain'),
  () => sized(Buffer.alloc(300_000, 0x20), JSON_TYPE),
  () => sized(Buffer.alloc(0), JSON_TYPE),
]
function bodyOf(name: RouteName, held: Credentials, chance: Chance): Buffer {
  const valid = BODIES[name]?.(held, chance) ?? { [MARK]: MARK }
  const route: RouteEntry = ROUTES[name]
  const names = [
    ...Object.keys(route.body?.documented.shape ?? valid),
    'sessionId',
    'Channel',
    'reqestId',
    'key',
    'token',
  ]
  const text = write(mutated(valid, names, chance))
  if (chance.oneIn(12)) return Buffer.from(garbled(text, chance))
  if (chance.oneIn(40)) return Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xc3, 0x28])])
  return Buffer.from(text)
}

const HEADERS = [
  'X-Request-Id: ../../evil',
  `X-Request-Id: ${'x'.repeat(100)}`,
  'X-Forwarded-For: 1.2.3.4, ::1, %, unknown',
  'Origin: null',
  `Origin: https://${MARK}`,
  'Accept: */*;q=NaN',
  `Cookie: ${MARK}=${MARK}; __proto__=1`,
  'If-None-Match: *',
  'Range: bytes=0-99999999999',
  'Connection: close',
  'X-HTTP-Method-Override: DELETE',
]
/** These no HTTP server takes. */
const BROKEN_HEADERS = [
  `X-Long: ${'x'.repeat(17_000)}`,
  'No colon',
  ': no name',
  `Spa ce: ${MARK}`,
  'Nul: \u0000',
  'Host: b',
]
const METHODS = ['PUT', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'DELETE', 'PATCH', 'GET', 'POST']

function writtenOf(name: RouteName, held: Credentials, chance: Chance): Written {
  const route: RouteEntry = ROUTES[name]
  if (!route.body && !chance.oneIn(15)) return { headers: [], body: Buffer.alloc(0) }
  const body = bodyOf(name, held, chance)
  return chance.oneIn(4) ? chance.pick(WRITINGS)(body, chance) : sized(body, JSON_TYPE)
}

export function requestCase(host: string, held: Credentials, chance: Chance): RequestCase {
  const name = chance.pick(Object.keys(ROUTES) as RouteName[])
  const route: RouteEntry = ROUTES[name]
  const method = chance.oneIn(20) ? chance.pick(METHODS) : route.method.toUpperCase()
  const { headers, body, isCut, isLast } = { isCut: false, isLast: false, ...writtenOf(name, held, chance) }
  const isBroken = chance.oneIn(60)
  const version = chance.oneIn(200) ? chance.pick(['HTTP/2.0', 'HTTP/1.0', 'HTTP/0.9', 'XTTP/1.1']) : 'HTTP/1.1'
  const lines = [
    `${method} ${pathOf(route, held, chance)}${queryOf(name, chance)} ${version}`,
    `Host: ${host}`,
    ...bearer(route, held, chance),
    ...headers,
    ...(chance.oneIn(8) ? [chance.pick(HEADERS)] : []),
    ...(isBroken ? [chance.pick(BROKEN_HEADERS)] : []),
  ]
  return {
    name: lines
      .join(' | ')
      .replace(/ eyJ\S+/g, ' …')
      .slice(0, 400),
    bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]),
    isCut,
    isLast: isLast || isBroken || version !== 'HTTP/1.1',
    headless: method === 'HEAD',
  }
}
