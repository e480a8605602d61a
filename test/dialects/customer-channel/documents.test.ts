// The served documents: judged by validators that are not ours, and compared with the catalog so that they cannot drift.
import { execFileSync } from 'node:child_process'
import { Parser } from '@asyncapi/parser'
import { z } from 'zod'
import { ROUTES, type RouteEntry } from '../../../src/dialects/customer-channel/catalog'
import { EVENTS, SERVER_EVENTS } from '../../../src/dialects/customer-channel/catalog-events'
import { schemas } from '../../../src/dialects/customer-channel/document-schemas'
import { ERRORS, EXAMPLES, FIELDS } from '../../../src/dialects/customer-channel/document-texts'
import { asyncApiDocument, openApiDocument } from '../../../src/dialects/customer-channel/documents'
import * as rest from '../../../src/dialects/customer-channel/rest-wire'
import * as wire from '../../../src/dialects/customer-channel/wire'
import { ERROR_CODES } from '../../../src/model/errors'

const place = { url: 'https://chat.example.com', basePath: '/chat', version: '1.2.3' }
const nowhere = { url: '', basePath: '', version: '1.2.3' }
const routes = Object.entries(ROUTES) as [string, RouteEntry][]

/** The validator is an ES module, which jest cannot load: it gets a process of its own. */
function validateOpenApi(document: unknown): unknown {
  const script = `
    import { Validator } from '@seriousme/openapi-schema-validator'
    import { text } from 'node:stream/consumers'
    const outcome = await new Validator().validate(JSON.parse(await text(process.stdin)))
    console.log(JSON.stringify(outcome))`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    input: JSON.stringify(document),
    encoding: 'utf8',
  })
  return JSON.parse(output)
}
/** All text in a document that stands under `key`. */
function under(document: unknown, key: string): unknown[] {
  if (typeof document !== 'object' || document === null) return []
  const entries: [string, unknown][] = Object.entries(document)
  return entries.flatMap(([name, value]) => [...(name === key ? [value] : []), ...under(value, key)])
}

describe('the OpenAPI document', () => {
  const document = openApiDocument(place)

  it.each([place, nowhere])('is valid OpenAPI 3.1 at %j', (at) => {
    expect(validateOpenApi(openApiDocument(at))).toEqual({ valid: true })
    expect(document.openapi).toBe('3.1.0')
  })

  it('has every route of the catalog and no other', () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    expect(documented.sort()).toEqual(routes.map(([, { method, path }]) => `${method} ${path}`).sort())
  })

  it.each(routes)('tells what %s may answer', (_name, route) => {
    const operation = document.paths[route.path]?.[route.method] as {
      responses: Record<string, unknown>
      parameters: { name: string; in: string }[]
      security: unknown[]
    }
    const statuses = Object.keys(operation.responses).map(Number)
    expect(statuses).toEqual(expect.arrayContaining([route.status, 401, 429, 500, 503]))
    if (route.body) expect(statuses).toEqual(expect.arrayContaining([400, 413, 415]))
    if (route.ofConversation) expect(statuses).toContain(404)
    expect(operation.security.length).toBeGreaterThanOrEqual(route.who.length)
    for (const [, name] of route.path.matchAll(/\{(\w+)\}/g))
      expect(operation.parameters).toContainEqual(expect.objectContaining({ name, in: 'path' }))
  })

  it('names the closed list of error codes', () => {
    for (const code of ERROR_CODES) {
      expect(document.info.description).toContain(`\`${code}\` | ${ERRORS[code].status}`)
      expect(document.components.responses).toHaveProperty(code)
    }
    expect(schemas['Failure']?.properties?.['code']).toMatchObject({ enum: ERROR_CODES })
  })

  it('knows where it is served', () => {
    expect(document.servers).toEqual([{ url: 'https://chat.example.com/chat' }])
    expect(openApiDocument(nowhere).servers).toEqual([{ url: '/' }])
    expect(document.info.version).toBe('1.2.3')
  })

  it('is made once for a place', () => {
    expect(openApiDocument({ ...place })).toBe(document)
    expect(openApiDocument(nowhere)).not.toBe(document)
  })
})

describe('the AsyncAPI document', () => {
  const document = asyncApiDocument(place)
  const { messages } = document.channels.root

  it.each([place, nowhere])('is valid AsyncAPI 3.0 at %j', async (at) => {
    const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument(at)))
    expect(diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([])
    expect(parsed?.version()).toBe('3.0.0')
  })

  it('has every event of the catalog, with what acknowledges it', () => {
    for (const name of Object.keys(EVENTS)) {
      expect(messages).toHaveProperty(name)
      expect(messages).toHaveProperty(`${name}Reply`)
      expect(document.operations[name]).toMatchObject({
        action: 'receive',
        reply: {
          messages: [{ $ref: `#/channels/root/messages/${name}Reply` }, { $ref: '#/channels/root/messages/failure' }],
        },
      })
    }
    for (const name of Object.keys(SERVER_EVENTS)) {
      expect(messages).toHaveProperty(name)
      expect(document.operations[`on${name.charAt(0).toUpperCase()}${name.slice(1)}`]).toMatchObject({ action: 'send' })
    }
  })

  it('has no event that the catalog has not', () => {
    const known = [...Object.keys(EVENTS), ...Object.keys(SERVER_EVENTS)]
    const titles = Object.values(document.operations).map((operation) => (operation as { title: string }).title)
    expect(titles.sort()).toEqual(known.sort())
  })

  it('knows where it is served', () => {
    expect(document.servers.gateway).toMatchObject({
      host: 'chat.example.com',
      protocol: 'wss',
      pathname: '/chat/socket.io',
    })
    expect(asyncApiDocument({ ...place, url: 'http://localhost:8080' }).servers.gateway).toMatchObject({
      host: 'localhost:8080',
      protocol: 'ws',
    })
  })
})

describe('the schemas', () => {
  it('resolve: whatever is referred to is there, and nothing lies about unused', () => {
    for (const document of [openApiDocument(place), asyncApiDocument(place)]) {
      const names = Object.keys(document.components.schemas)
      const references = under(document, '$ref').filter((to) => String(to).startsWith('#/components/schemas/'))
      expect([...new Set(references.map((to) => String(to).split('/').pop()))].sort()).toEqual(names.sort())
    }
  })

  it('together show every shape of the wire', () => {
    const shown = { ...openApiDocument(place).components.schemas, ...asyncApiDocument(place).components.schemas }
    const queries = ['PageQuery', 'ConversationsQuery', 'TranscriptQuery', 'StaffTranscriptQuery'] // shown as parameters
    expect(Object.keys(schemas).filter((name) => !Object.hasOwn(shown, name))).toEqual(queries)
  })

  it('never show what is kept inside', () => {
    expect(under(schemas, 'extras')).toEqual([])
  })

  it('carry the limits that requests are held to', () => {
    expect(schemas['InitRequest']?.properties?.['firstName']).toMatchObject({ maxLength: 64 })
    expect(schemas['SendRequest']?.properties?.['messageId']).toMatchObject({ maxLength: 128 })
    expect(schemas['InitRequest']).toMatchObject({ required: ['channel'] })
  })

  it('use every text that explains a field', () => {
    const used = new Set(under(schemas, 'description'))
    expect(Object.entries(FIELDS).filter(([, text]) => !used.has(text))).toEqual([])
  })

  it.each(Object.entries(EXAMPLES))('have an example for %s that is one', (name, example) => {
    const exported = Object.entries({ ...wire, ...rest }).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
    const schema =
      exported instanceof z.ZodType
        ? exported
        : typeof exported === 'object' && 'documented' in exported
          ? exported.documented
          : null
    expect(schema?.safeParse(example)).toMatchObject({ success: true })
    expect(schemas[name]?.examples).toEqual([example])
  })
})
