// REST: binds each route of the catalog to its handler, and answers errors in the one documented shape.
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Router, type ErrorRequestHandler, type Request, type Response } from 'express'
import type { Answered } from '../../files/files'
import { GatewayError, toGatewayError } from '../../model/errors'
import { ROUTES, type RouteEntry, type RouteName } from './catalog'
import type { ChannelDeps } from './deps'
import { failureOf } from './handle'
import type { Call, FileResult, Handlers } from './rest-call'
import { adminHandlers } from './rest-admin'
import { channelHandlers } from './rest-channel'
import { customerHandlers } from './rest-customer'
import { fileHandlers } from './rest-files'
import { transcriptHandlers } from './rest-transcripts'
import { erasureHandlers } from './rest-erasure'

export function createRoutes(deps: ChannelDeps): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const handlers: Handlers = {
    ...customerHandlers(deps),
    ...adminHandlers(deps),
    ...channelHandlers(deps),
    ...fileHandlers(deps),
    ...transcriptHandlers(deps),
    ...erasureHandlers(deps),
  }
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const { method, path, status } = ROUTES[name]
    router[method](path.replace(/\{(\w+)\}/g, ':$1'), async (request: Request, response: Response) => {
      if ('body' in ROUTES[name] && !request.is('application/json'))
        throw new GatewayError('unsupportedMediaType', 'Send a JSON body, with Content-Type: application/json.')
      const result = await handlers[name](callOf(deps, request, response))
      response.status(status).set('Cache-Control', 'no-store').set('Referrer-Policy', 'no-referrer')
      if (result === null) response.end()
      else if ('json' in result) response.json(result.json)
      else if ('pieces' in result) await send(deps, response.type('json'), result.pieces)
      else if ('file' in result) await sendFile(deps, response, result)
      else await sendAnswer(deps, response, result)
    })
  }
  return router
}

const PATIENT = Object.values<RouteEntry>(ROUTES)
  .filter((route) => route.isPatient)
  .map(({ method, path }) => new RegExp(`^${method} .*${path.replace(/\{\w+\}/g, '[^/]+')}(?:[?]|$)`, 'i'))
/** Whether it is for one of the routes that are patient, under whatever base path. */
export const isPatient = ({ method = '', url = '' }: Pick<IncomingMessage, 'method' | 'url'>): boolean =>
  PATIENT.some((pattern) => pattern.test(`${method} ${url}`))

async function sendFile(deps: ChannelDeps, response: Response, result: FileResult): Promise<void> {
  const { file, mediaType, filename, etag } = result
  response.type(mediaType).set('Content-Disposition', `attachment; filename="${filename}"`).set('ETag', etag)
  if (response.req.get('if-none-match') === etag) {
    file.destroy()
    response.status(304).end()
  } else await send(deps, response, file)
}
async function sendAnswer(deps: ChannelDeps, response: Response, { answer, stream }: Answered): Promise<void> {
  response.status(answer.status).set(answer.headers)
  if (stream) await send(deps, response, stream)
  else response.end()
}
async function send(deps: ChannelDeps, response: Response, body: Readable): Promise<void> {
  try {
    await pipeline(body, response, { signal: AbortSignal.timeout(deps.readerMs) })
  } catch (cause) {
    // Cut off in the middle, so that nobody takes a half for the whole. Who went away is no fault of ours.
    response.destroy()
    const wasLeft = cause instanceof Error && (cause.name === 'AbortError' || cause.message === 'Premature close')
    if (!wasLeft) deps.onFault(cause)
  }
}

/** Aborted when whoever asked has gone before the answer. */
function goneBefore(response: Response): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new GatewayError('unavailable', 'The connection was lost. Ask again.'))
  })
  return gone.signal
}

function callOf(deps: ChannelDeps, request: Request, response: Response): Call {
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.params)) params[name] = typeof value === 'string' ? value : ''
  return {
    params,
    body: request.body as unknown,
    query: request.query,
    authorization: request.headers.authorization,
    address: deps.clientAddressOf(request),
    request,
    gone: goneBefore(response),
  }
}

/** Whatever went wrong on the way, also before a route was found, in the one shape. */
export function answerErrors(onFault: (cause: unknown) => void): ErrorRequestHandler {
  return (cause: unknown, _request, response, next) => {
    const error = fromHttp(cause) ?? toGatewayError(cause)
    if (error.code === 'internal') onFault(cause)
    if (response.headersSent) {
      next(cause)
      return
    }
    const { code, error: body } = failureOf(error)
    if (error.retryAfter !== undefined) response.set('Retry-After', String(Math.ceil(error.retryAfter)))
    response.status(code).set('Cache-Control', 'no-store').json({ error: body })
  }
}

/** Express and its parsers throw errors with a status of their own. */
function fromHttp(cause: unknown): GatewayError | null {
  if (typeof cause !== 'object' || cause === null || !('status' in cause) || cause instanceof GatewayError) return null
  const { status } = cause
  if (status === 413) return new GatewayError('tooLarge', 'The body is too large.', { cause })
  if (status === 415) return new GatewayError('unsupportedMediaType', 'This encoding is not understood.', { cause })
  if (typeof status !== 'number' || status < 400 || status >= 500) return null
  return new GatewayError('invalidRequest', 'The request could not be read. Send well-formed JSON.', { cause })
}
