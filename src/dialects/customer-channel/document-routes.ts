// The OpenAPI document of the Customer Channel API: its routes, generated from the catalog.
import { ROUTES, type Audience, type RouteEntry, type RouteName } from './catalog'
import { named, propertiesOf, reachable, ref } from './document-schemas'
import {
  CONFLICTS,
  CREDENTIALS,
  ERRORS,
  errorTable,
  INTRODUCTION,
  type Credential,
  type DocumentPlace,
} from './document-texts'
import type { ErrorCode } from '../../model/errors'

/** OpenAPI 3.1. */
export function describeRoutes(place: DocumentPlace) {
  const paths = pathsOf()
  const responses = Object.fromEntries(Object.keys(ERRORS).map((code) => [code, errorResponse(code as ErrorCode)]))
  return {
    openapi: '3.1.0',
    info: {
      title: 'Customer Channel API',
      version: place.version,
      description: `${INTRODUCTION}\n\n## Error codes\n\n${errorTable()}`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: `${place.url}${place.basePath}` || '/' }],
    tags: TAGS,
    paths,
    components: { securitySchemes: securitySchemes(), responses, schemas: reachable({ paths, responses }) },
  }
}

const TAGS = [
  { name: 'Customers', description: 'Starting a chat, tokens and transcripts' },
  { name: 'Agents', description: 'Signing in, and what there is to answer' },
  { name: 'Administration', description: 'Staff, keys, dead letters, erasures and holds; for supervisors' },
  { name: 'Notifications', description: 'Messages that no conversation began' },
]
const tagOf = (path: string): string =>
  path.startsWith('/api/customer')
    ? 'Customers'
    : path.startsWith('/api/agent')
      ? 'Agents'
      : path.startsWith('/api/admin')
        ? 'Administration'
        : 'Notifications'

function pathsOf(): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, RouteEntry][]) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(name, route) }
  }
  return paths
}

function operation(name: RouteName, route: RouteEntry) {
  return {
    operationId: name,
    tags: [tagOf(route.path)],
    summary: route.summary,
    description: `For: ${route.who.map((who) => AUDIENCES[who]).join(', ')}.`,
    security: securityOf(name, route),
    parameters: parametersOf(route),
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: ref(route.body.documented) } } },
    }),
    ...(route.isForm && { requestBody: { required: true, content: { 'multipart/form-data': { schema: FORM } } } }),
    responses: { [route.status]: answerOf(route), ...errorsOf(name, route) },
  }
}

const FORM = {
  type: 'object',
  required: ['file'],
  properties: { file: { type: 'string', format: 'binary', description: 'The one file; other fields are skipped.' } },
}

function answerOf({ status, answer, mediaTypes }: RouteEntry) {
  if (!answer && !mediaTypes) return { description: DESCRIPTIONS[status] }
  const content = (mediaTypes ?? ['application/json']).map((type) => [
    type,
    { schema: answer && type === 'application/json' ? ref(answer) : { type: 'string' } },
  ])
  return { description: DESCRIPTIONS[status], content: Object.fromEntries(content) as Record<string, unknown> }
}
const DESCRIPTIONS: Readonly<Record<RouteEntry['status'], string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Accepted',
  204: 'Done; there is nothing to say',
}

function parametersOf({ path, query }: RouteEntry) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...(PATH_PARAMETERS[name] && { description: PATH_PARAMETERS[name] }),
    schema: { type: 'string' },
  }))
  if (!query) return inPath
  const inQuery = propertiesOf(query.documented).map(([name, { description, ...schema }, required]) => ({
    name,
    in: 'query',
    required,
    ...(description && { description }),
    schema,
  }))
  return [...inPath, ...inQuery]
}
const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  type: 'The form of the transcript, in any case: `json`, `txt`, `csv`, `html`, `pdf`.',
  channel: 'The name of the channel.',
  link: 'As it stands in `contentUrl` and `thumbnailUrl`.',
  name: 'For the reader alone: any will do.',
}

const OF_FORMS: readonly ErrorCode[] = [
  'invalidRequest',
  'timeout',
  'conversationEnded',
  'tooLarge',
  'unsupportedMediaType',
  'storageFull',
]
function errorsOf(name: RouteName, route: RouteEntry): Record<string, unknown> {
  const codes: ErrorCode[] = ['unauthorized', 'tooManyRequests', 'internal', 'unavailable']
  if (route.body ?? route.query ?? route.mediaTypes) codes.push('invalidRequest')
  if (route.body) codes.push('tooLarge', 'unsupportedMediaType')
  if (route.isForm) codes.push(...OF_FORMS)
  codes.push(...refusalsOf(route))
  const errors: Record<string, object> = Object.fromEntries(
    codes.map((code) => [ERRORS[code].status, { $ref: `#/components/responses/${code}` }]),
  )
  const conflict = CONFLICTS[name]
  return conflict === undefined ? errors : { ...errors, 409: { ...errorResponse('conflict'), description: conflict } }
}

function refusalsOf({ who, ofConversation, path }: RouteEntry): ErrorCode[] {
  // Where a conversation is named, lacking a right looks like not finding it.
  const isRefused = !who.includes('anyone') && !ofConversation
  const isHidden = ofConversation || path.includes('{')
  return [...(isRefused ? (['forbidden'] as const) : []), ...(isHidden ? (['notFound'] as const) : [])]
}

function errorResponse(code: ErrorCode) {
  const { meaning, remedy } = ERRORS[code]
  const retryable = code === 'tooManyRequests' || code === 'unavailable'
  return {
    description: `${meaning} ${remedy}`,
    ...(retryable && {
      headers: { 'Retry-After': { description: 'Seconds to wait before a repeat', schema: { type: 'integer' } } },
    }),
    content: { 'application/json': { schema: named('ErrorAnswer') } },
  }
}

const AUDIENCES: Readonly<Record<Audience, string>> = {
  anyone: 'anyone',
  customer: 'customers',
  staff: 'agents and supervisors',
  supervisor: 'supervisors',
  connector: 'connectors',
  thirdParty: 'third parties',
  bot: 'bots',
}
const CREDENTIAL_OF: Readonly<Record<Exclude<Audience, 'anyone'>, Credential>> = {
  customer: 'customerToken',
  staff: 'staffToken',
  supervisor: 'staffToken',
  connector: 'apiKey',
  thirdParty: 'apiKey',
  bot: 'apiKey',
}
/** Any one of the list is enough; the empty one means: none is needed. */
function securityOf(name: RouteName, { who }: RouteEntry): Record<string, string[]>[] {
  const credentials = who.map((audience) =>
    audience === 'anyone' ? {} : { [CREDENTIAL_OF[audience]]: [] as string[] },
  )
  // For a short while after its end, a web conversation's transcript is there for whoever knows its id.
  return name === 'transcript' ? [...credentials, {}] : credentials
}

function securitySchemes(): Record<Credential, object> {
  const of = (credential: Credential) => ({
    type: 'http',
    scheme: 'bearer',
    bearerFormat: CREDENTIALS[credential].scheme,
    description: CREDENTIALS[credential].text,
  })
  return { staffToken: of('staffToken'), customerToken: of('customerToken'), apiKey: of('apiKey') }
}
