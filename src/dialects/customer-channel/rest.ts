// REST: binds each route of the catalog to its handler, and answers errors in the one documented shape.
import { Router, type ErrorRequestHandler, type Request, type Response } from 'express'
import { GatewayError, toGatewayError } from '../../model/errors'
import { ROUTES, type RouteName } from './catalog'
import type { ChannelDeps } from './deps'
import { failureOf } from './handle'
import type { Call, Handlers } from './rest-call'
import { adminHandlers } from './rest-admin'
import { channelHandlers } from './rest-channel'
import { customerHandlers } from './rest-customer'
import { erasureHandlers } from './rest-erasure'

export function createRoutes(deps: ChannelDeps): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const handlers: Handlers = {
    ...customerHandlers(deps),
    ...adminHandlers(deps),
    ...erasureHandlers(deps),
    ...channelHandlers(deps),
  }
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const { method, path, status } = ROUTES[name]
    router[method](path.replace(/\{(\w+)\}/g, ':$1'), async (request: Request, response: Response) => {
      if ('body' in ROUTES[name] && !request.is('application/json'))
        throw new GatewayError('unsupportedMediaType', 'Send a JSON body, with Content-Type: application/json.')
      const result = await handlers[name](callOf(deps, request))
      response.status(status).set('Cache-Control', 'no-store').set('Referrer-Policy', 'no-referrer')
      if (result === null) response.end()
      else if ('json' in result) response.json(result.json)
      else response.type(result.mediaType).set('Content-Disposition', 'attachment').send(result.file)
    })
  }
  return router
}

function callOf(deps: ChannelDeps, request: Request): Call {
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.params)) params[name] = typeof value === 'string' ? value : ''
  return {
    params,
    body: request.body as unknown,
    query: request.query,
    authorization: request.headers.authorization,
    address: deps.clientAddressOf(request),
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
