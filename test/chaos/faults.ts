// Every fault that the mixture is made of: how it begins, how it ends, and what it must not meet.
import type { Chance } from '../malformed/chance'
import type { Cluster, Node } from '../support/cluster'
import { eventually } from '../support/eventually'
import type { Direction, FaultProxy } from '../support/fault-proxy'
import type { Process } from '../support/process'

export interface Fault {
  readonly name: string
  /** Two of one kind do not happen at once: somebody must be left to talk to. */
  readonly kind: string
  begin(): unknown
  end(): unknown
}
const STARTS_WITHIN = 60_000
const nothing = (): void => undefined

/** A node does not start while Postgres is away. */
const startAgain = (process: Process) =>
  eventually(async () => {
    if (!process.isAlive) await process.start()
  }, STARTS_WITHIN)

function ofNode({ process }: Node, index: number): Fault[] {
  const name = `node ${index + 1}`
  const end = () => startAgain(process)
  return [
    { name: `${name} is killed`, kind: 'node', begin: () => process.end('SIGKILL'), end },
    { name: `${name} is stopped`, kind: 'node', begin: () => process.end('SIGTERM'), end },
    {
      name: `${name} is paused`,
      kind: 'node',
      begin: () => process.signal('SIGSTOP'),
      end: () => process.signal('SIGCONT'),
    },
  ]
}

function ofRedis({ redis }: Cluster): Fault[] {
  const kind = 'redis'
  const limit = (bytes: string) => redis.admin.config('SET', 'maxmemory', bytes)
  return [
    { name: 'Redis is killed', kind, begin: () => redis.signal('SIGKILL'), end: () => redis.start() },
    { name: 'Redis hangs', kind, begin: () => redis.signal('SIGSTOP'), end: () => redis.signal('SIGCONT') },
    { name: 'Redis is emptied', kind, begin: () => redis.admin.flushall(), end: nothing },
    { name: 'Redis is full', kind, begin: () => limit('1'), end: () => limit('0') },
  ]
}

function ofPostgres({ postgres }: Cluster): Fault[] {
  const kind = 'postgres'
  return [
    { name: 'Postgres is killed', kind, begin: () => postgres.kill('SIGKILL'), end: () => postgres.up() },
    { name: 'Postgres is restarted', kind, begin: () => postgres.kill('SIGINT'), end: () => postgres.up() },
    { name: 'Postgres hangs', kind, begin: () => postgres.signal('SIGSTOP'), end: () => postgres.signal('SIGCONT') },
  ]
}

function ofLink(name: string, proxy: FaultProxy, chance: Chance): Fault[] {
  const direction = chance.pick<Direction>(['up', 'down', 'both'])
  const end = () => proxy.heal()
  const kind = name
  return [
    { name: `${name} is stalled (${direction})`, kind, begin: () => proxy.stall(direction), end },
    { name: `${name} is stranded (${direction})`, kind, begin: () => proxy.strand(direction), end },
    { name: `${name} is reset`, kind, begin: () => proxy.reset(), end },
    {
      name: `${name} refuses`,
      kind,
      begin: () => {
        proxy.refuse()
        proxy.cut()
      },
      end,
    },
    {
      name: `${name} is reset in mid-frame`,
      kind,
      begin: () => proxy.resetMidFrame(chance.pick(['up', 'down'])),
      end,
    },
    { name: `${name} is late`, kind, begin: () => proxy.set({ latency: 50 + chance.below(300) }), end },
    { name: `${name} is slow`, kind, begin: () => proxy.set({ bytesPerSecond: 20_000 }), end },
    { name: `${name} goes byte by byte`, kind, begin: () => proxy.set({ slice: 1 }), end },
  ]
}

/** Chosen anew each time; parts of the machinery are hit alike, however many ways there are to hit each. */
export function pickFault(cluster: Cluster, chance: Chance): Fault {
  const index = chance.below(cluster.nodes.length)
  const node = cluster.nodes[index]!
  const links = { door: node.door, 'way to Redis': node.toRedis, 'way to Postgres': node.toPostgres }
  const [link, proxy] = chance.pick(Object.entries(links))
  const groups = [
    ofNode(node, index),
    ofRedis(cluster),
    ofPostgres(cluster),
    ofLink(`node ${index + 1}'s ${link}`, proxy, chance),
  ]
  return chance.pick(chance.pick(groups))
}
