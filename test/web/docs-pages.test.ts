// The documentation pages in a real browser: they show both documents, under a base path and under their own policy.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import type { Browser, Page } from 'playwright-core'
import { ROUTES } from '../../src/dialects/customer-channel/catalog'
import { EVENTS } from '../../src/dialects/customer-channel/catalog-events'
import { asyncApiDocument, openApiDocument } from '../../src/dialects/customer-channel/documents'
import { createDocs } from '../../src/http/docs'
import { startChromium } from '../support/chromium'

const basePath = '/chat'
let browser: Browser
let server: Server
let origin: string
let page: Page
let complaints: string[]

beforeAll(async () => {
  const place = () => ({ url: origin, basePath, version: '1.2.3' })
  const docs = createDocs({
    openApi: () => openApiDocument(place()),
    asyncApi: () => asyncApiDocument(place()),
    folder: join(__dirname, '../../dist/web/docs'),
  })
  server = createServer(express().use(basePath, docs))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await startChromium()
})
afterAll(async () => {
  await browser.close()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(async () => {
  complaints = []
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:'))
      complaints.push(`went to ${url}`)
  })
})
afterEach(() => page.close())

const shot = async (name: string) => {
  const folder = process.env['SCREENSHOTS']
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) })
}

it('has an index that leads to both references and shows this gateway in its examples', async () => {
  await page.goto(`${origin}${basePath}/docs`)
  expect(await page.locator('h1').textContent()).toBe('The Customer Channel API')
  await page.waitForFunction(`document.querySelector('[data-base]').textContent.includes('/chat')`)
  expect(await page.locator('[data-base]').first().textContent()).toBe(`${origin}${basePath}`)
  await shot('docs-index')
  await page.locator('a.card').nth(1).click()
  await page.waitForURL(`${origin}${basePath}/docs/events`)
  expect(complaints).toEqual([])
})

it('shows every route', async () => {
  await page.goto(`${origin}${basePath}/docs/rest`)
  await page.locator('.opblock').first().waitFor()
  expect(await page.locator('.opblock').count()).toBe(Object.keys(ROUTES).length)
  await shot('docs-rest')
  await page.locator('.opblock-summary').first().click()
  await page.locator('.opblock-body').first().waitFor()
  await shot('docs-rest-open')
  expect(complaints).toEqual([])
})

it('shows every event', async () => {
  await page.goto(`${origin}${basePath}/docs/events`)
  await page.locator('#operations').waitFor()
  const shown = (await page.locator('#operations').textContent()) ?? ''
  for (const name of Object.keys(EVENTS)) expect(shown).toContain(name)
  const headings = await page.locator('#operations h3').allTextContents()
  for (const name of Object.keys(EVENTS)) expect(headings.some((heading) => heading.endsWith(` ${name}`))).toBe(true)
  await shot('docs-events')
  await page
    .locator('#operations h3')
    .nth(1)
    .evaluate((heading) => heading.scrollIntoView())
  await shot('docs-events-operations')
  expect(complaints).toEqual([])
})
