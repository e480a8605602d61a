// How long the proxy of docker-compose.yml waits for a gateway: longest for files and transcripts, whose turn may be a while in coming.
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startProxy } from '../support/haproxy'

/** More than what any buffer on the way holds. */
const LARGE = new Uint8Array(64 * 1024 * 1024)

let slow: Server
let proxy: Awaited<ReturnType<typeof startProxy>>
/** Ends what this gateway keeps its callers waiting for. */
let goOn: () => void
beforeEach(async () => {
  const held: ServerResponse[] = []
  // What is sent to it is not read meanwhile.
  slow = createServer((request, response) => {
    if (request.url === '/health/ready') response.end()
    else held.push(response)
  })
  await once(slow.listen(0, '127.0.0.1'), 'listening')
  goOn = () => {
    for (const response of held) {
      response.req.resume()
      response.end()
    }
  }
  const port = String((slow.address() as AddressInfo).port)
  // Everything else has a second in place of a minute.
  proxy = await startProxy({ 'gateway-1': port, 'gateway-2': port }, { 'timeout server 60s': 'timeout server 1s' })
})
afterEach(async () => {
  await proxy.close()
  slow.closeAllConnections()
  await new Promise((resolve) => slow.close(resolve))
})

it('waits for files and transcripts for as long as the gateway lets them, and for nothing else', async () => {
  const status = async (path: string, body?: Uint8Array<ArrayBuffer>) =>
    (await fetch(`${proxy.url}/api/${path}`, body ? { method: 'POST', body } : {})).status
  const patient = [
    status('customer/conversations/7/files', LARGE),
    status('customer/transcript/7/pdf'),
    status('agent/conversations/7/transcript/pdf'),
  ]
  expect(await status('customer/conversations/7')).toBe(504)
  expect(await status('customer/init', new TextEncoder().encode('{}'))).toBe(504)
  goOn()
  expect(await Promise.all(patient)).toEqual([200, 200, 200])
})
