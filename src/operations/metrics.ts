// What the gateway counts for its operators, and the loopback listener where Prometheus reads it.
import { createServer, type Server } from 'node:http'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { BusFigures } from '../bus/bus'

export type DeliveryOutcome = 'done' | 'retried' | 'dead' | 'expired'

/** Channels that have a line of their own. A label from outside would let anybody fill our memory. */
const CHANNELS = ['web', 'sms', 'whatsapp', 'facebook', 'fb', 'instagram', 'telegram', 'viber', 'email', 'line', 'echo']
/** More routes than the gateway has, and few enough for memory. */
const MAX_ROUTES = 200
const OTHER = 'other'
const HOST = '127.0.0.1'
const REQUEST_TIMEOUT = 10_000

/** Counters and histograms, each with a closed set of labels. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #channels: ReadonlySet<string>
  readonly #routes = new Set<string>()

  readonly #accepted = new Counter({
    name: 'fairlead_messages_accepted_total',
    help: 'Messages that were acknowledged, by channel.',
    labelNames: ['channel'],
    registers: [this.#registry],
  })
  readonly #events = new Counter({
    name: 'fairlead_events_committed_total',
    help: 'Events written to the log.',
    registers: [this.#registry],
  })
  readonly #batch = new Histogram({
    name: 'fairlead_commit_batch_size',
    help: 'Decisions that shared one commit.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers: [this.#registry],
  })
  readonly #commit = new Histogram({
    name: 'fairlead_commit_seconds',
    help: 'How long a commit took.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers: [this.#registry],
  })
  readonly #sockets = new Gauge({
    name: 'fairlead_sockets_open',
    help: 'Sockets that are open now.',
    registers: [this.#registry],
  })
  readonly #deliveries = new Counter({
    name: 'fairlead_deliveries_total',
    help: 'Attempts to deliver through a connector, by channel and outcome.',
    labelNames: ['channel', 'outcome'],
    registers: [this.#registry],
  })
  readonly #limited = new Counter({
    name: 'fairlead_rate_limited_total',
    help: 'Calls refused by a rate limit, by limit.',
    labelNames: ['limit'],
    registers: [this.#registry],
  })
  readonly #dropped = new Counter({
    name: 'fairlead_slow_sockets_dropped_total',
    help: 'Sockets closed because their client stopped reading.',
    registers: [this.#registry],
  })
  readonly #requests = new Histogram({
    name: 'fairlead_http_request_seconds',
    help: 'HTTP requests by route and class of status.',
    labelNames: ['route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.#registry],
  })

  /** @param channels more channels that have a line of their own, as the operator configured them */
  constructor(channels: readonly string[] = []) {
    this.#channels = new Set([...CHANNELS, ...channels])
  }

  messageAccepted(channel: string, count = 1): void {
    this.#accepted.inc({ channel: this.#channel(channel) }, count)
  }
  /** @param commit `decisions` that shared it, the `events` it wrote, its `messages` by channel, and its `seconds` */
  committed(commit: {
    readonly decisions: number
    readonly events: number
    readonly seconds: number
    readonly messages: ReadonlyMap<string, number>
  }): void {
    for (const [channel, count] of commit.messages) this.messageAccepted(channel, count)
    this.#events.inc(commit.events)
    this.#batch.observe(commit.decisions)
    this.#commit.observe(commit.seconds)
  }
  socket(what: 'opened' | 'closed' | 'droppedAsSlow'): void {
    if (what === 'opened') this.#sockets.inc()
    else if (what === 'closed') this.#sockets.dec()
    else this.#dropped.inc()
  }
  delivery(channel: string, outcome: DeliveryOutcome): void {
    this.#deliveries.inc({ channel: this.#channel(channel), outcome })
  }
  /** @param limit its name in `http/limits.ts`: a closed list, never a caller's key */
  rateLimited(limit: string): void {
    this.#limited.inc({ limit })
  }
  /** @param request `route`: the pattern that matched, such as `/api/customer/init`, never the path that was asked for */
  httpRequest(request: { route: string; status: number; seconds: number }): void {
    const status = `${Math.floor(request.status / 100)}xx`
    this.#requests.observe({ route: this.#route(request.route), status }, request.seconds)
  }

  /** The bus keeps its own count, which is read whenever the metrics are. */
  watchBus(figures: () => BusFigures): void {
    const counted: readonly (readonly [keyof BusFigures, string])[] = [
      ['published', 'Hints sent to other nodes, one for each node that each is for.'],
      ['dropped', 'Hints that could not be sent.'],
      ['bytes', 'Bytes of what was sent to other nodes.'],
      ['received', 'Hints heard from other nodes.'],
      ['foreign', 'Messages on the bus that could not be read.'],
      ['missed', 'How often it was not known what the bus had missed.'],
    ]
    for (const [name, help] of counted)
      new Counter({
        name: `fairlead_bus_${name}_total`,
        help,
        registers: [this.#registry],
        collect() {
          this.reset()
          this.inc(figures()[name])
        },
      })
  }

  /** All of it in Prometheus' text format. */
  async text(): Promise<string> {
    return this.#registry.metrics()
  }
  /** Adds the process's own: memory, event loop, garbage collection. Once per process, for it hooks into the runtime. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  #channel(name: string): string {
    return this.#channels.has(name) ? name : OTHER
  }
  #route(pattern: string): string {
    if (this.#routes.size < MAX_ROUTES) this.#routes.add(pattern)
    return this.#routes.has(pattern) ? pattern : OTHER
  }
}

/** Answers `GET /metrics`, and nothing else; not listening yet. */
export function metricsServer(metrics: Pick<Metrics, 'text'>): Server {
  const server = createServer((request, response) => {
    const known = request.url?.split('?')[0] === '/metrics'
    if (!known || request.method !== 'GET') {
      response.writeHead(known ? 405 : 404, { 'content-type': 'text/plain; charset=utf-8' }).end()
      return
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      () => response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(),
    )
  })
  server.requestTimeout = REQUEST_TIMEOUT
  return server
}

/**
 * Opens the listener, on the loopback address only.
 * @param port 0: none is opened, and null is the answer
 * @throws the operating system's error when the port is taken
 */
export async function openMetrics(metrics: Metrics, port: number): Promise<{ close(): Promise<void> } | null> {
  if (port === 0) return null
  metrics.watchProcess()
  const server = metricsServer(metrics)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, resolve)
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
