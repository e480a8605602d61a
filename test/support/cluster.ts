// Several gateway processes over one Postgres and one Redis that are started for them, with a fault proxy on every link.
import { eventually } from './eventually'
import { FaultProxy } from './fault-proxy'
import { newFolder, removeFolder } from './gateway'
import { PostgresServer } from './postgres'
import { gatewayProcess, QUICK, readinessOf, type Process, type Readiness } from './process'
import { RedisServer } from './redis'

/** One node, and the links to and from it. */
export interface Node {
  readonly process: Process
  /** Where it listens itself. */
  readonly url: string
  /** Through which clients come: to the next node while this one takes no connections. */
  readonly door: FaultProxy
  readonly toRedis: FaultProxy
  readonly toPostgres: FaultProxy
}
interface Wish {
  readonly nodes?: number
  /** Settings of every node, and of each by its index. */
  readonly settings?: Readonly<Record<string, string>>
  readonly settingsOf?: (index: number) => Readonly<Record<string, string>>
}

export class Cluster {
  private constructor(
    readonly redis: RedisServer,
    readonly postgres: PostgresServer,
    readonly nodes: readonly Node[],
    private readonly folder: string,
  ) {}

  /** Resolves when every node is ready. */
  static async start({ nodes: count = 3, settings = {}, settingsOf = () => ({}) }: Wish = {}): Promise<Cluster> {
    const [folder, redis, postgres] = await Promise.all([newFolder(), RedisServer.start(), PostgresServer.start()])
    const links = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const [toRedis, toPostgres] = await Promise.all([FaultProxy.start(redis.url), FaultProxy.start(postgres.url())])
        const own = {
          REDIS_URL: toRedis.url,
          DATABASE_URL: toPostgres.url,
          ...QUICK,
          BUS_SWEEP: '2s',
          ...settings,
          ...settingsOf(index),
        }
        return { toRedis, toPostgres, process: await gatewayProcess(folder, own) }
      }),
    )
    const urls = links.map(({ process }) => process.url)
    const nodes = await Promise.all(
      links.map(async (link, index) => {
        const door = await FaultProxy.start(...urls.slice(index), ...urls.slice(0, index))
        return { ...link, url: link.process.url, door }
      }),
    )
    const cluster = new Cluster(redis, postgres, nodes, folder)
    try {
      await Promise.all(nodes.map(({ process }) => process.start()))
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get doors(): readonly string[] {
    return this.nodes.map(({ door }) => door.url)
  }
  /** What each says of its readiness. */
  readiness(): Promise<Readiness[]> {
    return Promise.all(this.nodes.map(({ url }) => readinessOf(url)))
  }
  /** All is well on every node, as each of them says. */
  async isWell(within = 15_000): Promise<void> {
    await eventually(async () => (await this.readiness()).every(({ status }) => status === 'ready'), within)
  }
  /** What the nodes logged as errors of their own. */
  get errors(): string[] {
    return this.nodes.flatMap(({ process }) =>
      process.output.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line)),
    )
  }

  async close(): Promise<void> {
    for (const { process } of this.nodes) process.signal('SIGCONT')
    await Promise.all(this.nodes.map(({ process }) => process.end('SIGKILL')))
    const proxies = this.nodes.flatMap(({ door, toRedis, toPostgres }) => [door, toRedis, toPostgres])
    await Promise.all([...proxies.map((proxy) => proxy.close()), this.redis.close(), this.postgres.close()])
    await removeFolder(this.folder)
  }
}
