// The newcomer's first minute in a real browser against the real gateway.
import { source as axeSource, type AxeResults } from 'axe-core'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { readConfig } from '../../src/config'
import { startGateway, type Gateway } from '../../src/gateway'
import { startChromium } from '../support/chromium'
import { eventually } from '../support/eventually'
import { png } from '../support/uploading'

const PASSWORD = 'correct horse battery'
let folder: string
let gateway: Gateway
let browser: Browser
let context: BrowserContext
let page: Page
let problems: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-demo-'))
  const env = { DATA_DIR: folder, PORT: '0', METRICS_PORT: '0', BASE_PATH: '/chat', RATE_LIMITS: 'off' }
  const admin = { ADMIN_USER: 'ada', ADMIN_PASSWORD: PASSWORD }
  gateway = await startGateway(readConfig({ ...env, ...admin, LOG_LEVEL: 'warn' }))
  browser = await startChromium()
}, 120_000)
afterAll(async () => {
  await browser.close()
  await gateway.close()
  await rm(folder, { recursive: true })
})
beforeEach(async () => {
  problems = []
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('pageerror', ({ message }) => problems.push(message))
  await page.goto(`${gateway.url}/`)
})
afterEach(() => context.close())

const customer = () => page.getByRole('region', { name: 'Customer' })
const agent = () => page.getByRole('region', { name: 'Agent' })

async function signIn(): Promise<void> {
  await agent().getByLabel('User name').fill('ada')
  await agent().getByLabel('Password').fill(PASSWORD)
  await agent().getByRole('button', { name: 'Sign in' }).click()
  await agent().getByText('Live now').waitFor()
}
async function startChat(name: string): Promise<void> {
  await customer().getByLabel('Your name').fill(name)
  await customer().getByRole('button', { name: 'Start chat' }).click()
  await customer().getByRole('log').waitFor()
}
const joinChat = (name: string) => agent().getByRole('button', { name }).click()
async function write(side: Locator, text: string): Promise<void> {
  await side.getByRole('textbox').fill(text)
  await side.getByRole('textbox').press('Enter')
}
async function violations(): Promise<string[]> {
  await page.evaluate(axeSource)
  const found = await page.evaluate<AxeResults>('axe.run()')
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}
/** What a keyboard's user is on: the words of a button, or the id of a field. */
const focused = () =>
  page.evaluate(() => {
    const { activeElement } = document
    return activeElement instanceof HTMLButtonElement ? activeElement.innerText : (activeElement?.id ?? '')
  })

it('lets a customer and an agent talk, whisper among staff, and end it', async () => {
  await signIn()
  await startChat('Nadia')
  await write(customer(), 'Where is my parcel?')
  await joinChat('Nadia')
  await agent().getByText('Where is my parcel?').waitFor()
  await customer().getByText('ada joined').waitFor()

  await agent().getByRole('textbox').pressSequentially('Let me look.')
  await customer().getByText('ada is typing…').waitFor()
  await agent().getByRole('textbox').press('Enter')
  await customer().getByText('Let me look.').waitFor()
  await agent().getByText('Delivered').waitFor()
  await customer().getByRole('textbox').focus()
  await agent().getByText('Read', { exact: true }).waitFor()

  await agent().getByRole('button', { name: 'Whisper' }).click()
  await agent().getByText('Only your staff will see it.').waitFor()
  await write(agent(), 'The third one this week')
  await agent().getByText('The third one this week').waitFor()
  await write(agent(), 'It comes tomorrow.')
  await customer().getByText('It comes tomorrow.').waitFor()
  expect(await customer().getByText('The third one this week').count()).toBe(0)

  await agent().getByRole('button', { name: 'End chat' }).click()
  await customer().getByText('This chat has ended.').waitFor()
  await agent().getByText('Nobody is waiting.').waitFor()
  expect(await agent().locator('.note').allTextContents()).toEqual(['Nadia joined', 'ada joined', 'Ended by ada'])
  await customer().getByRole('button', { name: 'Start another chat' }).click()
  await customer().getByLabel('Your name').waitFor()
  expect(problems).toEqual([])
})

it('finds the customer’s chat again after a reload, with all that was said meanwhile', async () => {
  await startChat('Rahel')
  await write(customer(), 'Before the reload')
  await customer().getByText('Sent').waitFor()
  await page.reload()
  await customer().getByText('Before the reload').waitFor()
  await signIn()
  await joinChat('Rahel')
  await write(agent(), 'Still here')
  await customer().getByText('Still here').waitFor()
  expect(problems).toEqual([])
})

it('shows what people write as text, never as markup', async () => {
  await signIn()
  await startChat('<b>Bobby</b>')
  await write(customer(), '<img src=x onerror="document.title = 1">')
  await joinChat('<b>Bobby</b>')
  await agent().getByText('<img src=x').waitFor()
  expect(await page.locator('img').count()).toBe(0)
  expect(await page.locator('section b').count()).toBe(0)
  expect(problems).toEqual([])
})

it('sends a picture, which both see, and says why when a file is not taken', async () => {
  await signIn()
  await startChat('Paul')
  await joinChat('Paul')
  const choose = (side: Locator, file: { name: string; mimeType: string; buffer: Buffer }) =>
    side.locator('input[type=file]').setInputFiles(file)
  await choose(customer(), { name: 'kettle.png', mimeType: 'image/png', buffer: Buffer.from(await png(320, 200)) })
  for (const side of [customer(), agent()]) {
    const picture = side.getByRole('img', { name: 'kettle.png' })
    await picture.waitFor()
    await eventually(async () => (await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)) > 0)
  }
  await choose(agent(), { name: 'price list.txt', mimeType: 'text/plain', buffer: Buffer.from('Kettle, 20') })
  await customer().getByRole('link', { name: 'price list.txt' }).waitFor()
  expect(await violations()).toEqual([])
  expect(problems).toEqual([])
  await choose(customer(), { name: 'kettle.png', mimeType: 'image/png', buffer: Buffer.from('<html>') })
  await customer()
    .getByText(/^Not sent\./)
    .waitFor()
})

it('says why when the password is wrong', async () => {
  await agent().getByLabel('User name').fill('ada')
  await agent().getByLabel('Password').fill('wrong')
  await agent().getByLabel('Password').press('Enter')
  await eventually(async () => (await agent().getByRole('alert').textContent()) !== '')
  expect(await agent().getByLabel('Password').isVisible()).toBe(true)
})

it.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
] as const)('has nothing that axe finds fault with, %s, %d pixels wide', async (colorScheme, width) => {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await page.setViewportSize({ width, height: 844 })
  expect(await violations()).toEqual([])
  await signIn()
  await startChat(`Nadia ${colorScheme} ${width}`)
  await write(customer(), 'Hello')
  await joinChat(`Nadia ${colorScheme} ${width}`)
  await write(agent(), 'Good morning')
  await customer().getByText('Good morning').waitFor()
  await agent().getByRole('button', { name: 'Whisper' }).click()
  expect(await violations()).toEqual([])
  await write(agent(), 'A whisper')
  await agent().getByText('A whisper').waitFor()
  await agent().getByRole('button', { name: 'End chat' }).click()
  await customer().getByText('This chat has ended.').waitFor()
  expect(await violations()).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
})

it('can be used with a keyboard alone', async () => {
  const { keyboard } = page
  const tabTo = (name: string) =>
    eventually(async () => {
      await keyboard.press('Tab')
      return (await focused()).includes(name)
    })
  await tabTo('customer-name')
  await keyboard.type('Kim')
  await keyboard.press('Enter')
  await customer().getByRole('log').waitFor()
  await keyboard.type('Typed without a mouse')
  await keyboard.press('Enter')
  await tabTo('agent-username')
  await keyboard.type('ada')
  await keyboard.press('Tab')
  await keyboard.type(PASSWORD)
  await keyboard.press('Enter')
  await agent().getByText('Live now').waitFor()
  await tabTo('Kim')
  await keyboard.press('Enter')
  await agent().getByText('Typed without a mouse').waitFor()
  await keyboard.type('Answered without one')
  await keyboard.press('Enter')
  await customer().getByText('Answered without one').waitFor()
  await tabTo('Whisper')
  await keyboard.press('Space')
  await agent().getByText('Only your staff will see it.').waitFor()
  await tabTo('End chat')
  await keyboard.press('Enter')
  await customer().getByText('This chat has ended.').waitFor()
  expect(problems).toEqual([])
})
