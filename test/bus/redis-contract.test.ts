// Three nodes over Redis keep the contract of the bus, on one instance and on two. REDIS_URL may name the instance.
import { busContract, type BusNetwork } from '../contracts/bus.contract'
import { RedisNodes } from '../support/buses'
import { RedisServer } from '../support/redis'

async function open(...urls: string[]): Promise<BusNetwork> {
  const nodes = new RedisNodes(...urls)
  return {
    nodes: [await nodes.open(), await nodes.open(), await nodes.open()],
    faults: nodes.faults,
    close: () => nodes.close(),
  }
}

let servers: RedisServer[] = []
beforeAll(async () => {
  servers = [await RedisServer.start(), await RedisServer.start({ password: 'p@ss:word/1,2' })]
})
afterAll(() => Promise.all(servers.map((server) => server.close())))

busContract('Redis', () => open(process.env['REDIS_URL'] ?? servers[0]!.url))
busContract('Redis, two instances', () => open(...servers.map(({ url }) => url)))
