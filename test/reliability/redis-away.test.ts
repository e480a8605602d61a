// A gateway whose Redis is away says so, is given work still, and acknowledges every message.
import { openGateway } from '../support/gateway'
import { RedisNodes } from '../support/buses'
import { eventually } from '../support/eventually'
import { agentIn, customer, hire, request, say } from '../support/people'
import { RedisServer } from '../support/redis'

describe('a gateway whose Redis', () => {
  let server: RedisServer
  let nodes: RedisNodes
  let gateway: Awaited<ReturnType<typeof openGateway>>
  let token: string
  beforeAll(async () => {
    server = await RedisServer.start()
    nodes = new RedisNodes(server.url)
    gateway = await openGateway({ DATABASE_URL: 'memory:' }, { bus: await nodes.open() })
    ;({ token } = await hire(gateway.url, 'bo'))
  })
  afterAll(async () => {
    await gateway.close()
    await nodes.close()
    await server.close()
  })
  const ready = () => request(gateway.url, '/health/ready')
  const says = (status: string) => eventually(async () => (await ready()).json['status'] === status)

  it('is well is ready', async () => {
    await says('ready')
  })
  it.each(['SIGSTOP', 'SIGKILL'] as const)('gets a %s is degraded, open, and ready again', async (signal) => {
    await server.signal(signal)
    await says('degraded')
    expect(await ready()).toMatchObject({
      status: 200,
      json: { reasons: ['Redis does not answer. Other nodes hear late.'] },
    })
    const ann = await customer(gateway.url, { refId: signal })
    const { conversationId } = ann
    const bo = await agentIn(gateway.url, conversationId, token)
    expect(await ann.call('sendMessage', say(conversationId, 'still here'))).toMatchObject({ code: 200 })
    expect(await bo.call('sendMessage', say(conversationId, 'so am I'))).toMatchObject({ code: 200 })
    await eventually(() => bo.words().includes('still here') && ann.words().includes('so am I'))
    ann.close()
    bo.close()
    if (signal === 'SIGSTOP') await server.signal('SIGCONT')
    else await server.start()
    await says('ready')
  })
})
