// Reliability row 26: every route of the catalog, tried by every stranger on what belongs to others: all answers are the same, and nothing changes.
import { ROUTES, type RouteEntry, type RouteName } from '../../src/dialects/customer-channel/catalog'
import { request } from '../support/people'
import { namesOf, ROUTE_CASES, ROUTE_NAMES, type Ask } from './route-cases'
import { STRANGERS, type Lure } from './strangers'
import { openTown, PHONE, type CustomerAuth, type Town } from './town'

const onRest = Object.entries(STRANGERS).filter(([, { onSocketsOnly }]) => !onSocketsOnly)
const VARYING = new Set(['date', 'x-request-id'])

/** Status, headers and body without what the stranger said itself. */
async function answerTo(town: Town, name: RouteName, { ask, bearer }: { ask: Ask; bearer: string | undefined }) {
  const method = ROUTES[name].method.toUpperCase()
  const body = ask.body && { body: JSON.stringify(ask.body) }
  const { status, text, headers } = await request(town.url, ask.path, { method, ...body }, bearer)
  const kept = [...headers.entries()].filter(([header]) => !VARYING.has(header))
  return { status, text, headers: kept }
}
const isSecret = (town: Town, { ask, bearer, name }: { ask: Ask; bearer: string | undefined; name: string }): boolean =>
  !(ask.isOpen && bearer === undefined && town.customerAuth === 'handle' && name === 'an ended one on the web')

type Answers = Awaited<ReturnType<typeof answerTo>>[]

/** What is answered about each name, beside what is answered about one that never was. */
async function answersOf(town: Town, route: RouteName, { bearer, lure }: { bearer: string | undefined; lure: Lure }) {
  const { names, ask } = ROUTE_CASES[route]
  const { unknown = '', ...others } = namesOf(names, town)
  const asAlways: Answers = []
  for (const one of ask(unknown, lure)) asAlways.push(await answerTo(town, route, { ask: one, bearer }))
  const answers: Record<string, Answers> = {}
  const expected: Record<string, Answers> = {}
  for (const [name, id] of Object.entries(others)) {
    const secret = ask(id, lure).map((one) => isSecret(town, { ask: one, bearer, name }))
    expected[name] = asAlways.filter((_, i) => secret[i])
    answers[name] = []
    for (const [i, one] of ask(id, lure).entries())
      if (secret[i]) answers[name].push(await answerTo(town, route, { ask: one, bearer }))
  }
  return { answers, expected, all: [...asAlways, ...Object.values(answers).flat()] }
}
const readsLures = (route: RouteName): boolean => route === 'init' || route === 'token'

describe('the catalog of routes', () => {
  it('has a case for every route, and for none besides', () => {
    expect(Object.keys(ROUTE_CASES).sort()).toEqual(Object.keys(ROUTES).sort())
  })
  it.each(Object.entries<RouteEntry>(ROUTES))('has a case for %s that names what its path names', (name, route) => {
    const { names, ask } = ROUTE_CASES[name as RouteName]
    const asked = ask('a-name', {})
    expect(asked.length).toBeGreaterThan(0)
    if (route.ofConversation) expect(names).toBe('conversation')
    if (/\{(id|conversationId)\}/.test(route.path))
      expect(asked.every(({ path }) => path.includes('a-name'))).toBe(true)
    expect(asked.every(({ body }) => (body === undefined) === (route.body === undefined))).toBe(true)
  })
})

describe.each<CustomerAuth>(['handle', 'token'])('where customers join by %s', (customerAuth) => {
  let town: Town
  beforeAll(async () => {
    town = await openTown(customerAuth)
  })
  afterAll(() => town.close())

  describe.each(onRest)('%s', (_name, { bearers, arrive }) => {
    it.each(ROUTE_NAMES)('gets nothing from %s, and can tell nothing', async (route) => {
      const before = await town.state()
      const { someone, lures } = await arrive(town)
      const shown = await bearers(town)
      expect(shown.length).toBeGreaterThan(0)
      // Signing in looks at no credential, and takes its time.
      for (const bearer of route === 'login' ? shown.slice(0, 1) : shown)
        for (const lure of readsLures(route) ? lures : [{}]) {
          const { answers, expected, all } = await answersOf(town, route, { bearer, lure })
          expect(answers).toEqual(expected)
          // An agent may list conversations: that is no secret from staff.
          const mayRead = route === 'conversations' && bearer === town.agents.zoe.token
          for (const { status } of all) expect(mayRead ? [200] : [400, 401, 403, 404]).toContain(status)
          if (mayRead) continue
          for (const secret of [PHONE, 'ann@example.org', 'of Ann’s', 'of theirs', town.ids.key])
            expect(JSON.stringify(all)).not.toContain(secret)
        }
      expect(await town.state()).toEqual(before)
      someone.close()
    })
  })

  it('lets nobody hear that any of this was tried', async () => {
    await town.sentinel('all is quiet')
  })
})
