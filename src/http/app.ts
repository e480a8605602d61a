// The Express app: headers, limits, the mounted routers, and one place where errors become answers.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express'
import helmet from 'helmet'
import { GatewayError } from '../model/errors'
import { patience } from './patience'

/** The largest JSON body: a message with its text and small `data:` links. */
const MAX_BODY = '256kb'
const MAX_REQUEST_ID = 64

interface HttpDeps {
  /** Empty, or `/chat`. */
  readonly basePath: string
  readonly allowedOrigins: 'any' | readonly string[]
  readonly routers: readonly Router[]
  /** A request that takes much, and whose sender has time: see `patience`. */
  readonly isPatient: (request: IncomingMessage) => boolean
  readonly health: { live(): HealthAnswer; ready(): Promise<HealthAnswer> }
  /** On its way down: whoever keeps a connection is to make another, to a gateway that stays. */
  readonly isDraining: () => boolean
  readonly onError: ErrorRequestHandler
  /** Hears of every answer: the pattern of its route, never the path that was asked for. */
  readonly onAnswered: (answer: { requestId: string; route: string; status: number; seconds: number }) => void
}
interface HealthAnswer {
  readonly status: number
  readonly body: object
}

export function createApp(deps: HttpDeps): Express {
  const app = express()
  app.disable('x-powered-by').set('etag', false).set('query parser', 'simple')
  app.use(traced(deps), patience(deps.isPatient), securityHeaders())
  app.get('/health/live', (_request, response) => answerHealth(response, deps.health.live()))
  app.get('/health/ready', async (_request, response) => answerHealth(response, await deps.health.ready()))
  const mounted = express.Router({ caseSensitive: true })
  mounted.use('/api', crossOrigin(deps.allowedOrigins), express.json({ limit: MAX_BODY, strict: false }))
  for (const router of deps.routers) mounted.use(router)
  app.use(deps.basePath || '/', mounted)
  app.use(() => {
    throw new GatewayError('notFound', 'There is nothing at this address. See /docs for what there is.')
  })
  app.use(deps.onError)
  return app
}

function answerHealth(response: express.Response, { status, body }: HealthAnswer): void {
  response.status(status).set('Cache-Control', 'no-store').json(body)
}

/** Every answer carries the id under which the log knows it. */
function traced({ onAnswered, isDraining }: Pick<HttpDeps, 'onAnswered' | 'isDraining'>): RequestHandler {
  return (request, response, next) => {
    const given = request.get('x-request-id') ?? ''
    const requestId = /^[\w.-]+$/.test(given) && given.length <= MAX_REQUEST_ID ? given : randomUUID()
    response.set('X-Request-Id', requestId)
    if (isDraining()) response.set('Connection', 'close')
    const began = performance.now()
    response.once('finish', () => {
      const route = typeof request.route === 'object' ? String((request.route as { path: unknown }).path) : 'none'
      const seconds = (performance.now() - began) / 1_000
      onAnswered({ requestId, route, status: response.statusCode, seconds })
    })
    next()
  }
}

/** Pages that need more than this say so themselves. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // A site of another origin calls the API: what may be read is for CORS to say.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    // Whether the world reaches us by TLS is the proxy's to know.
    strictTransportSecurity: false,
  })
}

/** Listed origins are echoed, with credentials, as old polling clients send them. */
function crossOrigin(allowed: HttpDeps['allowedOrigins']): RequestHandler {
  return (request, response, next) => {
    const { origin } = request.headers
    response.vary('Origin')
    if (origin !== undefined && (allowed === 'any' || allowed.includes(origin))) {
      response.set('Access-Control-Allow-Origin', origin)
      response.set('Access-Control-Allow-Credentials', 'true')
      response.set('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id')
    }
    if (request.method !== 'OPTIONS') {
      next()
      return
    }
    response.set('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE')
    response.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-Request-Id')
    response.set('Access-Control-Max-Age', '600').status(204).end()
  }
}
