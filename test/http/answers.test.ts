// What every answer carries, also those to nonsense: one shape of errors, an id, and headers that keep browsers safe.
import { gzipSync } from 'node:zlib'
import { openGateway } from '../support/gateway'
import { connect, customer, joining, request, say } from '../support/people'

describe('answers', () => {
  let gateway: Awaited<ReturnType<typeof openGateway>>
  beforeAll(async () => {
    gateway = await openGateway()
  })
  afterAll(() => gateway.close())
  const JSON_TYPE = { 'content-type': 'application/json' }
  const failure = (code: string) => ({
    error: { code, message: expect.any(String) as unknown, retryable: false },
  })
  const big = JSON.stringify({ channel: 'web', refId: 'x'.repeat(3_000_000) })
  const init_ = '/api/customer/init'
  const asked: [string, number, string, string, RequestInit][] = [
    ['a body that is too large', 413, 'tooLarge', init_, { method: 'POST', body: big }],
    ['a body that unpacks to too much', 413, 'tooLarge', init_, packed(big)],
    ['another content type', 415, 'unsupportedMediaType', init_, typed('text/plain', '{"channel":"web"}')],
    ['a form', 415, 'unsupportedMediaType', init_, typed('application/x-www-form-urlencoded', 'channel=web')],
    ['no content type', 415, 'unsupportedMediaType', init_, { method: 'POST' }],
    ['an unknown encoding', 415, 'unsupportedMediaType', init_, encoded('zip', '{}')],
    ['half a JSON', 400, 'invalidRequest', init_, { method: 'POST', body: '{"channel":' }],
    ['JSON that is no object', 400, 'invalidRequest', init_, { method: 'POST', body: '"web"' }],
    ['an empty body', 400, 'invalidRequest', init_, { method: 'POST', body: ' ' }],
    ['a broken path', 400, 'invalidRequest', '/api/customer/transcript/%zz/json', {}],
    ['an unknown path', 404, 'notFound', '/api/customer/nothing', {}],
    ['another unknown path', 404, 'notFound', '/nothing/../at/all', {}],
    ['another method', 404, 'notFound', init_, { method: 'PUT', body: '{}' }],
    ['no credential', 401, 'unauthorized', '/api/admin/agents', {}],
  ]
  function typed(type: string, body: string): RequestInit {
    return { method: 'POST', body, headers: { 'content-type': type } }
  }
  function encoded(encoding: string, body: string): RequestInit {
    return { method: 'POST', body, headers: { ...JSON_TYPE, 'content-encoding': encoding } }
  }
  function packed(body: string): RequestInit {
    return { method: 'POST', body: gzipSync(body), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }
  }

  it.each(asked)('to %s are %i in the documented shape', async (...asking) => {
    const [, status, code, path, options] = asking
    const answer = await request(gateway.url, path, options)
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject(failure(code))
    expect(Object.keys(answer.json)).toEqual(['error'])
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.text).not.toMatch(/node_modules|at .*\.ts|\bstack\b/)
  })

  const everywhere: [string, RequestInit][] = [
    ['/health/live', {}],
    ['/health/ready', {}],
    ['/docs', {}],
    ['/openapi.json', {}],
    ['/api/nothing', {}],
    [init_, { method: 'OPTIONS' }],
    [init_, { method: 'POST', body: '{"channel":"web","refId":"1"}' }],
    [init_, { method: 'POST', body: big }],
    ['/api/admin/agents', {}],
    ['/%zz', {}],
  ]
  it.each(everywhere)('at %s carry an id and headers that keep browsers safe', async (path, options) => {
    const { headers } = await request(gateway.url, path, options)
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBeTruthy()
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('server')).toBeNull()
  })
  it('keep the caller’s request id when it is one, and give another when it is not', async () => {
    const idOf = async (id: string) =>
      (await request(gateway.url, '/health/live', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
    expect(await idOf('trace-1.a_b')).toBe('trace-1.a_b')
    for (const id of ['<script>', 'a b', 'x'.repeat(65), '"']) expect(await idOf(id)).toMatch(/^[0-9a-f-]{36}$/)
  })
  it('to a frame that is too large are the end of that connection, and of no other', async () => {
    const { url } = gateway
    const [ann, eve] = [await customer(url), await customer(url, { refId: 'eve' })]
    const told = new Promise<string>((resolve) => eve.socket.once('disconnect', resolve))
    eve.socket.emit('sendMessage', say(eve.conversationId, 'x'.repeat(2_000_000)))
    expect(['transport close', 'transport error']).toContain(await told)
    expect(await ann.call('sendMessage', say(ann.conversationId, 'still here'))).toMatchObject({ code: 200 })
    const again = await connect(url)
    expect(await again.call('joinConversation', joining(eve))).toMatchObject({ code: 200 })
    for (const someone of [ann, again]) someone.close()
  })
})
