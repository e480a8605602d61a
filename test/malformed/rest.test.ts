// 20 000 malformed HTTP requests to every route of the catalog.
import { CONNECTOR_KEY } from '../support/gateway'
import { hire, init, login, post } from '../support/people'
import { chanceOf, seed } from './chance'
import { GatewayProcess } from './gateway-process'
import { RawHttp } from './raw-http'
import { requestCase, type Credentials } from './requests'
import { together } from './together'
import { Verdicts } from './verdict'
import { watch } from './watch'

const CASES = 20_000
const WARM_UP = 4_000
const WORKERS = 16

const verdicts = new Verdicts()

async function hold(url: string): Promise<Credentials> {
  const supervisor = await login(url)
  const { token: agent } = await hire(url, 'bo')
  const made = await post(url, '/api/admin/keys', { name: 'shop', kind: 'thirdParty', channel: 'sms' }, supervisor)
  const { secret } = made.json['key'] as { secret: string }
  const { conversationId, participant, token } = await init(url)
  return {
    supervisor,
    agent,
    customer: token,
    connector: CONNECTOR_KEY.sms,
    thirdParty: secret,
    conversationId,
    handle: participant.id,
  }
}

function worker(url: string, held: Credentials, range: { next: number; readonly end: number }) {
  const http = new RawHttp(url)
  const { host } = new URL(url)
  return async (): Promise<boolean> => {
    if (range.next >= range.end) {
      http.close()
      return false
    }
    const { name, bytes, ...how } = requestCase(host, held, chanceOf(6, range.next++))
    const answer = await http.ask(bytes, how)
    if (!answer) verdicts.wrong('closed without an answer', name)
    else if (answer.status < 400) verdicts.count(String(answer.status))
    else if (how.headless) verdicts.count(`${answer.status} to HEAD`)
    else verdicts.rest(answer.status, answer.body, name)
    return true
  }
}

describe('malformed requests to every route', () => {
  let gateway: GatewayProcess
  let watched: Awaited<ReturnType<typeof watch>> | undefined
  beforeAll(async () => {
    gateway = await GatewayProcess.start()
    watched = await watch(gateway)
  })
  afterAll(async () => {
    watched?.close()
    await gateway.close()
  })

  it('are all answered, in the documented shape and without a word of theirs', async () => {
    console.log(`FUZZ_SEED=${seed}`)
    const { url } = gateway
    const held = await hold(url)
    const run = async (next: number, end: number) => {
      const range = { next, end }
      await Promise.all(Array.from({ length: WORKERS }, () => together(1, worker(url, held, range))))
    }
    await run(0, WARM_UP)
    await watched?.warmedUp()
    await run(WARM_UP, CASES)
    await watched?.over('REST', CASES, verdicts)
  }, 180_000)
})
