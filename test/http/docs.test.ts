// The documents and their pages, over HTTP, at the root and under a base path.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import { createDocs } from '../../src/http/docs'

const folder = join(__dirname, '../../dist/web/docs')
const docs = createDocs({ openApi: () => ({ openapi: '3.1.0' }), asyncApi: () => ({ asyncapi: '3.0.0' }), folder })

describe.each(['', '/chat'])('the documentation under "%s"', (basePath) => {
  let server: Server
  let base: string
  const get = (path: string) => fetch(`${base}${path}`, { redirect: 'manual' })

  beforeAll(async () => {
    const app = express()
    app.use(basePath || '/', docs)
    server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  it('serves both documents as JSON', async () => {
    const openApi = await get('/api/openapi.json')
    expect(openApi.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await openApi.json()).toEqual({ openapi: '3.1.0' })
    expect(await (await get('/api/asyncapi.json')).json()).toEqual({ asyncapi: '3.0.0' })
  })

  it.each(['/docs', '/docs/rest', '/docs/events'])('serves %s, whose links all lead somewhere', async (path) => {
    const response = await get(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    const html = await response.text()
    const links = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link = '']) => link)
    expect(links.length).toBeGreaterThan(4)
    for (const link of links.filter((one) => !one.startsWith('data:'))) {
      expect(link).not.toMatch(/^(\/|https?:)/)
      expect([link, (await fetch(new URL(link, `${base}${path}`))).status]).toEqual([link, 200])
    }
  })

  it.each([
    ['/docs', /script-src 'self';.*style-src 'self';/],
    ['/docs/rest', /script-src 'self';.*style-src 'self' 'unsafe-inline';/],
    ['/docs/events', /script-src 'self' 'unsafe-eval';.*style-src 'self' 'unsafe-inline';/],
    ['/docs/assets/events.html', /script-src 'self';.*style-src 'self';/],
  ])('lets %s run no script that stands in a page', async (path, expected) => {
    const response = await get(path)
    expect(response.headers.get('content-security-policy')).toMatch(expected)
    expect(response.headers.get('content-security-policy')).not.toMatch(/script-src[^;]*'unsafe-inline'/)
    expect(await response.text()).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=/)
  })

  it('gives each page one address', async () => {
    for (const path of ['/docs/', '/docs/rest/', '/docs/events/']) {
      const response = await get(path)
      expect(response.status).toBe(301)
      const target = new URL(response.headers.get('location') ?? '', `${base}${path}`)
      expect(target.href).toBe(`${base}${path.slice(0, -1)}`)
    }
  })

  it('serves nothing from elsewhere', async () => {
    expect((await get('/docs/assets/..%2f..%2fsrc%2fmodel%2fids.js')).status).toBeGreaterThanOrEqual(400)
    expect((await get('/docs/assets/none.js')).status).toBe(404)
  })
})
