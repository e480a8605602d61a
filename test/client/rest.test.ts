// The REST calls: repeated when that is safe, and failing with one kind of error.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { baseOf, init, listConversations, login } from '../../src/client/rest'
import { busy, failure, startFakeGateway, type FakeGateway } from './fake-gateway'

let gateway: FakeGateway
beforeEach(async () => {
  gateway = await startFakeGateway()
})
afterEach(() => gateway.close())

it('starts one chat, however often it has to ask', async () => {
  gateway.fates.post.push(busy(), busy())
  gateway.answerPost = () => ({ conversationId: 'new' })
  const answer = await init(gateway.url, { channel: 'web', email: 'nadia@example.com' })
  expect(answer.conversationId).toBe('new')
  expect(gateway.posts).toHaveLength(3)
  expect(new Set(gateway.posts.map(({ body }) => body['requestId'])).size).toBe(1)
  expect(gateway.posts[0]?.body['requestId']).toMatch(/^[0-9a-f-]{36}$/)
})

it('does not repeat what was refused for good', async () => {
  gateway.fates.post.push(failure(400, 'invalidRequest'))
  const refused = init(gateway.url, { channel: '' })
  await expect(refused).rejects.toMatchObject({ code: 'invalidRequest', status: 400, retryable: false })
  expect(gateway.posts).toHaveLength(1)
})

it('signs in and lists conversations under the base path', async () => {
  gateway.answerPost = (path) => ({ path })
  expect(await login(`${gateway.url}/chat`, { username: 'ada', password: 'secret' })).toEqual({
    path: '/chat/api/agent/login',
  }) // a base path that the fake gateway does not know is still asked for
  const listed = await listConversations(gateway.url, 'token', { state: 'active', limit: 5 })
  expect(listed).toEqual({ path: '/api/agent/conversations?state=active&limit=5' })
})

it('says so when nothing answers, or something else than a gateway', async () => {
  const proxy = createServer((_request, response) => response.writeHead(404).end('<h1>Not here</h1>'))
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const who = { username: 'ada', password: 'secret' }
  await expect(login(url, who)).rejects.toMatchObject({ code: 'unavailable', status: 404, retryable: false })
  await new Promise((resolve) => proxy.close(resolve))
  await expect(login(url, who)).rejects.toMatchObject({ code: 'unavailable', status: 0, retryable: true })
})

it('takes an address with or without a slash at its end', () => {
  expect(baseOf('https://host/chat').href).toBe('https://host/chat/')
  expect(baseOf('https://host/chat/').href).toBe('https://host/chat/')
  expect(baseOf('https://host').href).toBe('https://host/')
})
