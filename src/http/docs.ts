// The documents of the API and the pages that show them. All links are relative, so that it works under any base path.
import { join } from 'node:path'
import express, { Router, type RequestHandler } from 'express'

export interface DocsDeps {
  readonly openApi: () => unknown
  readonly asyncApi: () => unknown
  /** Where the build has put the pages and their assets: `dist/web/docs`. */
  readonly folder: string
}

const STRICT = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}
const policy = (relaxed: Partial<typeof STRICT> = {}): string =>
  Object.entries({ ...STRICT, ...relaxed })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ')

/** Swagger UI writes style attributes into its markup. */
const REST_POLICY = policy({ 'style-src': "'self' 'unsafe-inline'" })
/** The AsyncAPI component compiles its schema validators in the browser, and writes style attributes too. */
const EVENTS_POLICY = policy({ 'script-src': "'self' 'unsafe-eval'", 'style-src': "'self' 'unsafe-inline'" })

export function createDocs({ openApi, asyncApi, folder }: DocsDeps): Router {
  const router = Router({ strict: true })
  router.get('/api/openapi.json', document(openApi))
  router.get('/api/asyncapi.json', document(asyncApi))
  router.get('/docs', page(join(folder, 'index.html'), policy()))
  router.get('/docs/rest', page(join(folder, 'rest.html'), REST_POLICY))
  router.get('/docs/events', page(join(folder, 'events.html'), EVENTS_POLICY))
  // Relative links count from the last slash: a page has one address only.
  for (const name of ['docs', 'rest', 'events']) router.get(name === 'docs' ? '/docs/' : `/docs/${name}/`, moved(name))
  router.use(
    '/docs/assets',
    (_request, response, next) => {
      response.set('Content-Security-Policy', policy())
      next()
    },
    express.static(folder, { index: false, redirect: false, maxAge: '1h' }),
  )
  return router
}

const document =
  (make: () => unknown): RequestHandler =>
  (_request, response) => {
    response.set('Cache-Control', 'no-cache').json(make())
  }

const page =
  (file: string, contentSecurityPolicy: string): RequestHandler =>
  (_request, response, next) => {
    response.set({ 'Content-Security-Policy': contentSecurityPolicy, 'Referrer-Policy': 'no-referrer' })
    response.sendFile(file, { maxAge: 0 }, (cause) => {
      if (cause && !response.headersSent) next(cause)
    })
  }

const moved =
  (name: string): RequestHandler =>
  (_request, response) => {
    response.redirect(301, `../${name}`)
  }
