// Gives each test a fresh server of its own process, a gateway that notes, and connectors that are closed afterwards.
import type { Connector } from '../../../connectors/connector'
import { createSmsConnector, type SmsOptions } from '../../../connectors/sms/index'
import { RecordingGateway } from '../../contracts/connector.contract'
import { type Server, startServer } from './smpp-server'

export let server: Server
export let gateway: RecordingGateway
/** All that the connectors logged. */
export let logged: string
let connectors: Connector[]

beforeEach(async () => {
  server = await startServer()
  gateway = new RecordingGateway()
  connectors = []
  logged = ''
})
afterEach(async () => {
  await Promise.all(connectors.map((connector) => connector.close()))
  await server.close()
})

export function create(settings = '', more: Partial<SmsOptions> = {}): Connector {
  const note = (fields: object, sentence: string) => void (logged += `${JSON.stringify(fields)} ${sentence}\n`)
  const connector = createSmsConnector({ url: server.url(settings), log: { info: note, warn: note }, ...more })
  connectors.push(connector)
  return connector
}

export async function open(settings = '', more: Partial<SmsOptions> = {}): Promise<Connector> {
  const connector = create(settings, more)
  await connector.start(gateway)
  return connector
}
