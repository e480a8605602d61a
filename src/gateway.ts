// The composition root: the only file that knows every part. Read it first.
import { join } from 'node:path'
import type { Bus } from './bus/bus'
import { onPlace } from './bus/on-place'
import { MemoryBus } from './bus/memory-bus'
import { RedisBus } from './bus/redis-bus'
import type { Config } from './config'
import { Attendance } from './conversation/attendance'
import { Carriers } from './conversation/carriers'
import { Conversations } from './conversation/conversations'
import { Erasure } from './conversation/erasure'
import { ErasureWatch } from './conversation/erasure-watch'
import { Hub } from './conversation/hub'
import { IdleWatch } from './conversation/idle'
import { Notifications } from './conversation/notifications'
import { Outbox } from './conversation/outbox'
import { Retention } from './conversation/retention'
import { Suppression } from './conversation/suppression'
import { Sweep } from './conversation/sweep'
import type { ChannelDeps } from './dialects/customer-channel/deps'
import { asyncApiDocument, openApiDocument } from './dialects/customer-channel/documents'
import { answerErrors, createRoutes, isPatient } from './dialects/customer-channel/rest'
import { createSocketServer } from './dialects/customer-channel/socket'
import { FileDoor } from './dialects/customer-channel/file-door'
import { FileLinks } from './files/links'
import { openFiles } from './files/open-files'
import { openIdentity } from './identity/open-identity'
import { openDocuments } from './transcript/open-documents'
import { createApp } from './http/app'
import { createDemo } from './http/demo'
import { createDocs } from './http/docs'
import { addressKey, clientAddress, Limits, Networks } from './http/limits'
import { closeServer, collapseSlashes, createHttpServer, listen } from './http/server'
import { type Accounts, type FirstSupervisor } from './identity/accounts'
import { type ApiKeys } from './identity/keys'
import { Passwords } from './identity/passwords'
import { Rereading } from './identity/rereading'
import { createLogger, type Logger } from './logger'
import { DEFAULT_TENANT } from './model/ids'
import { newId } from './model/new-id'
import { liveness, readiness } from './operations/health'
import { Metrics, openMetrics } from './operations/metrics'
import type { Database } from './store/database'
import { openMemory, openPostgres, openSqlite, type DatabaseDeps } from './store/open-database'
import type { Files } from './files/files'
import { Transcripts } from './transcript/transcripts'

export interface Gateway {
  /** Where it listens, on the loopback, with the base path. */
  readonly url: string
  readonly firstSupervisor: FirstSupervisor
  /**
   * Says that it is not ready and begins nothing new, sends clients away one by one (`DRAIN`), gives back what it has in
   * hand, and loses nothing acknowledged.
   */
  close(): Promise<void>
}
/** The only seam for tests: parts that are given are used, and closed, as if they were its own. */
export interface Parts {
  readonly database?: Database
  readonly bus?: Bus
  readonly now?: () => Date
  readonly logger?: Logger
  /** How long a delivery is leased, in milliseconds. */
  readonly leaseMs?: number
  /** In place of those of `LIMITS`, for tests that hit them. */
  readonly limits?: Partial<typeof LIMITS>
  /** Test gateways sign in at a fraction of the cost. */
  readonly passwords?: Passwords
}

const VERSION = '0.1.0'
/** How long a connector may take to answer a delivery. */
const LONGEST_ANSWER_MS = 30_000
/** Of one reader and one socket; what they are is said where they are used. */
const LIMITS = { readerMs: 5 * 60_000, transcriptTurnMs: 120_000, maxSeats: 10_000 }
/** In which time a change of an account or a key holds on every node, even if no node heard of it. */
const REREAD_MS = 15_000
const tenant = DEFAULT_TENANT

export async function startGateway(config: Config, parts: Parts = {}): Promise<Gateway> {
  const now = parts.now ?? (() => new Date())
  const logger = parts.logger ?? createLogger({ level: config.logLevel })
  const onFault = (cause: unknown) => logger.error({ err: cause }, 'A fault of ours')
  const metrics = new Metrics(config.connectorKeys.map(({ channel }) => channel))
  const database =
    parts.database ?? (await openDatabase(config, { now, onFault, onCommit: (figures) => metrics.committed(figures) }))
  const bus = parts.bus ?? (await openBus(config, { onFault, metrics }))
  tellStore(database, bus)
  const passwords = parts.passwords ?? new Passwords()
  const identity = await openIdentity(config, { store: database.accounts, passwords, tenant, now })
  const rereading = shareIdentity(config, { bus, ...identity, onFault })
  const { files, ...keeping } = await openFiles(config, { database, tenant, now, onFault })
  const documents = openDocuments(config, keeping)
  const links = new FileLinks({ secretKeys: identity.secretKeys, now })
  const base = config.publicUrl === null ? '' : `${config.publicUrl}${config.basePath}`
  const fileDoor = new FileDoor({ links, tenant, base, now })
  const core = openConversations(config, { database, files, bus, now, onFault, leaseMs: parts.leaseMs, metrics })
  let isDraining = false
  const deps: ChannelDeps = {
    ...core,
    ...identity,
    ...documents,
    ...doorOf(config),
    ...LIMITS,
    ...parts.limits,
    files,
    fileDoor,
    limiter: new Limits({ enabled: config.rateLimits, tenant, onLimited: (name) => metrics.rateLimited(name) }),
    onBegun: (listener) => onPlace(bus, 'begun', listener),
    onErased: (listener) => onPlace(bus, 'erased', listener),
    onSocket: (what) => metrics.socket(what),
    isDraining: () => isDraining,
    now,
    onFault,
  }
  const door = await openDoor(config, deps, { database, bus, metrics, logger })
  const url = `http://127.0.0.1:${door.port}${config.basePath}`
  fileDoor.reachedAt(url)
  await core.attendance.open()
  for (const warning of config.warnings) logger.warn(warning)
  logger.info({ port: door.port, basePath: config.basePath }, 'listening')

  let closing: Promise<void> | null = null
  const close = async () => {
    isDraining = true
    await door.close()
    await core.close()
    await documents.close()
    await rereading.close()
    core.hub.close()
    await keeping.close()
    await database.close()
    await bus.close()
  }
  return {
    url,
    firstSupervisor: identity.firstSupervisor,
    close: () => (closing ??= close()),
  }
}

/** What other nodes wrote, and what they erased: what is at hand here is out of date. */
function tellStore({ conversations }: Database, bus: Bus): void {
  bus.subscribe({
    hearOthers: (events) => conversations.heard(events),
    heard: (notice) => {
      if (notice.kind === 'erased') conversations.forget(notice.conversationId)
    },
  })
}

/** HTTP, sockets and metrics, listening; closed in the order in which nothing under way is cut. */
async function openDoor(
  config: Config,
  deps: ChannelDeps,
  { database, bus, metrics, logger }: Pick<CoreDeps, 'database' | 'bus' | 'metrics'> & { readonly logger: Logger },
) {
  const { isDraining } = deps
  const app = createApp({
    basePath: config.basePath,
    allowedOrigins: config.allowedOrigins,
    routers: [createRoutes(deps), ...pagesOf(config)],
    isPatient,
    health: {
      live: liveness,
      ready: () => readiness({ ready: () => database.ready(), bus: () => bus.health(), draining: isDraining }),
    },
    isDraining,
    onError: answerErrors(deps.onFault),
    onAnswered: ({ requestId, route, status, seconds }) => {
      metrics.httpRequest({ route, status, seconds })
      logger.debug({ requestId, route, status, ms: Math.round(seconds * 1_000) }, 'answered')
    },
  })
  const http = createHttpServer(app)
  const sockets = createSocketServer(http, deps)
  collapseSlashes(http)
  const metricsListener = await openMetrics(metrics, config.metricsPort)
  return {
    port: await listen(http, config),
    close: async () => {
      await sockets.drain(config.drain)
      // Answers under way are waited for from here on: a long poll is answered by the end of its session.
      const answered = closeServer(http)
      await sockets.close()
      await answered
      await metricsListener?.close()
    },
  }
}

function openDatabase({ database, databasePool, dataDir }: Config, deps: DatabaseDeps): Promise<Database> {
  switch (database.kind) {
    case 'memory':
      return openMemory(deps)
    case 'sqlite':
      return openSqlite({ ...deps, dataDir })
    case 'postgres':
      return openPostgres({ ...deps, url: database.url, size: databasePool })
  }
}

async function openBus(
  { redisUrls }: Config,
  { onFault, metrics }: Pick<CoreDeps, 'onFault' | 'metrics'>,
): Promise<Bus> {
  if (redisUrls.length === 0) return new MemoryBus({ onFault })
  const bus = await RedisBus.open({ urls: redisUrls, onFault })
  metrics.watchBus(() => bus.figures)
  return bus
}

/** A change of an account or a key on one node holds on all that write to the same database. */
function shareIdentity(
  { database }: Config,
  deps: { bus: Bus; accounts: Accounts; keys: ApiKeys; onFault: (cause: unknown) => void },
): Rereading {
  const { bus, accounts, keys } = deps
  const rereading = new Rereading({ ...deps, intervalMs: database.kind === 'postgres' ? REREAD_MS : 0 })
  bus.subscribe({
    heard: (notice) => {
      if (notice.kind === 'changed') rereading.heard(notice)
    },
    missed: () => rereading.check(),
  })
  accounts.onChanged((id) => bus.announce({ kind: 'changed', what: 'account', id }))
  keys.onChanged((id) => bus.announce({ kind: 'changed', what: 'key', id }))
  return rereading
}

interface CoreDeps {
  readonly database: Database
  readonly files: Files
  readonly bus: Bus
  readonly now: () => Date
  readonly onFault: (cause: unknown) => void
  readonly leaseMs: number | undefined
  readonly metrics: Metrics
}
function openConversations(config: Config, { database, files, bus, now, onFault, leaseMs, metrics }: CoreDeps) {
  const store = database.conversations
  const suppression = new Suppression({ optOut: config.optOutWords, optIn: config.optInWords })
  const conversations = new Conversations({ store, bus, suppression, now })
  const outbox = new Outbox({
    conversations,
    deliveries: database.deliveries,
    bus,
    onFault,
    now,
    onSettled: (channel, outcome) => metrics.delivery(channel, outcome),
    sweepMs: config.busSweep,
    leaseMs: leaseMs ?? config.deliveryLease,
  })
  const { idleWarning: warningMs, idleEnd: endMs } = config
  const { custody, erasures } = database
  const erasure = new Erasure({
    ...{ store, custody, erasures, bus, retention: new Retention(config.retention), now },
    onErase: async (place) => ({ files: await files.erase(place) }),
  })
  const core = {
    conversations,
    hub: new Hub({ store, bus, sweepMs: config.busSweep, onFault }),
    outbox,
    carriers: new Carriers({ store: database.carriers, bus, wake: (...at) => outbox.wake(...at), onFault }),
    attendance: new Attendance({
      conversations,
      store: database.attendance,
      tenant,
      node: newId(),
      graceMs: config.reconnectGrace,
      onFault,
    }),
    idleWatch: new IdleWatch({ conversations, tenant, warningMs, endMs, now, onFault }),
    erasure,
    erasureWatch: new ErasureWatch({
      erasure,
      custody,
      onErased: (id) => store.forget(id),
      tenant,
      now,
      onFault,
    }),
    sweep: new Sweep({ notifications: database.notifications, tenant, onFault }),
    notifications: new Notifications({ store, notifications: database.notifications, now }),
    transcripts: new Transcripts({ store }),
  }
  return {
    ...core,
    close: async () => {
      const { attendance, idleWatch, sweep, erasureWatch, carriers } = core
      await Promise.all([attendance.close(), idleWatch.close(), sweep.close(), outbox.close(), erasureWatch.close()])
      await carriers.close()
    },
  }
}

/** Who is at the door, and under which address. */
function doorOf(config: Config) {
  const proxies = new Networks(config.trustedProxies)
  const connectors = new Networks(config.connectorAddresses)
  const { customerAuth, allowedOrigins, basePath, echoToSender, pingInterval: interval, pingTimeout: timeout } = config
  const addressOf: ChannelDeps['clientAddressOf'] = ({ socket, headers }) => {
    const forwardedFor = headers['x-forwarded-for']
    return clientAddress({ socketAddress: socket.remoteAddress, forwardedFor }, proxies)
  }
  return {
    entryPoint: { tenant, customerAuth, allowedOrigins },
    basePath,
    echoToSender,
    ping: { interval, timeout },
    // A lease outlives the wait for an answer, so that nobody else delivers meanwhile.
    answerMs: Math.min(LONGEST_ANSWER_MS, config.deliveryLease / 2),
    unlimited: !config.rateLimits,
    clientAddressOf: addressOf,
    limitKeyOf: addressKey,
    isConnectorAddress: (address: string) => connectors.has(address),
  }
}

function pagesOf(config: Config): ReturnType<typeof createDocs>[] {
  const about = { url: config.publicUrl ?? '', basePath: config.basePath, version: VERSION }
  const docs = createDocs({
    openApi: () => openApiDocument(about),
    asyncApi: () => asyncApiDocument(about),
    folder: webFolder('docs'),
  })
  return config.demo ? [docs, createDemo({ folder: webFolder('demo') })] : [docs]
}

/** What the build made for browsers; under jest the sources run, and the build lies beside them. */
const webFolder = (name: string): string => join(__dirname, __filename.endsWith('.ts') ? '../dist/web' : '../web', name)
